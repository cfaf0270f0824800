"""What the checks make of a restore."""

from dataclasses import replace

import pytest

from atomops.facts.backup import Obstacle
from atomops.facts.outcome import Outcome
from atomops.facts.restore import BESIDE, STOP, SWAP, TABLES, Copy, Exchange, RestoreFacts, Source, Step
from atomops.probes.parts import RESTORE
from atomops.registry import checks, judge_all
from atomops.verdict import Finding, Gap, Level, Unseen
from tests.backup_sets import NIGHT, backup_set
from tests.targets import findings

COPY = Copy("atom_incoming", 9, 22_000, {"restore": 2.0, "compare": 1.0}, notes=("a note",))
EXCHANGE = Exchange("atom_replaced", NIGHT, 0.05, ("psql (ann from local)",), is_ready=True, downtime=2.5, refusals=9)
GOOD = RestoreFacts(
    NIGHT,
    dry_run=False,
    mode=SWAP,
    quiesce=STOP,
    database="atom",
    steps=(Step("restore", "pg_restore"),),
    source=Source.of(backup_set(), "/backups"),
    copy=COPY,
    exchange=EXCHANGE,
)


def judged(facts: RestoreFacts) -> tuple[dict[str, Finding], list[Gap]]:
    mine = [check for check in checks() if check.facts is RestoreFacts]
    found, gaps = judge_all(mine, {RestoreFacts: Outcome("restore", 60, facts=facts)}, {}, {})
    return {each.code: each for each in found}, gaps


def test_a_good_restore_is_ok_throughout_and_says_what_it_cost() -> None:
    found, gaps = judged(replace(GOOD, safety="atom-2", cleared=("atom_incoming_1",)))
    assert {each.level for each in found.values()} == {Level.OK}
    assert gaps == []
    assert found["RESTORE-DOWNTIME"].summary == "requests were refused for 2.5 s (9 refusals seen)"
    assert found["RESTORE-COPY-DIFFERS"].summary == "9 tables, 22,000 rows equal; a note"
    assert found["RESTORE-RUN"].summary.endswith("restored as atom; requests were refused for 2.5 s (1 minute)")
    assert "backup=previous" in found["RESTORE-KEPT"].action
    assert "atom_incoming_1" in found["RESTORE-CLEARED"].summary


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"dry_run": True, "copy": None, "exchange": None}, "1 step would bring back"),
        ({"mode": BESIDE, "exchange": None}, "restored beside the live database, and removed again"),
        ({"mode": TABLES, "exchange": None, "schema": "restored_1"}, "restored into the schema restored_1"),
        ({"source": None, "copy": None}, "the replaced database restored as atom"),
    ],
)
def test_what_was_done_is_said_and_what_was_not_looked_at_is_no_ok(given: dict[str, object], told: str) -> None:
    found, gaps = judged(replace(GOOD, **given))  # type: ignore[arg-type]  # given by name, as they are
    assert told in found["RESTORE-RUN"].summary
    assert len(found) + len(gaps) == 11
    assert gaps


def test_every_obstacle_is_shown_with_the_statement_that_removes_it() -> None:
    missing = Obstacle("the role bob", "the server does not have it", "CREATE ROLE bob")
    found, gaps = judged(replace(GOOD, obstacles=(missing,), copy=None, exchange=None))
    assert found["RESTORE-OBSTACLES"].level is Level.CRITICAL
    assert found["RESTORE-OBSTACLES"].action == "CREATE ROLE bob"
    assert "nothing was done" in found["RESTORE-RUN"].summary
    assert "there were obstacles" in gaps[0].reason
    assert findings(RESTORE, replace(GOOD, notes=("a slot stays",)))["RESTORE-OBSTACLES"].summary.endswith(
        "a slot stays"
    )


def test_a_step_that_failed_is_critical_and_says_that_nothing_else_was_done() -> None:
    problem = Unseen("the disk is full", "free some space")
    found, gaps = judged(replace(GOOD, problem=problem, copy=None, exchange=None))
    assert found["RESTORE-RUN"].level is Level.CRITICAL
    assert found["RESTORE-RUN"].action == "free some space"
    assert {gap.reason.rpartition(": ")[2] for gap in gaps} == {"an earlier step failed"}


