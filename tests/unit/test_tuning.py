"""What is changed of the slow log, refused and taken back, which index one could try, and what checks make of it."""

from dataclasses import replace
from typing import Any

import pytest

from atomops.facts.outcome import Outcome
from atomops.facts.tuning import (
    Column,
    FileError,
    Override,
    Remembered,
    ScannedTable,
    Setting,
    SlowLog,
    SlowStatement,
    TuningFacts,
)
from atomops.plans.indexing import candidates
from atomops.plans.slow_log import (
    Rights,
    TuningWish,
    confirmed,
    milliseconds,
    obstacle,
    rights_missing,
    statement,
    step,
    unread,
)
from atomops.registry import checks, judge_all
from atomops.verdict import Finding, Gap, Level, Unseen
from tests.unit.vacuum_samples import AT

AUTO = "/data/postgresql.auto.conf"
HIDDEN = Unseen("the role tuner may not read what the files say", "GRANT ...")
FRESH = SlowLog(Setting("-1", "default", None, None, pending_restart=False), None, None)
SET = SlowLog(Setting("1000", "configuration file", AUTO, 3, pending_restart=False), "1000", None)
RIGHTS = Rights("tuner", "atom", 170_000, False, False, True, True, True, True)  # noqa: FBT003 - nine columns of a row
NEW = Remembered(AT, "server", "atom", None, "1000", "a run")
KEPT = replace(NEW, before="2s")


def slow(text: str, **given: Any) -> SlowStatement:  # noqa: ANN401 - as the fields are
    made = SlowStatement(text, 10, 0.5, 2, 5, 0.5, 100, 0.9, 0, None, text=text)
    return replace(made, **given)


def table(*columns: Column, name: str = "tickets") -> ScannedTable:
    return ScannedTable("public", name, 20_000, 8192, 30, 600_000, 1, columns)


def facts(**given: Any) -> TuningFacts:  # noqa: ANN401 - as the fields are
    made = TuningFacts(
        at=AT,
        dry_run=False,
        where="PostgreSQL here:5432/atom",
        version="17.10",
        asked="the server logs statements of 1,000 ms or more",
        scope="server",
        before=FRESH,
        statements=(slow("SELECT 1"),),
        tables=(),
        plan=("ALTER SYSTEM ...", "SELECT pg_reload_conf()"),
        remembered=NEW,
        after=SET,
        confirmed=True,
    )
    return replace(made, **given)


def judged(seen: TuningFacts) -> tuple[dict[str, Finding], list[Gap]]:
    found, gaps = judge_all(checks(), {TuningFacts: Outcome("tuning", 1, facts=seen)}, {}, {})
    return {each.code: each for each in found}, gaps


def test_values_are_read_as_the_server_reads_them() -> None:
    values = ("1000", "1s", "1.5 s", "2min", "250us", "-1", None, "soon")
    assert [milliseconds(each) for each in values] == [1000, 1000, 1500, 120_000, 0.25, -1, None, None]


def test_a_wish_says_what_it_is() -> None:
    assert not TuningWish().changes
    assert TuningWish().sentence == "report only"
    assert TuningWish(-1).sentence == "the server logs no slow statements any more"
    assert TuningWish(500, scope="database").sentence == "the database logs statements of 500 ms or more"
    assert TuningWish(undo=True).sentence == "go back to what the server logged before"


def test_what_is_there_is_remembered_before_the_first_change_only() -> None:
    first = step(TuningWish(1000), FRESH, None, NEW)
    assert first.statements == ("ALTER SYSTEM SET log_min_duration_statement = '1000'", "SELECT pg_reload_conf()")
    assert first.remembered == NEW
    theirs = replace(SET, entry="2s")
    assert step(TuningWish(1000), theirs, None, NEW).remembered == KEPT
    assert step(TuningWish(500), SET, KEPT, replace(NEW, wanted="500")).remembered == replace(KEPT, wanted="500")
    assert step(TuningWish(500), replace(SET, entry="7s"), KEPT, NEW).remembered == replace(NEW, before="7s")
    assert step(TuningWish(1000), SET, KEPT, NEW).statements == ()
    assert step(TuningWish(1000), SET, KEPT, NEW).remembered == KEPT
    hidden = replace(FRESH, entry=HIDDEN)
    assert step(TuningWish(1000), hidden, None, NEW).remembered == NEW


