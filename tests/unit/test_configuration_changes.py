"""What looks secret is masked, and what has changed is told without it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.facts.configuration import Difference, Item
from atomops.plans.configuration.changes import change_of, differences
from atomops.plans.configuration.secrecy import looks_secret, masked, object_looks_secret

SECRET = "hunter2x"
KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----"
TELLING = [
    f"PASSWORD={SECRET}",
    f"export DB_PASSWORD = {SECRET}",
    f'api_key: "{SECRET}"',
    f"url: postgresql://atom:{SECRET}@db/atom",
    f"redis://:{SECRET}@cache",
    f"password:\n  {SECRET}\n",
    f"token: |\n\n    {SECRET}\nnext: 1",
    f"client-secret = {SECRET}",
    KEY,
    "id AKIAABCDEFGHIJKLMNOP",
]
PLAIN = [
    "LOG_LEVEL=info",
    "PASSWORD_FILE=/run/secrets/x",
    "tokens: 5",
    "password: ${PASSWORD}",
    "https://a.example.com",
    "",
]


@pytest.mark.parametrize("text", TELLING)
def test_what_looks_secret_is_taken_for_secret_and_masked(text: str) -> None:
    assert looks_secret(text)
    assert SECRET not in masked(text)
    assert "AKIA" not in masked(text)


@pytest.mark.parametrize("text", PLAIN)
def test_what_does_not_is_left_as_it_is(text: str) -> None:
    assert not looks_secret(text)
    assert masked(text) == text


def test_long_values_that_nobody_can_tell_from_a_key_are_masked_in_what_is_shown() -> None:
    assert masked("sum: 0123456789abcdef0123456789abcdef") == "sum: ***"


@given(st.text(st.characters(categories=("L", "N")), min_size=4, max_size=20).filter(lambda text: not text.isdigit()))
def test_no_value_of_a_password_survives(value: str) -> None:
    if value.lower() not in {"true", "false", "null", "none"}:
        assert f"={value}" not in masked(f"A_PASSWORD={value}\nB=1")


def test_objects_are_secret_by_their_kind_or_by_what_they_hold() -> None:
    def workload(**variable: str) -> dict[str, object]:
        return {"kind": "Deployment", "spec": {"env": [variable], "args": ["--fast", "-v"]}}

    assert object_looks_secret({"kind": "Secret"})
    assert object_looks_secret({"kind": "ConfigMap", "data": {"DB_PASSWORD": "abc"}})
    assert object_looks_secret({"kind": "ConfigMap", "data": {"app.yaml": f"a: 1\npassword: {SECRET}"}})
    assert object_looks_secret(workload(name="API_TOKEN", value="abc"))
    assert object_looks_secret({"kind": "Deployment", "spec": {"args": [f"--password={SECRET}"]}})
    assert not object_looks_secret(workload(name="API_TOKEN_FILE", value="/run/token"))
    assert not object_looks_secret({"kind": "ConfigMap", "data": {"LOG_LEVEL": "info"}})
    assert not object_looks_secret({"kind": "Deployment", "spec": {"imagePullSecrets": [{"name": "registry"}]}})


def item(name: str, kind: str, fields: dict[str, str], **others: object) -> Item:
    return Item(name, kind, "", is_secret=False, digests=fields, **others)  # type: ignore[arg-type]


def told(before: Item, after: Item, *, old: bool = True) -> list[tuple[str, str, str]]:
    name = before.name
    values = {name: before.digests} if old else None
    found = differences({name: before}, {name: after}, values, {name: after.digests})
    return [(each.field, each.what, each.told) for each in found]


def test_changes_are_told_field_by_field_striking_ones_first() -> None:
    before = item("Deployment/a", "Deployment", {"a": "1", "image": "x:1", "gone": "2"}, shown={"image": "x:1"})
    after = item("Deployment/a", "Deployment", {"a": "3", "image": "x:2", "new": "5"}, shown={"image": "x:2"})
    assert told(before, after) == [
        ("image", "changed", "x:1 → x:2"),
        ("a", "changed", "1 → 3"),
        ("gone", "removed", "2 → none"),
        ("new", "added", "none → 5"),
    ]
    assert [row[2] for row in told(before, after, old=False)] == ["x:1 → x:2", "", "", ""]


def test_whole_things_come_and_go_and_what_is_equal_is_not_told() -> None:
    one, two = item("a", "ConfigMap", {"x": "1"}), item("b", "ConfigMap", {"x": "1"})
    found = differences({"a": one, "c": two}, {"b": two, "c": two}, None, {})
    assert found == (Difference("a", "", "removed"), Difference("b", "", "added"))


def test_values_of_secrets_and_of_what_is_called_so_are_never_told() -> None:
    for kind in ("Secret", "container"):
        assert told(item("a", kind, {"x": "1"}), item("a", kind, {"x": "2"})) == [("x", "changed", "")]
    config = [item("a", "ConfigMap", {"data.DB_PASSWORD": value}) for value in ("1", "2")]
    assert told(*config) == [("data.DB_PASSWORD", "changed", "")]
    assert change_of("data.x", f"p://u:{SECRET}@h", "p://u:other@h") == "*** (not shown)"


def test_texts_are_compared_line_by_line_and_not_at_any_length() -> None:
    assert change_of("x", "a\nb\nc\n", "a\nB\nc\n") == "-b\n+B"
    assert change_of("x", f"password: {SECRET}\na\n", "password: other\na\n") == "only in what is not shown"
    many = change_of("x", "", "\n".join(f"line {n}" for n in range(50)) + "\n")
    assert many.splitlines()[-1] == "and 30 lines more"
    assert change_of("x", "a" * 10 + " b" * 200, "c").split(" → ")[0].endswith("…")
    assert change_of("x", "same\n", "same\nmore\n") == "+more"


def test_mode_owner_and_link_of_a_file_are_told() -> None:
    before = item("/a", "file", {"content": "x"}, mode="0600", owner="a:a")
    after = item("/a", "file", {"content": "x"}, mode="0640", owner="a:a", link="b")
    assert told(before, after) == [("mode", "changed", "0600 → 0640"), ("link", "changed", "none → b")]
