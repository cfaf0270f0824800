"""What the checks make of a drill."""

import datetime as dt
from dataclasses import replace

import pytest

from atomops.facts.drill import LIVE, REMEMBERED, SCRATCH, DrillFacts, Past, Trial
from atomops.facts.outcome import Outcome
from atomops.facts.restore import Source
from atomops.probes.parts import DRILL
from atomops.registry import checks, judge_all
from atomops.verdict import Finding, Gap, Level, Unseen
from tests.backup_sets import NIGHT, backup_set
from tests.targets import findings

SOURCE = Source.of(backup_set(), "/backups")
SECONDS = {"read": 1.0, "restore": 5.0, "analyze": 1.0, "compare": 2.0}
GOOD = Trial("/backups", "atom", SOURCE, SECONDS, tables=1, rows=3, notes=("a note",))
SLOW = replace(GOOD, store="s3://b", seconds={**SECONDS, "read": 9.0})
SILENT = Unseen("s3://b does not answer", "look at it")
PAST = Past(NIGHT - dt.timedelta(days=7), SCRATCH, 60, {"/backups": 40, "s3://b": 60})
DRILLED = DrillFacts(
    NIGHT + dt.timedelta(hours=2),
    dry_run=False,
    where=SCRATCH,
    server="on a scratch server of here, PostgreSQL 17.10",
    every_hours=24,
    trials=(GOOD, SLOW),
)


def judged(facts: DrillFacts) -> tuple[dict[str, Finding], list[Gap]]:
    mine = [check for check in checks() if check.facts is DrillFacts]
    found, gaps = judge_all(mine, {DrillFacts: Outcome("drill", 60, facts=facts)}, {}, {})
    return {each.code: each for each in found}, gaps


def test_a_good_drill_is_ok_and_tells_every_step_from_every_store() -> None:
    found, gaps = judged(replace(DRILLED, cleared=("atom_incoming_1",)))
    assert {each.level for each in found.values()} == {Level.OK}
    assert gaps == []
    assert found["DRILL-FAILED"].summary == "2 sets restored, 2 tables and 6 rows equal"
    assert found["DRILL-FAILED"].evidence is not None
    assert found["DRILL-FAILED"].evidence.rows[1][1:] == (
        *("s3://b", "9.0 s", "5.0 s", "1.0 s", "2.0 s", "17.0 s", "517.0 KiB/s", "a note"),
    )
    assert (
        "; left by killed runs and removed: atom_incoming_1; everything could be back within 17.0 s"
        in found["DRILL-RUN"].summary
    )
    assert found["DRILL-RUN"].evidence is not None
    assert found["DRILL-RUN"].evidence.rows[0] == (
        f"{SOURCE.id} from /backups",
        "2026-11-24 02:00 UTC, 3.9 KiB, 1 table, 3 rows",
        "every row equal after 9.0 s: read 1.0 s, restore 5.0 s, analyze 1.0 s, compare 2.0 s",
    )
    assert found["DRILL-TIME"].summary == "everything from s3://b was back after 17.0 s"
    assert found["DRILL-TIME"].series == {"/backups": 9.0, "s3://b": 17.0}
    assert found["DRILL-RATE"].summary == "517.0 KiB a second from s3://b"
    assert found["DRILL-SET-AGE"].summary == "the newest set of atom in /backups is 2 hours old"


def test_the_promise_is_the_slowest_of_the_last_drills_of_that_kind() -> None:
    elsewhere = replace(PAST, where=LIVE, seconds=900)
    promise = findings(DRILL, replace(DRILLED, earlier=(elsewhere, PAST)))["DRILL-RECOVERY-TIME"]
    assert promise.observed == 60
    assert promise.summary.startswith("everything could be back within 1 minute: the slowest of 2 drills, on a scratch")
    assert promise.evidence is not None
    assert [row[2] for row in promise.evidence.rows] == ["17.0 s", "1 minute", "15 minutes"]
    longer = replace(DRILLED, earlier=(replace(PAST, seconds=61),))
    assert "back within 2 minutes" in findings(DRILL, longer)["DRILL-RUN"].summary, "a promise is rounded up"
    beside = findings(DRILL, replace(DRILLED, where=LIVE, earlier=(elsewhere,)))["DRILL-RECOVERY-TIME"]
    assert beside.summary == "everything could be back within 15 minutes: the slowest of 2 drills"


def test_old_drills_are_forgotten_and_others_than_whole_ones_do_not_count() -> None:
    earlier = (replace(PAST, seconds=500), *(PAST for _ in range(REMEMBERED - 1)))
    assert replace(DRILLED, earlier=earlier).past[0] == PAST
    assert replace(DRILLED, earlier=earlier, is_whole=False).past == earlier
    assert replace(DRILLED, earlier=earlier, dry_run=True).past == earlier