def test_a_change_that_nobody_has_reloaded_is_finished_by_the_reload_alone() -> None:
    half = replace(FRESH, entry="1000")
    assert step(TuningWish(1000), half, NEW, NEW).statements == ("SELECT pg_reload_conf()",)
    assert unread(half)
    assert unread(replace(SET, entry=None))
    for fine in (SET, FRESH, replace(SET, entry="1s"), replace(half, entry=HIDDEN)):
        assert not unread(fine)
    assert not unread(replace(half, setting=replace(FRESH.setting, source="command line")))


def test_it_goes_back_to_the_former_text_or_to_none() -> None:
    undo = TuningWish(undo=True)
    assert step(undo, SET, NEW, NEW).statements[0] == "ALTER SYSTEM RESET log_min_duration_statement"
    assert step(undo, SET, KEPT, NEW).statements[0] == "ALTER SYSTEM SET log_min_duration_statement = '2s'"
    own = TuningWish(undo=True, scope="database")
    log = replace(FRESH, ours="1000")
    assert step(own, log, replace(KEPT, before="it's"), NEW).statements == (
        "ALTER DATABASE \"atom\" SET log_min_duration_statement = 'it''s'",
    )
    assert statement("database", None, None) == "ALTER DATABASE ... RESET log_min_duration_statement"


