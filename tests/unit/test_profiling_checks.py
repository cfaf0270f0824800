import datetime as dt
from dataclasses import replace
from typing import Any

from atomops.facts.cache import Answered
from atomops.facts.outcome import Outcome
from atomops.facts.profiling import ProfilingFacts
from atomops.plans.profiling import steps
from atomops.probes.parts import PROFILING
from atomops.registry import checks, judge_all
from atomops.verdict import Finding, Level, Unseen
from tests.targets import findings

NOW = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
ANSWERED = Answered("POST http://a/x/profile", 200, "", 0.1)
REFUSED = replace(ANSWERED, status=404, problem=Unseen("answers 404", "name it"))
STEPS = steps("POST http://a/x/profile", "on", 900)
DONE = ProfilingFacts(
    NOW,
    dry_run=False,
    agent="x",
    steps=STEPS,
    until=NOW + dt.timedelta(minutes=15),
    on=ANSWERED,
    enabled_on=True,
    off=ANSWERED,
    enabled_off=False,
    safety="the flow run 7 would have switched it off",
)
PLANNED = ProfilingFacts(NOW, dry_run=True, agent="x", steps=STEPS)


def judged(seen: ProfilingFacts) -> dict[str, Finding]:
    return findings(PROFILING, seen)


def test_on_for_a_while_and_off_again_is_well() -> None:
    found = judged(DONE)
    assert {each.level for each in found.values()} == {Level.OK}
    assert found["PROFILE-RUN"].summary == "the profiling of x was on for 15 minutes"
    early = judged(replace(DONE, early=True))
    assert early["PROFILE-RUN"].summary.endswith("15 minutes, when somebody else had switched it off")


def test_the_steps_are_the_exact_requests() -> None:
    assert [step.exactly for step in STEPS] == [
        'POST http://a/x/profile {"enabled": true}',
        "for 15 minutes",
        'POST http://a/x/profile {"enabled": false}',
    ]
    assert len(steps("POST http://a/x/profile", "off", 900)) == 1


def test_a_dry_run_judges_nothing_but_the_plan() -> None:
    found = judged(PLANNED)
    assert set(found) == {"PROFILE-RUN", "PROFILE-RESUMED"}
    assert found["PROFILE-RUN"].summary == "the profiling of x would be switched; nothing was changed"


def test_switched_off_alone() -> None:
    only = replace(DONE, on=None, until=None, resumed=("y was switched off",))
    found = judged(only)
    assert found["PROFILE-RUN"].summary == "the profiling of x is off"
    assert set(found) == {"PROFILE-RUN", "PROFILE-OFF", "PROFILE-RESUMED"}
    assert found["PROFILE-RESUMED"].summary == "y was switched off"


def test_what_is_refused_contradicted_or_not_said_is_never_well() -> None:
    refused = judged(replace(DONE, on=REFUSED, off=None))
    assert refused["PROFILE-RUN"].level is refused["PROFILE-ON"].level is Level.CRITICAL
    assert "PROFILE-OFF" not in refused
    still_on = judged(replace(DONE, off=REFUSED))["PROFILE-OFF"]
    assert (still_on.level, still_on.action) == (Level.CRITICAL, "name it; then atomops resume switches it off")
    assert judged(replace(DONE, enabled_on=False))["PROFILE-ON"].level is Level.CRITICAL
    assert judged(replace(DONE, enabled_off=True))["PROFILE-OFF"].summary.startswith("it is not off: ")
    silent = judged(replace(DONE, enabled_on=None))["PROFILE-ON"]
    assert (silent.level, silent.summary) == (
        Level.UNKNOWN,
        "POST http://a/x/profile answers 200, but not whether it is on",
    )


def test_without_a_second_run_it_is_told_why() -> None:
    assert "PROFILE-SAFETY" not in judged(replace(DONE, safety=Unseen("no Prefect server is named")))


def test_what_could_not_begin_is_critical() -> None:
    outcome: Outcome[Any] = Outcome("the profiling", 0.1, unseen=Unseen("x is profiled already", "wait"))
    mine = [each for each in checks() if each.code == "PROFILE-RUN"]
    (finding,), _ = judge_all(mine, {ProfilingFacts: outcome}, {}, {})
    assert (finding.level, finding.summary, finding.action) == (Level.CRITICAL, "x is profiled already", "wait")