def test_a_set_that_does_not_come_back_is_critical_and_its_store_promises_nothing() -> None:
    failed = replace(
        SLOW, failure="the restored copy is not what was dumped", differences=("a has 2 rows", "b is gone")
    )
    found, _ = judged(replace(DRILLED, trials=(GOOD, failed)))
    assert found["DRILL-FAILED"].level is Level.CRITICAL
    assert found["DRILL-FAILED"].evidence is not None
    assert [row[3] for row in found["DRILL-FAILED"].evidence.rows] == ["a has 2 rows", "b is gone"]
    unreadable = replace(GOOD, seconds={}, problem=SILENT)
    run = findings(DRILL, replace(DRILLED, trials=(failed, unreadable)))["DRILL-RUN"].evidence
    assert run is not None
    assert [row[2].partition(":")[0] for row in run.rows] == ["failed", "unknown"]
    assert found["DRILL-FAILED"].summary == f"{SOURCE.id} in s3://b: the restored copy is not what was dumped"
    damaged = replace(SLOW, failure=f"{SOURCE.id} in s3://b is damaged")
    assert findings(DRILL, replace(DRILLED, trials=(damaged,)))["DRILL-FAILED"].summary == damaged.failure
    assert found["DRILL-TIME"].observed == 9
    assert set(found["DRILL-TIME"].series) == {"/backups", "s3://b"}


def test_what_could_not_be_tried_is_unknown_and_nothing_of_it_is_called_fine() -> None:
    silent = Trial("s3://b", "atom", problem=SILENT)
    found, gaps = judged(replace(DRILLED, trials=(silent,)))
    assert {code: each.level for code, each in found.items() if each.level is not Level.OK} == {
        "DRILL-UNTRIED": Level.UNKNOWN,
        "DRILL-MISSING": Level.UNKNOWN,
        "DRILL-RECOVERY-TIME": Level.UNKNOWN,
    }
    assert found["DRILL-UNTRIED"].action == "look at it"
    assert Gap("Drill", "failures: no set was restored") in gaps
    assert {each.reason.split(":")[0] for each in gaps} == {
        "age of the sets",
        "failures",
        "rate of the drill",
        "time of the drill",
    }


def test_a_store_without_a_set_is_critical_while_others_have_one() -> None:
    found, _ = judged(replace(DRILLED, trials=(GOOD, Trial("/empty", "atom"))))
    assert found["DRILL-MISSING"].level is Level.CRITICAL
    assert found["DRILL-MISSING"].summary == "/empty has no set of atom"
    assert found["DRILL-UNTRIED"].level is Level.OK
    assert found["DRILL-TIME"].series["/backups"] == 9


@pytest.mark.parametrize(("hours", "level"), [(29, Level.OK), (30, Level.WARNING), (48, Level.CRITICAL)])
def test_a_set_that_is_older_than_the_schedule_is_told(hours: int, level: Level) -> None:
    age = findings(DRILL, replace(DRILLED, at=NIGHT + dt.timedelta(hours=hours)))["DRILL-SET-AGE"]
    assert age.level is level
    assert bool(age.action) == (level is not Level.OK)


def test_another_place_than_the_one_that_was_wanted_is_a_warning_with_the_statement_that_helps() -> None:
    why = Unseen("atom may not create databases on db", 'ALTER ROLE "atom" CREATEDB')
    found = findings(DRILL, replace(DRILLED, not_live=why))["DRILL-PLACE"]
    assert found.level is Level.WARNING
    assert found.action == 'ALTER ROLE "atom" CREATEDB'


def test_a_dry_run_says_what_would_be_tried_and_measures_nothing() -> None:
    planned = tuple(replace(each, seconds={}) for each in DRILLED.trials)
    found, gaps = judged(replace(DRILLED, trials=planned, dry_run=True))
    assert found["DRILL-RUN"].summary.startswith("2 sets would be tried on a scratch server of here")
    assert found["DRILL-PLACE"].summary.startswith("would be restored on")
    assert not {"DRILL-FAILED", "DRILL-UNTRIED", "DRILL-TIME", "DRILL-RATE", "DRILL-RECOVERY-TIME"} & found.keys()
    assert len(gaps) == 5
    again = findings(DRILL, replace(DRILLED, trials=planned, dry_run=True, earlier=(PAST,)))
    assert again["DRILL-RECOVERY-TIME"].observed == 60


def test_a_drill_that_could_not_begin_is_critical_and_one_without_any_set_shows_no_table() -> None:
    mine = [check for check in checks() if check.facts is DrillFacts]
    busy: Outcome[DrillFacts] = Outcome("drill", 1, unseen=Unseen("production is being changed by ...", "wait"))
    found, _ = judge_all(mine, {DrillFacts: busy}, {}, {})
    assert [each.code for each in found if each.level is Level.CRITICAL] == ["DRILL-RUN"]
    bare = findings(DRILL, replace(DRILLED, trials=(Trial("/empty", "atom"),)))
    assert bare["DRILL-RUN"].evidence is None
    assert Trial("/empty", "atom").rate == 0
