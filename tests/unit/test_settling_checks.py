"""What the checks make of the time after a change."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from atomops.facts.logs import ErrorGroup
from atomops.facts.outcome import Outcome
from atomops.facts.settling import Errors, Requests, SettlingFacts
from atomops.registry import checks, judge_all
from atomops.verdict import Finding, Level, Unseen

NOW = dt.datetime(2026, 11, 25, 14, 0, tzinfo=dt.UTC)
KNOWN = ErrorGroup("ERROR", "LLM_TIMEOUT", "model timed out", "model timed out", "core.agent", 2, NOW, NOW)
FRESH = ErrorGroup("CRITICAL", None, "out of <n> widgets", "out of 7 widgets", None, 40, NOW, NOW)
ERRORS = Errors(NOW, 60, records=2, critical=0, groups=(KNOWN,), new=(), before=2_880, before_hours=24)
REQUESTS = Requests("page", 60, asked=600, failed_ratio=0.025, before=0.024, minimum=20)
GOOD = SettlingFacts(NOW, 60, is_ready=True, asked=61, refused=0, last_refusal="", errors=ERRORS, requests=REQUESTS)
UNSEEN = Unseen("may not be read", "setfacl")


def of(**others: Any) -> tuple[dict[str, Finding], list[str]]:  # noqa: ANN401 - any of its fields
    mine = [check for check in checks() if check.facts is SettlingFacts]
    outcome = Outcome("settling", 60, facts=replace(GOOD, **others))
    found, gaps = judge_all(mine, {SettlingFacts: outcome}, {}, {})
    return {each.code: each for each in found}, [gap.reason for gap in gaps]


def test_one_that_does_as_before_is_ok_throughout() -> None:
    found, gaps = of()
    assert {each.level for each in found.values()} == {Level.OK}
    assert gaps == []
    assert found["SETTLE-ERRORS"].summary == "2 errors in 1 minute, 2.0 were to be expected; too few to be a flood"
    assert found["SETTLE-ERROR-RATIO"].summary == "2.50 % of 600 requests failed in 1 minute; 2.40 % before"
    assert found["SETTLE-REFUSED"].summary == "no refusals among 61 questions in 1 minute"


def test_one_that_is_not_ready_at_the_end_is_critical_and_one_that_flaps_a_warning() -> None:
    found, _ = of(is_ready=False, refused=9, last_refusal="503, status not_ready")
    assert found["SETTLE-NOT-READY"].level is Level.CRITICAL
    assert "503, status not_ready" in found["SETTLE-NOT-READY"].summary
    assert found["SETTLE-REFUSED"].level is Level.WARNING


@pytest.mark.parametrize(
    ("records", "level"), [(19, Level.OK), (20, Level.WARNING), (28, Level.WARNING), (29, Level.CRITICAL)]
)
def test_a_flood_is_many_times_what_was_to_be_expected(records: int, level: Level) -> None:
    found, _ = of(errors=replace(ERRORS, records=records))
    assert found["SETTLE-ERRORS"].level is level


def test_new_and_critical_errors_are_shown_with_their_samples() -> None:
    found, _ = of(errors=replace(ERRORS, records=40, critical=40, groups=(FRESH, KNOWN), new=(FRESH,)))
    assert found["SETTLE-ERRORS-NEW"].level is Level.WARNING
    assert "the most frequent 40 times: out of <n> widgets" in found["SETTLE-ERRORS-NEW"].summary
    assert found["SETTLE-ERRORS-CRITICAL"].level is Level.CRITICAL
    assert found["SETTLE-ERRORS-CRITICAL"].summary.endswith(": out of 7 widgets")


def test_failed_requests_are_judged_by_how_many_more_they_are_than_before() -> None:
    assert of(requests=replace(REQUESTS, failed_ratio=0.04))[0]["SETTLE-ERROR-RATIO"].level is Level.WARNING
    assert of(requests=replace(REQUESTS, failed_ratio=0.08))[0]["SETTLE-ERROR-RATIO"].level is Level.CRITICAL
    assert of(requests=replace(REQUESTS, failed_ratio=0.0))[0]["SETTLE-ERROR-RATIO"].observed == 0
    without, _ = of(requests=replace(REQUESTS, before=UNSEEN))
    assert without["SETTLE-ERROR-RATIO"].summary.endswith("nobody knows of before")
    assert without["SETTLE-ERROR-RATIO"].level is Level.WARNING


def test_too_few_requests_make_no_ratio() -> None:
    _, gaps = of(requests=replace(REQUESTS, asked=3))
    assert gaps == ["failed requests: 3 requests in 1 minute make no ratio (from 20 on they do)"]


def test_what_could_not_be_seen_is_unknown_and_what_is_not_configured_is_not_checked() -> None:
    found, gaps = of(is_ready=None, errors=UNSEEN, requests=UNSEEN)
    assert {each.level for each in found.values()} == {Level.UNKNOWN}
    assert gaps == ["readiness in between: nobody could ask the application"]
    found, gaps = of(errors=None, requests=None)
    assert set(found) == {"SETTLE-NOT-READY", "SETTLE-REFUSED"}
    assert len(gaps) == 4
