"""What the checks make of a migration, as far as it came."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from atomops.facts.migration import (
    Approval,
    Attempt,
    BackupUsed,
    Downgraded,
    Execution,
    LintFinding,
    Loss,
    MigrationFacts,
    Refusal,
    Rehearsal,
    Revision,
    SchemaChange,
    TableLock,
    TableSize,
    TakenBack,
)
from atomops.facts.outcome import Outcome
from atomops.registry import checks, judge_all
from atomops.verdict import Finding, Level, Unseen

CHANGE = SchemaChange("column public.episode.summary", "", "text")
GONE = Unseen("it has gone", "look for it")
REHEARSAL = Rehearsal(
    backup="atom-1",
    restore_seconds=3,
    seconds=2,
    server_version="17.10",
    locks=(TableLock("public.episode", "AccessExclusiveLock", 0.4), TableLock("public.agent", "ShareLock", 0)),
    schema=(CHANGE,),
    rows={"public.agent": -2},
)
DONE = Execution(
    attempts=(
        Attempt(0.5, "a lock was not granted", "", ("psql (atom, backend 7, idle since 10:00:00 UTC)",)),
        Attempt(1),
    ),
    revisions=("b",),
    is_there=True,
    schema=(CHANGE,),
    rows={"agent": (20, 18), "episode": (5, 5)},
    ready_before=True,
    ready_seconds=0.2,
)
WHOLE = MigrationFacts(
    at=dt.datetime(2026, 11, 25, tzinfo=dt.UTC),
    action="upgrade",
    dry_run=False,
    current=("a",),
    heads=("b",),
    target="b",
    steps=(Revision("b", ("a",), message="Summaries.", path="versions/b.py", sha256="1"),),
    statements=("ALTER TABLE episode ADD COLUMN summary text",),
    sizes=(TableSize("public.episode", 100, 8192),),
    backup=BackupUsed("atom-1", dt.datetime(2026, 11, 25, tzinfo=dt.UTC), "/backups", 0.5, is_new=False),
    rehearsal=REHEARSAL,
    approval=Approval(granted=True, words="approved by Ada"),
    execution=DONE,
)


def judged(facts: MigrationFacts | None = None, **changed: Any) -> dict[str, Finding]:  # noqa: ANN401 - fields of the facts
    seen = replace(facts or WHOLE, **changed)
    findings, _ = judge_all(checks(), {MigrationFacts: Outcome("migration", 1, facts=seen)}, {}, {})
    return {finding.code: finding for finding in findings}


def level(code: str, **changed: Any) -> str:  # noqa: ANN401 - fields of the facts
    """Its level, or "" when the check had nothing to judge."""
    found = judged(**changed).get(code)
    return str(found.level) if found else ""


def rehearsed(**changed: Any) -> Rehearsal:  # noqa: ANN401 - fields of the facts
    return replace(REHEARSAL, **changed)


def executed(**changed: Any) -> Execution:  # noqa: ANN401 - fields of the facts
    return replace(DONE, **changed)


def test_a_migration_that_went_well_is_ok_and_tells_its_times_and_locks() -> None:
    found = judged()
    assert {finding.level for finding in found.values()} == {Level.OK}
    assert found["MIGRATION-RUN"].evidence is not None
    assert [row[0] for row in found["MIGRATION-RUN"].evidence.rows] == [
        "see to a proven backup, young enough",
        "rehearse on a copy of it",
        "run",
        "ALTER TABLE episode ADD COLUMN summary text",
        "verify",
    ]
    assert found["MIGRATION-RUN"].summary == "upgrade: was to go from a to b in 1 revision"
    assert found["MIGRATION-REHEARSAL-TIME"].summary == "2.0 s; restoring the copy took 3.0 s"
    assert "public.episode was closed to reads and writes for 400 ms" in found["MIGRATION-LOCKS"].summary
    assert found["MIGRATION-DONE"].summary == "at b, in 1.0 s at attempt 2"
    assert found["MIGRATION-DONE"].evidence is not None
    assert "psql (atom, backend 7" in found["MIGRATION-DONE"].evidence.rows[0][2]
    assert found["MIGRATION-APPROVAL"].summary == "approved by Ada"


def test_a_rehearsal_shows_its_times_locks_and_changes_step_by_step() -> None:
    changes = (
        CHANGE,
        SchemaChange("column a.b", "int", ""),
        SchemaChange("column a.c", "int", "bigint"),
        SchemaChange("schema s", "", ""),
    )
    found = judged(rehearsal=rehearsed(schema=changes, downgrade=Downgraded(1)))["MIGRATION-REHEARSED"]
    assert found.evidence is not None
    assert found.evidence.rows == (
        ("restored", "3.0 s"),
        ("migrated", "2.0 s"),
        ("locked public.episode", "AccessExclusiveLock for 400 ms: blocks reads and writes"),
        ("locked public.agent", "ShareLock for a moment: blocks writes"),
        ("column public.episode.summary", "new: text"),
        ("column a.b", "gone: int"),
        ("column a.c", "int -> bigint"),
        ("schema s", "new"),
        ("taken back", "1.0 s"),
    )


def test_what_cannot_be_shown_is_said_in_the_plan() -> None:
    plan = judged(statements=GONE, backup=GONE)["MIGRATION-RUN"].evidence
    assert plan is not None
    assert ("the statements cannot be shown", "it has gone") in plan.rows
    assert ("see to a proven backup, young enough", "it has gone") in plan.rows


def test_what_did_not_begin_is_critical_with_its_reason() -> None:
    outcome: Outcome[MigrationFacts] = Outcome("the migration", 1, unseen=GONE)
    findings, _ = judge_all(checks(), {MigrationFacts: outcome}, {}, {})
    found = {finding.code: finding for finding in findings}
    assert (found["MIGRATION-RUN"].level, found["MIGRATION-RUN"].summary) == (Level.CRITICAL, "it has gone")


def test_a_look_alone_has_nothing_to_tell_of_what_was_not_done() -> None:
    look = replace(WHOLE, backup=None, rehearsal=None, approval=None, execution=None)
    told = judged(look, action="show")
    assert not {"MIGRATION-REFUSED", "MIGRATION-BACKUP", "MIGRATION-REHEARSED", "MIGRATION-DONE"} & told.keys()
    assert told["MIGRATION-AMBIGUOUS"].level == Level.OK
    assert told["MIGRATION-RUN"].summary == "upgrade: would go from a to b in 1 revision".replace("upgrade", "show")
    nothing = judged(look, steps=(), current=(), heads=(), statements=(), dry_run=True)
    assert nothing["MIGRATION-RUN"].summary == "at no revision: nothing to upgrade"
    assert nothing["MIGRATION-STEPS"].summary == "no revisions to apply; the history ends at nothing"
    assert (
        judged(look, steps=(), action="show", current=GONE)["MIGRATION-RUN"].summary
        == "at it has gone: nothing to upgrade"
    )
    assert "take back" in judged(look, action="downgrade")["MIGRATION-STEPS"].summary


@pytest.mark.parametrize(
    ("code", "changed", "expected"),
    [
        ("MIGRATION-REFUSED", {"refusals": (Refusal("two heads", "name one"),)}, "CRITICAL"),
        ("MIGRATION-AMBIGUOUS", {"refusals": (Refusal("two heads", "name one"),), "action": "show"}, "WARNING"),
        ("MIGRATION-SCRIPTS", {"unread_scripts": ("a",)}, "WARNING"),
        ("MIGRATION-STATEMENTS", {"statements": GONE}, "UNKNOWN"),
        ("MIGRATION-LINT", {"lint": (LintFinding("ban-drop-column", 3, "no"),)}, "WARNING"),
        ("MIGRATION-LINT", {"lint": GONE}, "UNKNOWN"),
        ("MIGRATION-TABLES", {"sizes": ()}, ""),
        ("MIGRATION-BACKUP", {"backup": GONE}, "CRITICAL"),
        ("MIGRATION-BACKUP", {"backup": GONE, "dry_run": True}, "OK"),
        ("MIGRATION-BACKUP", {"backup": replace(WHOLE.backup, is_new=True)}, "OK"),  # type: ignore[type-var]
        ("MIGRATION-REHEARSED", {"rehearsal": GONE}, "UNKNOWN"),
        ("MIGRATION-REHEARSED", {"rehearsal": rehearsed(problem="it fails")}, "CRITICAL"),
        ("MIGRATION-REHEARSED", {"rehearsal": rehearsed(notes=("another locale",))}, "OK"),
        ("MIGRATION-REHEARSAL-TIME", {"rehearsal": rehearsed(downgrade=Downgraded(1))}, "OK"),
        ("MIGRATION-REHEARSAL-TIME", {"rehearsal": None}, ""),
        ("MIGRATION-LOCKS", {"rehearsal": rehearsed(locks=())}, "OK"),
        ("MIGRATION-LOCKS", {"rehearsal": rehearsed(locks=(TableLock("t", "RowExclusiveLock", 90),))}, "OK"),
        ("MIGRATION-LOCKS", {"rehearsal": rehearsed(locks=(TableLock("t", "ShareLock", 3),))}, "WARNING"),
        ("MIGRATION-LOCKS", {"rehearsal": None}, ""),
        ("MIGRATION-LOCK-TIMEOUT", {"rehearsal": rehearsed(keeps_settings=False)}, "WARNING"),
        ("MIGRATION-LOCK-TIMEOUT", {"rehearsal": rehearsed(keeps_settings=None)}, "UNKNOWN"),
        ("MIGRATION-LOCK-TIMEOUT", {"rehearsal": None}, ""),
        ("MIGRATION-SCHEMA-CHANGES", {"rehearsal": rehearsed(schema=())}, "OK"),
        ("MIGRATION-SCHEMA-CHANGES", {"rehearsal": None}, ""),
        ("MIGRATION-DATA-LOSS", {"rehearsal": rehearsed(losses=(Loss("the column a.b", 7),))}, "WARNING"),
        ("MIGRATION-DATA-LOSS", {"rehearsal": rehearsed(losses=(Loss("the column a.b", None),))}, "WARNING"),
        ("MIGRATION-DATA-LOSS", {"rehearsal": None}, ""),
        ("MIGRATION-WAY-BACK", {"rehearsal": rehearsed(downgrade=Downgraded(1))}, "OK"),
        ("MIGRATION-WAY-BACK", {"rehearsal": rehearsed(downgrade=Downgraded(1, ("t has no rows",)))}, "WARNING"),
        ("MIGRATION-WAY-BACK", {"rehearsal": rehearsed(downgrade=Downgraded(1, problem="no"))}, "WARNING"),
        ("MIGRATION-APPROVAL", {"approval": Approval(granted=False, words="refused by Ada")}, "WARNING"),
        ("MIGRATION-APPROVAL", {"approval": None}, ""),
        ("MIGRATION-APPROVAL", {"approval": None, "execution": None}, ""),
        ("MIGRATION-SCHEMA", {"rehearsal": None}, "OK"),
        ("MIGRATION-SCHEMA", {"rehearsal": None, "execution": executed(schema=())}, "OK"),
        ("MIGRATION-SCHEMA", {"execution": executed(schema=())}, "WARNING"),
        ("MIGRATION-SCHEMA", {"execution": executed(schema=GONE)}, "UNKNOWN"),
        ("MIGRATION-SCHEMA", {"execution": executed(is_there=False)}, ""),
        ("MIGRATION-SCHEMA", {"execution": None}, ""),
        ("MIGRATION-ROWS", {"execution": executed(rows={"agent": (20, 17)})}, "WARNING"),
        ("MIGRATION-ROWS", {"execution": executed(rows={"agent": (20, None)}), "rehearsal": None}, "WARNING"),
        ("MIGRATION-ROWS", {"execution": executed(rows={})}, ""),
        ("MIGRATION-ROWS", {"execution": None}, ""),
        ("MIGRATION-READY", {"execution": executed(ready_seconds=GONE)}, "CRITICAL"),
        ("MIGRATION-READY", {"execution": executed(ready_seconds=GONE, ready_before=False)}, "UNKNOWN"),
        ("MIGRATION-READY", {"execution": executed(ready_seconds=None)}, ""),
        ("MIGRATION-READY", {"execution": None}, ""),
        ("MIGRATION-TIME", {"execution": None}, ""),
        ("MIGRATION-DONE", {"execution": None, "dry_run": True}, ""),
    ],
)
def test_every_part_is_judged_by_itself(code: str, changed: dict[str, Any], expected: str) -> None:
    assert level(code, **changed) == expected


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {
                "attempts": (Attempt(1, "it failed", "mend it"),),
                "taken_back": TakenBack("rolled back", "rolled back whole"),
            },
            "it failed; rolled back whole",
        ),
        ({"revisions": GONE}, "its revision cannot be seen: it has gone; nothing was taken back"),
        ({"revisions": ()}, "but the database is at no revision"),
        (
            {"is_there": True, "unwell": GONE, "taken_back": TakenBack("downgraded", "taken back")},
            "it was done, but it has gone; taken back",
        ),
        (
            {"is_there": True, "taken_back": TakenBack("left", "left", "restore it")},
            "it was done, but it is not well; left",
        ),
    ],
)
def test_what_failed_says_why_and_what_became_of_it(changed: dict[str, Any], words: str) -> None:
    found = judged(execution=executed(**({"is_there": False, "attempts": (Attempt(1),)} | changed)))["MIGRATION-DONE"]
    assert found.level == Level.CRITICAL
    assert words in found.summary


def test_the_record_says_in_a_few_words_what_came_of_it() -> None:
    assert DONE.outcome == "done"
    failed = executed(attempts=(Attempt(1, "it failed"),), taken_back=TakenBack("rolled back", "rolled back whole"))
    assert failed.outcome == "it failed; rolled back whole"
    assert executed(unwell=GONE).outcome == "it has gone"
    assert DONE.is_well
    assert not executed(unwell=GONE).is_well
    assert WHOLE.is_clear
    assert WHOLE.went_well_on_a_copy
    assert not replace(WHOLE, rehearsal=None).went_well_on_a_copy
