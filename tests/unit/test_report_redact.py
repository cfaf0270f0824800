import base64
import io
import json
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from atomops.reports.html import html
from atomops.reports.json import to_json
from atomops.reports.markdown import markdown
from atomops.reports.redact import MASK, redact
from atomops.reports.report import Report
from atomops.reports.table import rows
from atomops.reports.terminal import print_report
from atomops.verdict import Evidence, Gap, Level
from tests.samples import finding, report_of, strings_of


def terminal(report: Report) -> str:
    said = io.StringIO()
    print_report(report, Console(file=said, width=2_000))
    return said.getvalue()


RENDERERS: dict[str, Callable[[Report], str]] = {
    "json": lambda report: to_json(report).decode(),
    "markdown": markdown,
    "html": html,
    "terminal": terminal,
    "table": lambda report: json.dumps(rows(report), ensure_ascii=False),
}
SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda secret: secret,
    "percent-encoded": lambda secret: quote(secret, safe=""),
    "percent-encoded in lower case": lambda secret: quote(secret, safe="").lower() if secret.islower() else secret,
    "form-encoded": quote_plus,
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON with letters of the world": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 for addresses": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "base64 without padding": lambda secret: base64.b64encode(secret.encode()).decode().rstrip("="),
    "Python": lambda secret: repr(secret)[1:-1],
    "SQL": lambda secret: secret.replace("'", "''"),
}
# Passwords as people and generators make them; a mask that contains the secret could hide nothing.
secrets = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="*"), min_size=6, max_size=30)
around = st.text(st.characters(categories=["L", "N"]), max_size=10)


def report_that_says(text: str) -> Report:
    evidence = Evidence.of([text], [[text], ["a" + text]])
    return report_of(
        finding("PG-PING", Level.CRITICAL, summary=text, action=text, source=text, evidence=evidence),
        finding("PG-SIZE", Level.OK, summary=text),
        gaps=(Gap("TLS", text),),
    )


@given(secrets, around, around, st.sampled_from(sorted(SPELLINGS)))
@example("p%21a/ss+w'ö\"rd", "", "", "percent-encoded")
@example("open sesame", "a", "z", "form-encoded")
@settings(max_examples=60)
def test_a_secret_never_survives_rendering(secret: str, before: str, after: str, spelling: str) -> None:
    secret = secret.strip()
    assume(len(secret) >= 6)
    written = SPELLINGS[spelling](secret)
    silent = [render(redact(report_that_says(before + after), [secret])) for render in RENDERERS.values()]
    assume(not any(written in text or secret in text for text in silent))
    report = redact(report_that_says(before + written + after), [secret])
    for render in RENDERERS.values():
        assert written not in render(report)
        assert secret not in render(report)


@pytest.mark.parametrize("user", ["", "a", "ab", "abc", "postgres"])
def test_a_password_in_an_authorization_header_is_masked(user: str) -> None:
    header = base64.b64encode(f"{user}:correct-horse-battery".encode()).decode()
    said = redact(f"Authorization: Basic {header}", ["correct-horse-battery"])
    assert MASK in said
    decoded = base64.b64decode(said.split()[-1].replace(MASK, "") + "===")
    assert b"horse" not in decoded


def test_a_password_over_several_lines_is_masked() -> None:
    assert redact("it is open\n   sesame.", ["open sesame"]) == f"it is {MASK}."


def test_a_long_secret_is_masked_before_a_short_one_that_begins_it() -> None:
    assert redact("the key abcdef", ["abc", "abcdef"]) == f"the key {MASK}"


def test_a_short_secret_is_masked_too() -> None:
    assert redact("password=x1", ["x1"]) == f"password={MASK}"


@pytest.mark.parametrize("secret", ["", " "])
def test_an_empty_secret_masks_nothing(secret: str) -> None:
    assert redact("as it was", [secret]) == "as it was"


def test_names_stay_even_when_a_password_is_one_of_them() -> None:
    report = report_of(finding("REDIS-LATENCY", section="Redis", observed=1, summary="redis answers production"))
    safe = redact(report, ["production", "redis", "Redis", "REDIS-LATENCY"])
    assert (safe.key, list(safe.trends)) == (report.key, list(report.trends))
    assert (safe.findings[0].code, safe.findings[0].section) == ("REDIS-LATENCY", "Redis")
    assert safe.findings[0].summary == f"{MASK} answers {MASK}"


def test_every_string_that_is_not_a_name_is_looked_at() -> None:
    report = report_that_says("hunter22")
    run = replace(report.run, host="hunter22", versions={"hunter22": "hunter22"})
    report = replace(report, run=run)
    assert "hunter22" in strings_of(report)
    assert not any("hunter22" in text for text in strings_of(redact(report, ["hunter22"])))


def test_the_level_stays_a_level() -> None:
    assert redact(report_of(finding(level=Level.CRITICAL)), ["CRITICAL"]).level is Level.CRITICAL
