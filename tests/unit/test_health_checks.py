import datetime as dt
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from atomops.checks.health import (
    application_answers,
    clock,
    components,
    live,
    live_latency,
    ready,
    ready_latency,
)
from atomops.facts.health import Component, Endpoint, HealthFacts
from atomops.facts.outcome import Outcome
from atomops.registry import Check, checks
from atomops.verdict import Evidence, Finding, Level, Unseen

WELL = HealthFacts(
    at=dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC),
    url="https://atom.example.com",
    live=Endpoint("/health/live", 200, 0.004),
    ready=Endpoint("/health/ready", 200, 0.05),
    components=(Component("database", True, "ok", 0.002), Component("disk", True, "")),  # noqa: FBT003 - healthy
    clock_offset=0.0,
    version="2.3.1 abc123",
)
TIMED_OUT = Endpoint("/health/ready", None, None, "https://atom.example.com did not answer within 5 s", "see whether")


def found(code: str, outcome: Outcome[HealthFacts]) -> Finding:
    finding = check_of(code).judge(outcome, None)
    assert isinstance(finding, Finding)
    return finding


def judged(code: str, facts: HealthFacts) -> Finding:
    return found(code, Outcome("health", 0.01, facts=facts))


def check_of(code: str) -> Check:
    return next(each for each in checks() if each.code == code)


def test_a_healthy_application_is_ok_throughout() -> None:
    codes = [each.code for each in checks() if each.facts is HealthFacts]

    assert len(codes) == 7
    assert {code: judged(code, WELL).level for code in codes} == dict.fromkeys(codes, Level.OK)


def test_a_failed_probe_is_critical_once_and_unknown_everywhere_else() -> None:
    nobody = Outcome[HealthFacts]("health", 5, unseen=Unseen("https://x refuses the connection", "is it running?"))
    levels = {each.code: found(each.code, nobody).level for each in checks() if each.facts is HealthFacts}

    assert levels.pop("HTTP-REACHABLE") is Level.CRITICAL
    assert set(levels.values()) == {Level.UNKNOWN}


def test_the_version_is_told_where_the_application_answers() -> None:
    reading = application_answers(Outcome("health", 0.01, facts=WELL))

    assert reading.summary == "the application, version 2.3.1 abc123, answered in 0.01 s"
    assert application_answers(Outcome("health", 0.01, facts=replace(WELL, version=""))).summary.startswith(
        "the application answered"
    )


def test_live_and_ready_are_judged_apart() -> None:
    stuck = replace(WELL, ready=TIMED_OUT, components=Unseen("it did not answer"))

    assert judged("HTTP-LIVE", stuck).level is Level.OK
    assert judged("HTTP-READY", stuck).level is Level.CRITICAL
    assert "did not answer within 5 s" in ready(stuck).summary
    assert judged("HTTP-COMPONENTS", stuck).level is Level.UNKNOWN


def test_an_answer_with_a_problem_is_not_alive_and_says_what_to_do() -> None:
    reading = live(replace(WELL, live=Endpoint("/health/live", 404, 0.003, "404", "look at the start of the log")))

    assert (reading.value, reading.action) == (1, "look at the start of the log")
    assert reading.summary == "not alive: /health/live: 404"


def test_an_unhealthy_component_is_named_first_with_what_it_said() -> None:
    ill = Component("redis", False, "Connection refused", 2.0)  # noqa: FBT003 - healthy
    reading = components(replace(WELL, components=(*known_components(), ill)))

    assert reading.value == 1
    assert reading.summary == "not healthy: redis (1 of 3 components)"
    assert reading.action == "look at redis: Connection refused"
    assert isinstance(reading.evidence, Evidence)
    assert reading.evidence.rows[0] == ("redis", "no", "Connection refused", "2.0 s")
    assert reading.evidence.rows[2] == ("disk", "yes", "", "")


def known_components() -> tuple[Component, ...]:
    assert isinstance(WELL.components, tuple)
    return WELL.components


def test_latency_is_information_beside_the_applications_own_target() -> None:
    slow = replace(WELL, live=Endpoint("/health/live", 200, 0.035), ready=Endpoint("/health/ready", 503, 4.0, "503"))

    assert live_latency(slow).summary == "/health/live took 35 ms, above the application's own target of 10 ms"
    assert ready_latency(slow).value == 4.0
    assert "within" in ready_latency(WELL).summary
    assert judged("HTTP-READY-LATENCY", slow).level is Level.OK


def test_the_latency_of_an_answer_that_never_came_is_unknown() -> None:
    finding = judged("HTTP-READY-LATENCY", replace(WELL, ready=TIMED_OUT))

    assert (finding.level, finding.observed) == (Level.UNKNOWN, None)
    assert "did not answer within 5 s" in finding.summary


def test_a_clock_an_hour_behind_is_critical_and_one_two_minutes_ahead_a_warning() -> None:
    assert judged("HTTP-CLOCK-SKEW", replace(WELL, clock_offset=-3600.0)).level is Level.CRITICAL
    assert judged("HTTP-CLOCK-SKEW", replace(WELL, clock_offset=120.0)).level is Level.WARNING
    assert clock(replace(WELL, clock_offset=-3600.0)).summary == "the application's clock is 1 hour behind ours"


def test_a_clock_that_nobody_told_is_unknown() -> None:
    assert judged("HTTP-CLOCK-SKEW", replace(WELL, clock_offset=Unseen("no Date header"))).level is Level.UNKNOWN


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_clock_that_is_further_off_never_gets_a_better_level(one: float, other: float) -> None:
    near, far = sorted((one, other))
    levels = [judged("HTTP-CLOCK-SKEW", replace(WELL, clock_offset=-offset)).level for offset in (near, far)]

    assert levels[0].rank <= levels[1].rank


def test_the_facts_survive_being_kept() -> None:
    adapter = TypeAdapter(HealthFacts)
    every = (WELL, replace(WELL, ready=TIMED_OUT, components=Unseen("a", "b"), clock_offset=Unseen("c")))

    assert all(adapter.validate_json(adapter.dump_json(facts)) == facts for facts in every)
