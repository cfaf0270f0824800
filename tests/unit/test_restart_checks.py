"""What the checks make of a restart, and what its plan says."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from atomops.facts.outcome import Outcome
from atomops.facts.restart import RestartFacts
from atomops.facts.restore import Step
from atomops.facts.runtime import Instance, Running
from atomops.plans.restarting import steps
from atomops.registry import checks, judge_all
from atomops.verdict import Finding, Level, Unseen
from tests.targets import target

NOW = dt.datetime(2026, 11, 25, 14, 0, tzinfo=dt.UTC)
OLD = Running(
    "systemd", 1, (Instance("atom-os.service, process 31", "active (running)", is_ready=True, started_at=NOW),)
)
NEW = replace(OLD, instances=(replace(OLD.instances[0], name="atom-os.service, process 77", version="v2"),))
GOOD = RestartFacts(
    NOW,
    dry_run=False,
    runtime="unit atom-os.service",
    before=OLD,
    steps=(Step("restart", "systemctl restart atom-os.service"),),
    after=NEW,
    was_ready=True,
    took=2.5,
    downtime=1.5,
    refusals=30,
)


def judged(outcome: Outcome[RestartFacts]) -> tuple[dict[str, Finding], list[str]]:
    mine = [check for check in checks() if check.facts is RestartFacts]
    found, gaps = judge_all(mine, {RestartFacts: outcome}, {}, {})
    return {each.code: each for each in found}, [gap.reason for gap in gaps]


def of(**others: Any) -> tuple[dict[str, Finding], list[str]]:  # noqa: ANN401 - any of its fields
    return judged(Outcome("restart", 60, facts=replace(GOOD, **others)))


def test_a_good_restart_is_ok_throughout_and_shows_old_beside_new() -> None:
    found, gaps = of()
    assert {each.level for each in found.values()} == {Level.OK}
    assert gaps == []
    assert found["RESTART-RUN"].summary == "unit atom-os.service was restarted in 2.5 s"
    assert found["RESTART-DOWNTIME"].summary == "requests were refused for 1.5 s (30 refusals seen)"
    assert found["RESTART-NOT-UP"].summary == "1 of 1 instance serves"
    rows = found["RESTART-NOT-UP"].evidence
    assert rows is not None
    assert [rows.rows[0][0], rows.rows[0][3]] == ["atom-os.service, process 31", "atom-os.service, process 77 (v2)"]


def test_a_failed_one_is_critical_with_its_own_last_words_and_what_was_done_about_it() -> None:
    problem = Unseen("unit atom-os.service does not come up", "look at its journal")
    found, _ = of(problem=problem, said=("no licence found",), undone="taken back; it is ready again")
    assert found["RESTART-RUN"].level is Level.CRITICAL
    assert found["RESTART-RUN"].evidence is not None
    assert found["RESTART-RUN"].evidence.rows == (("no licence found",),)
    assert found["RESTART-TAKEN-BACK"].level is Level.WARNING
    silent, _ = of(problem=problem)
    assert silent["RESTART-RUN"].evidence is not None
    assert silent["RESTART-RUN"].evidence.columns == ("step", "exactly")


def test_what_serves_no_more_is_critical_and_what_nobody_could_look_at_is_unknown() -> None:
    failed = Instance("atom-os.service", "failed (failed)", is_ready=False, problem="exit-code, exit status 3")
    found, _ = of(after=replace(OLD, instances=(failed,), notes=("a note",)))
    assert found["RESTART-NOT-UP"].level is Level.CRITICAL
    assert found["RESTART-NOT-UP"].summary == "0 of 1 instance serve; a note"
    assert "atomops resume" in found["RESTART-NOT-UP"].action
    gone, _ = of(after=Running("systemd", 0))
    assert gone["RESTART-NOT-UP"].level is Level.CRITICAL
    unseen, _ = of(after=Unseen("systemd does not answer"))
    assert unseen["RESTART-NOT-UP"].level is Level.UNKNOWN


def test_a_dry_run_shows_its_plan_and_calls_nothing_well_that_it_has_not_tried() -> None:
    found, gaps = of(dry_run=True, after=None)
    assert found["RESTART-RUN"].summary == "unit atom-os.service would be restarted"
    assert gaps == ["downtime: dry run: nothing was restarted", "going back: dry run: nothing was restarted"]


def test_one_that_could_not_begin_says_why() -> None:
    found, _ = judged(Outcome("restart", 1, unseen=Unseen("restart-service cannot begin: busy", "wait")))
    assert found["RESTART-RUN"].level is Level.CRITICAL
    assert found["RESTART-RUN"].summary == "restart-service cannot begin: busy"
    assert found["RESTART-NOT-UP"].level is Level.UNKNOWN


def test_downtime_is_judged_only_where_somebody_could_ask() -> None:
    assert of(downtime=None)[0]["RESTART-DOWNTIME"].summary == "no request was refused"
    assert of(downtime=45.0)[0]["RESTART-DOWNTIME"].level is Level.WARNING
    assert of(was_ready=None, downtime=None)[1] == ["downtime: nobody could ask the application, add [targets.….app]"]


def test_what_a_killed_change_had_left_is_told() -> None:
    found, _ = of(resumed=("restore-database was killed", "the application runs as before"))
    assert found["RESTART-RESUMED"].observed == 2
    assert "restore-database was killed; " in found["RESTART-RESUMED"].summary


COMMAND = {"kind": "command", "stop": ["x"], "start": ["x"], "restart": ["make", "re start"], "status": ["x"]}


@pytest.mark.parametrize(
    ("runtime", "exactly"),
    [
        (COMMAND, ["make 're start'"]),
        ({"kind": "systemd", "unit": "atom-os.service"}, ["systemctl restart atom-os.service"]),
        ({"kind": "systemd", "unit": "a.service", "user": True}, ["systemctl --user restart a.service"]),
        ({"kind": "docker", "label": "app=atom"}, ["docker restart atom-os.service, process 31"]),
        (
            {"kind": "kubernetes", "deployment": "atom", "namespace": "prod"},
            ["kubectl --namespace prod rollout restart deployment/atom"],
        ),
        (
            {"kind": "kubernetes", "statefulset": "atom"},
            ["kubectl --namespace default rollout restart statefulset/atom"],
        ),
        ({"kind": "none"}, ["nothing: the inventory names no runtime"]),
        (None, ["nothing: the inventory names no runtime"]),
    ],
)
def test_the_plan_names_the_exact_command_of_every_runtime(runtime: dict[str, Any] | None, exactly: list[str]) -> None:
    plan = steps(target(runtime=runtime), OLD, settle=30, undo=False)
    assert [step.exactly for step in plan if step.what.startswith("restart")] == exactly
    assert plan[-1].exactly == "for 30.0 s"


def test_the_plan_says_what_is_waited_for_and_where_it_goes_back_to() -> None:
    runtime = {"kind": "kubernetes", "deployment": "atom"}
    at = target(runtime=runtime, app={"url": "http://atom.example.com"})
    plan = steps(at, replace(OLD, revision="7"), settle=30, undo=True)
    assert "at most 2 minutes: http://atom.example.com" in [step.exactly for step in plan]
    assert plan[-1].exactly == "to revision 7, with 1 replicas"
    unit = steps(target(runtime={"kind": "systemd", "unit": "a"}), OLD, settle=30, undo=True)
    assert "no earlier revision" in unit[-1].exactly


def test_the_plan_tells_a_changed_unit_file_and_that_nothing_runs_yet() -> None:
    at = target(runtime={"kind": "systemd", "unit": "a"})
    changed = replace(OLD, notes=("its unit files have changed: a restart takes them over",))
    assert "systemctl daemon-reload" in [step.exactly for step in steps(at, changed, settle=1, undo=False)]
    stopped = [step.what for step in steps(at, Running("systemd", 0), settle=1, undo=False)]
    assert "nothing runs now" in stopped
