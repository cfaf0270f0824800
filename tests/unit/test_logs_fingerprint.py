import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from atomops.probes.logs.fingerprint import LONGEST, clean, fingerprint, shorten

WORDS = st.lists(st.sampled_from(["agent", "failed", "after", "can't", "id=", '"', "'", "`", "host", "\n", "x_", "é"]))
NUMBERS = st.integers(min_value=0, max_value=10**12)


@given(st.one_of(st.text(), WORDS.map(" ".join), st.text(alphabet="ab01'\"`<>. :@-*=password", max_size=80)))
@example("'x \"y'z\" w'")
@example("'a'5")
@example("5 " * 400)
@example('"' + "1" * 299 + '"')
def test_masking_what_is_masked_changes_nothing(text: str) -> None:
    once = fingerprint(text)
    assert fingerprint(once) == once
    assert len(once) <= LONGEST


@given(NUMBERS, NUMBERS, st.uuids(), st.uuids(), st.floats(0, 1e6).map(lambda number: f"{number:.3f}"))
def test_other_numbers_and_uuids_are_the_same_error(
    one: int, other: int, first: uuid.UUID, second: uuid.UUID, seconds: str
) -> None:
    text = "agent {} took {} s in session {} on node-{}"
    assert fingerprint(text.format(one, seconds, first, one)) == fingerprint(text.format(other, "7", second, other))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("connect to 10.0.0.17:5432 failed", "connect to <address> failed"),
        ("connect to fe80::1f:22 failed", "connect to <address> failed"),
        ("object at 0x7f3a9c", "object at <hex>"),
        ("commit 3fa9c21bde in 12 s", "commit <hex> in <n> s"),
        ("order 12345678 is late", "order <n> is late"),
        ("user 'anna' of \"acme\" can't log in", "user <text> of <text> can't log in"),
        ("mail to anna.b@example.com bounced", "mail to <email> bounced"),
        ("deadbeef is a word, cafe too", "deadbeef is a word, cafe too"),
        ("at 2026-11-23T20:34:19.458Z", "at <n>-<n>-<n>T<n>Z"),
    ],
)
def test_what_varies_is_masked(text: str, masked: str) -> None:
    assert fingerprint(text) == masked


def test_different_errors_stay_different() -> None:
    assert fingerprint("cannot read file 3") != fingerprint("cannot write file 3")


@pytest.mark.parametrize(
    "text",
    [
        "cannot connect to postgresql://atom:hunter2@db:5432/atom",
        "cannot connect to postgresql://atom:pa@hunter2@db:5432/atom",
        "redis://:hunter2@cache:6379/0 refused",
        "login failed, password=hunter2",
        "login failed, DB_PASSWORD: 'hunter2'",
        'config {"api_key": "hunter2", "x": 1}',
        "config {'secret': 'hun\\'hunter2', 'x': 1}",
        'escaped {\\"token\\": \\"hunter2\\"}',
        "Authorization: Bearer hunter2",
        "sent with bearer hunter2hunter2",
        "Cookie: session=hunter2",
        "GET /agents?access_token=hunter2 failed",
        "X-Api-Key: hunter2",
        "key sk-hunter2hunter2hunter2 was refused",
        "jwt eyJhunter2.hunter2.hunter2 expired",
        "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
        "x" * 250 + " postgresql://atom:hunter2" + "z" * 100 + "@db/atom",
    ],
)
def test_a_secret_is_in_neither_sample_nor_pattern(text: str) -> None:
    assert "hunter2" not in shorten(clean(text))
    assert "hunter2" not in fingerprint(text)


def test_words_about_passwords_are_kept() -> None:
    text = "password authentication failed for role atom"
    assert clean(text) == text


@given(st.text(alphabet=st.characters(), max_size=200))
def test_a_sample_is_one_line_that_can_be_encoded(text: str) -> None:
    line = clean(text)
    assert len(line.encode().decode().splitlines()) <= 1
    assert line == line.strip()