def test_a_copy_that_differs_is_critical() -> None:
    found = findings(RESTORE, replace(GOOD, copy=replace(COPY, differences=("the table a is missing",)), exchange=None))
    assert found["RESTORE-COPY-DIFFERS"].level is Level.CRITICAL


def test_a_setting_that_was_lost_is_a_warning_and_names_it() -> None:
    found = findings(RESTORE, replace(GOOD, copy=replace(COPY, lost=("ALTER DATABASE a SET b TO 'c': refused",))))
    assert found["RESTORE-SETTINGS-LOST"].level is Level.WARNING
    assert "SET b" in found["RESTORE-SETTINGS-LOST"].summary


def test_an_application_that_did_not_run_before_is_not_asked_and_not_unknown() -> None:
    stopped = replace(EXCHANGE, is_ready=None, downtime=None, unasked="it did not run before")
    _, gaps = judged(replace(GOOD, exchange=stopped))
    assert [gap.reason for gap in gaps] == ["readiness: it did not run before", "downtime: it did not run before"]


def test_a_set_that_nobody_has_restored_is_a_warning() -> None:
    found = findings(RESTORE, replace(GOOD, source=Source.of(backup_set(proven=False), "/backups")))
    assert found["RESTORE-SET-UNPROVEN"].level is Level.WARNING


def test_a_way_back_is_critical_however_well_it_went() -> None:
    found = findings(RESTORE, replace(GOOD, exchange=replace(EXCHANGE, went_back="it was not ready")))
    assert found["RESTORE-WENT-BACK"].level is Level.CRITICAL
    assert found["RESTORE-NOT-READY"].level is Level.OK
    assert found["RESTORE-KEPT"].action == ""
    evidence = found["RESTORE-KEPT"].evidence
    assert evidence is not None
    assert evidence.rows[0][0] == "the refused copy"
    still = Unseen("it does not start", "look at its log")
    down = findings(RESTORE, replace(GOOD, exchange=replace(EXCHANGE, went_back="it was not ready", problem=still)))
    assert "previous" not in down["RESTORE-NOT-READY"].action


def test_an_application_that_does_not_serve_is_critical_and_one_that_nobody_can_ask_is_unknown() -> None:
    down = replace(EXCHANGE, problem=Unseen("it does not start", "look at its log"), is_ready=False)
    assert findings(RESTORE, replace(GOOD, exchange=down))["RESTORE-NOT-READY"].level is Level.CRITICAL
    unasked, gaps = judged(replace(GOOD, exchange=replace(EXCHANGE, is_ready=None, downtime=None)))
    assert unasked["RESTORE-NOT-READY"].level is Level.UNKNOWN
    assert [gap.reason for gap in gaps] == ["downtime: nobody could ask the application"]


def test_a_database_that_nobody_used_before_needs_no_application_that_says_so() -> None:
    new = replace(EXCHANGE, kept="", is_ready=None, downtime=None)
    _, gaps = judged(replace(GOOD, exchange=new))
    assert "readiness: no application is configured, and none used this database before" in [gap.reason for gap in gaps]


def test_no_refused_request_is_no_downtime() -> None:
    found = findings(RESTORE, replace(GOOD, exchange=replace(EXCHANGE, downtime=None, ended_sessions=())))
    assert found["RESTORE-DOWNTIME"].summary == "no request was refused"


def test_where_nothing_was_replaced_nothing_is_kept() -> None:
    _, gaps = judged(replace(GOOD, exchange=replace(EXCHANGE, kept="")))
    assert [gap.reason for gap in gaps] == ["what is kept: nothing was replaced"]


def test_a_restore_that_could_not_begin_is_critical_and_the_rest_unknown() -> None:
    mine = [check for check in checks() if check.facts is RestoreFacts]
    busy: Outcome[RestoreFacts] = Outcome("restore", 1, unseen=Unseen("production is being changed by ...", "wait"))
    found, _ = judge_all(mine, {RestoreFacts: busy}, {}, {})
    assert [each.code for each in found if each.level is Level.CRITICAL] == ["RESTORE-RUN"]
