"""What is to be done, what stands against it, and what is done when it fails: decided from facts alone."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.errors import AtomOpsError
from atomops.facts.migration import (
    Downgraded,
    Loss,
    Rehearsal,
    Revision,
    SchemaChange,
    TableLock,
    VersionTable,
)
from atomops.plans import migration as plan
from atomops.plans.locks import Tally, blocks, blocks_traffic
from atomops.plans.migration_failures import LockNotGranted, UnknownRevision, failure
from atomops.plans.revisions import History
from atomops.plans.sql_text import statements, tables
from atomops.verdict import Unseen
from tests.backup_sets import NIGHT, backup_set, contents

GRAPH = (  # the newest first, as alembic prints them: two branches that are merged
    Revision("m2", ("m1",)),
    Revision("m1", ("a1", "b1")),
    Revision("b1", ("root",), labels=("skills",)),
    Revision("a1", ("root",)),
    Revision("root"),
)
HISTORY = History(GRAPH)


def ids(found: tuple[Revision, ...]) -> list[str]:
    return [each.id for each in found]


def test_an_upgrade_applies_what_is_missing_and_nothing_before_what_it_builds_upon() -> None:
    target, steps, refusals = plan.course(HISTORY, ("a1",), "upgrade", "")
    assert (target, ids(steps), refusals) == ("m2", ["b1", "m1", "m2"], ())
    assert ids(plan.course(HISTORY, ("a1",), "upgrade", "m1")[1]) == ["b1", "m1"]
    assert ids(plan.course(HISTORY, ("m2",), "show", "head")[1]) == []


def test_a_downgrade_takes_back_what_builds_upon_its_target_and_leaves_the_other_branch() -> None:
    target, steps, _ = plan.course(HISTORY, ("m2",), "downgrade", "a1")
    assert (target, ids(steps)) == ("a1", ["m2", "m1"])
    assert ids(plan.course(HISTORY, ("m2",), "downgrade", "root")[1]) == ["m2", "m1", "b1", "a1"]


@pytest.mark.parametrize(
    ("current", "action", "revision", "reason"),
    [
        (("m2",), "downgrade", "", "named revision only"),
        (("a1",), "downgrade", "b1", "b1 is not applied"),
        (("m2",), "upgrade", "a1", "a1 is applied already"),
        (("m2",), "upgrade", "mm", "no script has the revision 'mm'"),
        (("m2",), "upgrade", "zzzz", "no script has the revision 'zzzz'"),
        (("root",), "upgrade", "m", "'m' may be m1, m2"),
        (("root",), "upgrade", "-1", "names no revision by itself"),
        (("root",), "upgrade", "heads", "names no revision by itself"),
        ((), "upgrade", "", "not stamped"),
        (Unseen("no script has the revision x", "deploy it"), "upgrade", "", "no script has the revision x"),
    ],
)
def test_whatever_is_ambiguous_is_refused(current: tuple[str, ...], action: str, revision: str, reason: str) -> None:
    _, _, refusals = plan.course(HISTORY, current, action, revision)  # type: ignore[arg-type]
    assert reason in refusals[0].reason
    assert refusals[0].action


def test_several_heads_are_refused_until_one_is_named() -> None:
    several = History(GRAPH[2:])
    assert several.heads == ("b1", "a1")
    assert "2 heads" in plan.course(several, ("root",), "upgrade", "")[2][0].reason
    assert ids(plan.course(several, ("root",), "upgrade", "a")[1]) == ["a1"]
    assert "alembic stamp REVISION" in plan.course(several, (), "upgrade", "a1")[2][0].action
    assert "no script at all" in plan.course(History(()), ("a1",), "upgrade", "")[2][0].reason


def test_what_a_revision_depends_on_comes_before_it_also_by_its_label() -> None:
    depending = History((Revision("x", ("root",), depends_on=("skills",)), *GRAPH[2:]))
    assert ids(plan.course(depending, ("root",), "upgrade", "x")[1]) == ["b1", "x"]


@given(st.data())
def test_an_upgrade_can_always_be_applied_in_its_order(data: st.DataObject) -> None:
    number = data.draw(st.integers(1, 12))
    made = [
        Revision(f"r{each}", tuple(f"r{before}" for before in data.draw(st.sets(st.integers(0, each - 1), max_size=3))))
        if each
        else Revision("r0")
        for each in range(number)
    ]
    history = History(tuple(data.draw(st.permutations(made))))
    done: set[str] = set()
    for step in history.upwards(each.id for each in made):
        assert set(step.parents) <= done
        done.add(step.id)
    assert done == {each.id for each in made}


def test_a_script_that_was_edited_after_it_was_run_is_refused_by_its_hash() -> None:
    applied = (Revision("a", sha256="1"), Revision("b", sha256="2"), Revision("c"))
    (refusal,) = plan.edited(applied, {"a": "1", "b": "other", "c": "3"}, "/history/migrations.json")
    assert "script of b was edited" in refusal.reason
    assert "remove b from /history/migrations.json" in refusal.action


def test_an_alembic_that_looks_at_another_database_is_refused() -> None:
    assert list(plan.of_another_database(("a",), VersionTable(("a",)))) == []
    assert list(plan.of_another_database(("a",), None)) == []
    assert list(plan.of_another_database(Unseen(""), VersionTable(("a",)))) == []
    (refusal,) = plan.of_another_database((), VersionTable(("b",)))
    assert refusal.reason == "alembic is at no revision, alembic_version of our database at b"
    (refusal,) = plan.of_another_database(("a",), VersionTable(()))
    assert refusal.reason.endswith("at none")


def test_an_id_that_has_no_room_is_refused_unless_a_step_makes_room() -> None:
    long, table = Revision("x" * 40), VersionTable(("a",), 32)
    (refusal,) = plan.too_long([long], table, ("ALTER TABLE t ADD c int",))
    assert "has 40 characters, alembic_version has room for 32" in refusal.reason
    widening = ("ALTER TABLE alembic_version ALTER COLUMN version_num TYPE varchar(128)",)
    assert list(plan.too_long([long], table, widening)) == []
    assert list(plan.too_long([long], table, Unseen(""))) == []
    assert list(plan.too_long([long], replace(table, width=None), ())) == []
    assert list(plan.too_long([long], None, ())) == []
    assert list(plan.too_long([Revision("short")], table, ())) == []


def test_the_backup_is_the_youngest_proven_one_of_that_database_and_revision() -> None:
    sets = [backup_set(2), backup_set(1), backup_set(0, proven=False), backup_set(0, database="other")]
    found = plan.newest_proven(sets, "atom")
    assert found == sets[1]
    assert plan.newest_proven([], "atom") is None
    assert plan.age_hours(sets[1], NIGHT) == 24
    assert plan.fits(sets[1], ("a",))
    origin = replace(sets[1].manifest.origin, migration="a, b")
    told = replace(sets[1], manifest=replace(sets[1].manifest, origin=origin))
    assert plan.fits(told, ("b", "a"))
    assert not plan.fits(told, ("a",))
    assert dt.timedelta(hours=plan.age_hours(told, NIGHT)) == dt.timedelta(days=1)


def test_what_becomes_of_the_schema_is_told_object_by_object_and_what_goes_with_it() -> None:
    before = {"table s.t": "p", "column s.t.a": "int", "column s.u.b": "int", "table s.u": "p", "index s.i": "x"}
    after = {"table s.u": "p", "index s.i": "x INVALID", "schema n": ""}
    changes = plan.schema_changes(before, after)
    assert [each.thing for each in changes] == ["column s.t.a", "column s.u.b", "index s.i", "schema n", "table s.t"]
    assert plan.gone(changes, after) == (("s.t",), ("s.u.b",))


def test_losses_are_rows_and_values_and_what_is_empty_is_none() -> None:
    before, after = contents(dropped=4, empty=0, shrunk=9, same=1), contents(shrunk=7, same=1, new=2)
    rows = plan.row_changes(before, after)
    assert rows == {"dropped": -4, "new": 2, "shrunk": -2}
    found = plan.losses(before, rows, ("dropped", "empty"), {"same.a": 3, "same.b": 0, "same.c": None})
    assert found == (
        Loss("the table dropped", 4),
        Loss("the column same.a", 3),
        Loss("the column same.c", None),
        Loss("rows of shrunk", 2),
    )


LOSSLESS = Rehearsal("set", 1, 1, "17.10", downgrade=Downgraded(1))
CHANGE = SchemaChange("index public.i", "", "CREATE INDEX i INVALID")


def test_what_failed_in_a_transaction_is_rolled_back_already() -> None:
    back = plan.way_back(("a",), ("a",), (), None, "restore it")
    assert back is not None
    assert back.way == "rolled back"


def test_what_was_left_outside_of_a_transaction_is_named() -> None:
    back = plan.way_back(("a",), ("a",), (CHANGE,), LOSSLESS, "restore it")
    assert back is not None
    assert (back.way, "1 change: index public.i" in back.words) == ("left", True)
    assert "restore it" in back.action


def test_a_downgrade_is_done_only_when_it_is_proven_to_lose_nothing() -> None:
    assert plan.way_back(("a",), ("b",), (CHANGE,), LOSSLESS, "restore it") is None
    for lossy in (
        None,
        Unseen(""),
        replace(LOSSLESS, downgrade=None),
        replace(LOSSLESS, downgrade=Downgraded(1, ("x",))),
    ):
        back = plan.way_back(("a",), ("b",), (CHANGE,), lossy, "restore it")
        assert back is not None
        assert "stays at b" in back.words
        assert "restore it" in back.action
    assert not replace(LOSSLESS, downgrade=Downgraded(1, problem="it failed")).downgrade.is_lossless  # type: ignore[union-attr]


@pytest.mark.parametrize(("now", "schema"), [(Unseen("gone"), ()), (("b",), Unseen("gone"))])
def test_where_nobody_knows_what_was_left_nothing_is_done(
    now: tuple[str, ...], schema: tuple[SchemaChange, ...]
) -> None:
    back = plan.way_back(("a",), now, schema, LOSSLESS, "restore it")
    assert back is not None
    assert back.words == "nobody knows what it has left: gone"


def test_the_restore_is_a_command_that_can_be_copied() -> None:
    told = plan.restore_command("production", "atom-1")
    assert told == "atomops run restore-database --target production --set backup=atom-1 --set dry_run=false"


def test_the_strongest_lock_of_each_table_is_told_with_how_long_it_was_held() -> None:
    tally = Tally()
    tally.add(1.0, [(7, "public.t", "AccessShareLock")])
    tally.add(1.5, [(7, "public.t", "AccessExclusiveLock"), (7, "public.t", "AccessShareLock")])
    tally.add(2.0, [(7, "public.t", "AccessExclusiveLock"), (8, "public.u", "ShareLock")])
    tally.add(2.0, [(8, "public.u", "AccessShareLock")])
    tally.add(9.0, [])
    assert tally.strongest() == (
        TableLock("public.t", "AccessExclusiveLock", 0.5),
        TableLock("public.u", "ShareLock", 0.0),
    )


def test_locks_are_told_by_what_they_keep_others_from() -> None:
    assert blocks("AccessExclusiveLock") == "reads and writes"
    assert blocks("ShareLock") == "writes"
    assert blocks("RowExclusiveLock") == "changes of the schema only"
    assert blocks("A lock of the future") == "reads and writes"
    assert [blocks_traffic(mode) for mode in ("ShareUpdateExclusiveLock", "ShareLock")] == [False, True]


def test_sql_is_cut_into_its_statements_whatever_is_quoted_in_it() -> None:
    text = """
    BEGIN;
    -- a comment; with a semicolon
    INSERT INTO t VALUES ('a;b', E'c\\';d', "x;y");
    CREATE FUNCTION f() RETURNS text AS $body$ SELECT ';' $body$ LANGUAGE sql; /* ; */
    COMMIT;
    SELECT 1"""
    assert statements(text) == (
        "BEGIN",
        """INSERT INTO t VALUES ('a;b', E'c\\';d', "x;y")""",
        "CREATE FUNCTION f() RETURNS text AS $body$ SELECT ';' $body$ LANGUAGE sql",
        "COMMIT",
        "SELECT 1",
    )


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("ALTER TABLE ONLY public.t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u (id)", ("public.t", "u")),
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON agent_execution (ticket)", ("agent_execution",)),
        ('UPDATE "Odd Name" SET a = 1', ('"Odd Name"',)),
        ("DELETE FROM t WHERE a IN (SELECT 1)", ("t",)),
        ("INSERT INTO t SELECT 1", ("t",)),
        ("DROP TABLE IF EXISTS t", ("t",)),
        ("TRUNCATE t", ("t",)),
        ("LOCK TABLE t IN SHARE MODE", ("t",)),
        ("SELECT pg_sleep(1)", ()),
    ],
)
def test_the_tables_that_a_statement_names(statement: str, named: tuple[str, ...]) -> None:
    assert tables(statement) == named


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("ValueError: invalid interpolation syntax in '***' at position 3", AtomOpsError, "password_in_url = false"),
        ("FAILED: Can't locate revision identified by 'abc'", UnknownRevision, "no script has the revision abc"),
        ("No such revision or branch 'abc'", UnknownRevision, "no script has the revision abc"),
        ("Revision x referenced from x -> y (head), is not present", UnknownRevision, "script of x is missing"),
        ("(psycopg.errors.LockNotAvailable) canceling statement due to lock timeout", LockNotGranted, "PG-LOCK-WAIT"),
        ("value too long for type character varying(32) [SQL: UPDATE alembic_version", AtomOpsError, "varchar(255)"),
        ("ModuleNotFoundError: No module named 'atom'", AtomOpsError, "lacks what it imports: No module named 'atom'"),
        ("KeyError: 'DATABASE_URL'", AtomOpsError, "misses something: 'DATABASE_URL'"),
        ("ZeroDivisionError: division by zero", AtomOpsError, "the script that it names"),
    ],
)
def test_a_failure_says_what_it_means_and_what_to_do(said: str, kind: type[AtomOpsError], words: str) -> None:
    error = failure("alembic upgrade", said, "its last words")
    assert isinstance(error, kind)
    assert words in str(error)
    assert "its last words" in str(error)