@pytest.mark.parametrize(
    ("wish", "log", "rights", "kept", "told"),
    [
        (TuningWish(1, undo=True), FRESH, {}, None, "exclude each other"),
        (TuningWish(1, scope="database"), FRESH, {"is_standby": True}, None, "a standby's databases"),
        (TuningWish(1), FRESH, {"system_is_fixed": True}, None, "allow_alter_system is off"),
        (TuningWish(1), FRESH, {"alter_system": False}, None, "may not ALTER SYSTEM"),
        (TuningWish(1), FRESH, {"reload": False}, None, "may not reload"),
        (TuningWish(1, scope="database"), FRESH, {"owns_database": False}, None, "does not own the database atom"),
        (TuningWish(1, scope="database"), FRESH, {"set_parameter": False}, None, "may not SET"),
        (TuningWish(1), replace(FRESH, entry=HIDDEN), {}, None, "there would be no way back"),
        (
            TuningWish(1),
            replace(FRESH, setting=replace(FRESH.setting, source="command line")),
            {},
            None,
            "it would have no effect",
        ),
        (TuningWish(undo=True), FRESH, {}, None, "nothing of ours is on record for the server"),
        (TuningWish(undo=True), SET, {}, None, "it has 1000 of its own now"),
        (TuningWish(undo=True), replace(SET, entry=HIDDEN), {}, NEW, "may not read"),
        (TuningWish(undo=True), replace(SET, entry="7s"), {}, NEW, "somebody else has set 7s since we set 1000"),
        (TuningWish(undo=True), replace(SET, entry=None), {}, KEPT, "somebody else has set no value"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(
    wish: TuningWish, log: SlowLog, rights: dict[str, Any], kept: Remembered | None, told: str
) -> None:
    refused = obstacle(wish, log, replace(RIGHTS, **rights), kept)
    assert refused is not None
    assert told in refused.reason
    assert refused.action


def test_what_can_be_done_is_not_refused() -> None:
    command_line = replace(FRESH, setting=replace(FRESH.setting, source="command line"))
    assert obstacle(TuningWish(1), FRESH, RIGHTS, None) is None
    assert obstacle(TuningWish(1, scope="database"), command_line, RIGHTS, None) is None
    assert obstacle(TuningWish(1, scope="database"), FRESH, replace(RIGHTS, set_parameter=None), None) is None
    assert obstacle(TuningWish(undo=True), SET, RIGHTS, NEW) is None


def test_grants_are_those_of_the_version() -> None:
    (new,) = rights_missing(replace(RIGHTS, alter_system=False), "server")
    (old,) = rights_missing(replace(RIGHTS, alter_system=False, version=140_000), "server")
    assert new.action.startswith('GRANT ALTER SYSTEM ON PARAMETER log_min_duration_statement TO "tuner";')
    assert old.action.startswith("before PostgreSQL 15 only a superuser")
    (own,) = rights_missing(replace(RIGHTS, set_parameter=False), "database")
    assert own.action == 'GRANT SET ON PARAMETER log_min_duration_statement TO "tuner";'


def test_read_back_is_the_value_and_where_it_comes_from() -> None:
    assert confirmed("server", "1000", SET)
    assert confirmed("server", "1s", replace(SET, entry="1s"))
    assert confirmed("server", "1000", replace(SET, entry=HIDDEN))
    assert not confirmed("server", "1000", replace(SET, entry="7s"))
    assert not confirmed("server", "1000", replace(FRESH, entry="1000"))
    by_role = replace(SET, setting=replace(SET.setting, value="7", source="user", file=None))
    assert confirmed("server", "1000", by_role)
    assert confirmed("server", None, FRESH)
    assert not confirmed("server", None, replace(SET, entry=None))
    own = replace(FRESH, ours="5", setting=replace(FRESH.setting, value="5", source="database"))
    assert confirmed("database", "5", own)
    assert confirmed("database", None, FRESH)
    assert not confirmed("database", "5", FRESH)
    assert not confirmed("database", "5", replace(FRESH, ours="5"))


def test_an_index_is_tried_only_where_a_statement_compares_a_column_that_has_none() -> None:
    owner, closed = Column("owner", 500, leads_index=False), Column("closed", 2, leads_index=False)
    key, quiet = Column("id", -1, leads_index=True), Column("body", None, leads_index=False)
    asked = slow('SELECT body FROM tickets WHERE "owner" = $1 AND closed = $2 AND id > $3')
    other = slow("SELECT owner FROM people WHERE owner = $1")
    (found,) = candidates([table(key, owner, closed, quiet)], [asked, other])
    assert found.statement == 'CREATE INDEX CONCURRENTLY ON "public"."tickets" ("owner");'
    assert found.seconds == 5
    assert candidates([table(owner, name="others")], [asked]) == ()


def test_a_change_that_was_read_back_is_ok_throughout() -> None:
    found, _ = judged(facts())
    assert {each.level for each in found.values()} == {Level.OK}
    assert found["TUNE-DONE"].summary == "the server logs statements of 1,000 ms or more"
    assert found["TUNE-REMEMBERED"].summary.startswith("undo=true goes back to no value of its own; 1000 was set at")


def test_a_run_that_could_not_begin_is_critical() -> None:
    busy: Outcome[TuningFacts] = Outcome("tuning", 1, unseen=Unseen("production is being changed by ...", "wait"))
    found, _ = judge_all(checks(), {TuningFacts: busy}, {}, {})
    assert [each.code for each in found if each.level is Level.CRITICAL] == ["TUNE-RUN"]


def test_a_report_says_what_is_logged_and_how_to_begin() -> None:
    report, gaps = judged(facts(asked="", dry_run=True, plan=(), remembered=None, after=None))
    assert report["TUNE-SLOW-LOG"].summary == "slow statements: nothing is logged, says: default"
    assert report["TUNE-SLOW-LOG"].action == "set slow_statement_ms, such as 1000"
    assert [each.reason for each in gaps] == ["a change: none was asked for, see slow_statement_ms and undo"]
    assert report["TUNE-REMEMBERED"].summary == "nothing of ours is to be undone for the server"
    every = replace(FRESH, setting=replace(SET.setting, value="0"))
    report, _ = judged(facts(asked="", after=None, before=every))
    assert report["TUNE-SLOW-LOG"].summary.startswith("slow statements: every statement")


def test_dry_runs_refusals_and_what_is_not_seen_again_are_told() -> None:
    dry, _ = judged(facts(dry_run=True, after=None))
    assert dry["TUNE-DONE"].summary.endswith("; nothing was changed")
    same, _ = judged(facts(dry_run=True, after=None, plan=()))
    assert same["TUNE-DONE"].summary.endswith("it is so already")
    was, _ = judged(facts(plan=()))
    assert was["TUNE-DONE"].summary.endswith("it was so already")
    for bad in (facts(refused=Unseen("no right", "GRANT"), after=None), facts(confirmed=False, after=FRESH)):
        found, _ = judged(bad)
        assert found["TUNE-DONE"].level is Level.CRITICAL
    own, _ = judged(facts(scope="database", after=replace(SET, older_sessions=3)))
    assert own["TUNE-DONE"].summary.endswith("3 sessions opened before keep what they had until they reconnect")
    back, _ = judged(facts(remembered=KEPT, after=replace(SET, entry="2s")))
    assert back["TUNE-REMEMBERED"].summary == "gone back to 2s; nothing of ours is left"


def test_whoever_wins_and_what_is_not_read_is_a_warning() -> None:
    overrides = (Override("atom", None, "5"), Override(None, "ann", "6"), Override("atom", "ann", "7"))
    line = replace(SET, setting=replace(SET.setting, source="command line"), overrides=overrides)
    found, _ = judged(facts(after=line))
    assert found["TUNE-OVERRIDDEN"].observed == 4
    assert found["TUNE-OVERRIDDEN"].summary.endswith("the server's command line")
    own, _ = judged(facts(after=line, scope="database"))
    assert own["TUNE-OVERRIDDEN"].summary == "2 values win over the database's: role ann has 6"
    for entry, told in (("500", "says 500"), (None, "says nothing")):
        half, _ = judged(facts(after=replace(SET, entry=entry)))
        assert half["TUNE-RELOAD"].level is Level.WARNING
        assert told in half["TUNE-RELOAD"].summary


def test_errors_of_the_files_are_told_and_unknown_only_where_something_is_changed() -> None:
    wrong = FileError("/data/postgresql.conf", 7, "work_mem", "setting could not be applied")
    found, _ = judged(facts(after=replace(SET, file_errors=(wrong,))))
    assert found["TUNE-CONFIG-ERRORS"].level is Level.WARNING
    unsure = replace(SET, file_errors=HIDDEN, entry=HIDDEN)
    found, _ = judged(facts(after=unsure))
    assert found["TUNE-CONFIG-ERRORS"].level is Level.UNKNOWN
    found, gaps = judged(facts(asked="", before=unsure, after=None))
    assert "TUNE-CONFIG-ERRORS" not in found
    assert any("errors in the configuration" in each.reason for each in gaps)
    assert found["TUNE-SLOW-LOG"].evidence is not None
    assert "postgresql.auto.conf: unknown (" in found["TUNE-SLOW-LOG"].evidence.rows[0][1]


def test_statements_and_tables_are_told_or_unknown() -> None:
    found, _ = judged(facts(statements=HIDDEN))
    assert found["TUNE-STATEMENTS"].level is Level.UNKNOWN
    assert found["TUNE-INDEX-MISSING"].level is Level.OK  # no large table is scanned: no statement is needed for that
    found, _ = judged(facts(statements=()))
    assert found["TUNE-STATEMENTS"].summary == "no statement has been counted yet"
    busy = slow("SELECT 1", hit_ratio=None, temporary_bytes=8192, read_time=1.5)
    found, _ = judged(facts(statements=(busy, slow("SELECT 2"))))
    assert found["TUNE-STATEMENTS"].evidence is not None
    assert found["TUNE-STATEMENTS"].evidence.rows[0][6:9] == ("", "8.0 KiB", "1.5 s")
    scanned = table(Column("owner", 500, leads_index=False))
    found, _ = judged(facts(tables=(scanned,), statements=(slow("SELECT FROM tickets WHERE owner = $1"),)))
    assert found["TUNE-INDEX-MISSING"].summary == "1 index to try for 1 table read from end to end"
    found, _ = judged(facts(tables=(scanned,)))
    assert found["TUNE-INDEX-MISSING"].summary.endswith("no statement tells by which column")
