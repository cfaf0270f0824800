import datetime as dt
from dataclasses import fields, replace
from typing import Any

import pytest

from atomops.facts.outcome import Outcome
from atomops.facts.postgres import (
    Archiver,
    ClientGroup,
    ForeignKey,
    Index,
    LockWait,
    PendingSetting,
    PostgresFacts,
    PreparedTransaction,
    Replica,
    Sequence,
    Session,
    Slot,
    Statement,
    Table,
)
from atomops.registry import Check, checks
from atomops.verdict import Finding, Gap, Level, Unseen
from tests.unit.postgres_facts import AT, COUNTERS, HEALTHY, SERVER

CHECKS = {check.code: check for check in checks() if check.facts is PostgresFacts}
DAY = 86_400
TABLE = Table("public", "events", 100_000, 0, 0, 10**9, DAY, DAY, 0, 0, 0)
SESSION = Session(42, "atom", "atom", "web", "active", 10, 10, 10, "SELECT 1")
INDEX = Index("public", "events", "i", 8192, "DROP INDEX CONCURRENTLY public.i;")


def judged(code: str, seen: PostgresFacts, before: PostgresFacts | None = None) -> Finding | Gap:
    return CHECKS[code].judge(Outcome("postgres", 0.1, facts=seen), before)


def finding(code: str, before: PostgresFacts | None = None, **spoilt: Any) -> Finding:  # noqa: ANN401 - any part of the facts
    result = judged(code, replace(HEALTHY, **spoilt), before)
    assert isinstance(result, Finding), result
    return result


def test_a_healthy_server_has_no_finding_that_is_not_ok() -> None:
    for code in CHECKS:
        result = judged(code, HEALTHY, replace(HEALTHY, at=AT - dt.timedelta(days=1)))
        assert isinstance(result, Gap) or result.level is Level.OK, result


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_what_could_not_be_seen_is_unknown_and_never_ok(check: Check) -> None:
    unseen = Unseen("no grant", "GRANT pg_monitor TO reader;")
    blind = {each.name: unseen for each in fields(HEALTHY) if each.name not in {"at", "server", "answers"}}
    yesterday = replace(HEALTHY, at=AT - dt.timedelta(days=1))
    result = check.judge(Outcome("postgres", 0.1, facts=replace(HEALTHY, **blind)), yesterday)  # type: ignore[arg-type]
    if check.code not in {"PG-REACHABLE", "PG-VERSION", "PG-CLOCK-SKEW"}:
        assert isinstance(result, Finding)
        assert (result.level, result.action) == (Level.UNKNOWN, "GRANT pg_monitor TO reader;")


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_server_that_does_not_answer_leaves_nothing_ok(check: Check) -> None:
    result = check.judge(Outcome("postgres", 5, unseen=Unseen("refused", "start it")), HEALTHY)
    assert isinstance(result, Finding)
    assert result.level in {Level.CRITICAL, Level.UNKNOWN}
    assert result.action == "start it"


AGED = {
    "PG-TRANSACTION-LONG": ("transaction_age", "active", 300, 600),
    "PG-IDLE-IN-TRANSACTION": ("state_age", "idle in transaction (aborted)", 300, 1800),
    "PG-QUERY-LONG": ("query_age", "active", 300, 1800),
}


@pytest.mark.parametrize(("code", "aged"), AGED.items(), ids=AGED)
def test_a_session_is_judged_by_the_age_that_matters(code: str, aged: tuple[str, str, int, int]) -> None:
    age, state, warning, critical = aged
    for seconds, level in ((warning - 1, Level.OK), (warning, Level.WARNING), (critical, Level.CRITICAL)):
        old = replace(SESSION, state=state, **{age: seconds})  # type: ignore[arg-type]
        result = finding(code, sessions=(SESSION, old))
        assert result.level is level
        assert "pg_terminate_backend(42)" in result.action


def test_ages_of_transactions_name_the_oldest_database() -> None:
    old = replace(HEALTHY.databases[0], name="old", xid_age=1_400_000_000, multixact_age=700_000_000)  # type: ignore[index]
    databases = (*HEALTHY.databases, old)  # type: ignore[misc]
    assert finding("PG-XID-AGE", databases=databases).level is Level.CRITICAL
    assert "old is 1,400,000,000" in finding("PG-XID-AGE", databases=databases).summary
    assert finding("PG-MULTIXACT-AGE", databases=databases).level is Level.WARNING


def test_connections_are_a_share_of_those_that_are_not_reserved() -> None:
    groups = (ClientGroup("atom", "web", "idle", 80), ClientGroup(None, None, None, 13))
    result = finding("PG-CONNECTIONS", clients=groups)
    assert result.summary == "93 of 97 connections are in use"
    assert result.level is Level.CRITICAL


def test_a_lock_wait_names_who_holds_it() -> None:
    result = finding("PG-LOCK-WAIT", lock_waits=(LockWait(7, "atom", 90, "42", "ALTER TABLE x"),))
    assert result.level is Level.WARNING
    assert "pid 42" in result.action


def test_a_prepared_transaction_is_bad_from_the_first_second() -> None:
    prepared = (PreparedTransaction("gid", "atom", 29.0),)
    assert finding("PG-PREPARED-TRANSACTIONS", prepared_transactions=prepared).level is Level.WARNING


def test_replicas_are_judged_by_time_and_by_bytes() -> None:
    replicas = (Replica("one", None, "streaming", 1, 10), Replica("two", "10.0.0.2", "streaming", 40, 200 * 1024**2))
    assert finding("PG-REPLICATION-LAG", replicas=replicas).level is Level.WARNING
    assert finding("PG-REPLICATION-LAG-BYTES", replicas=replicas).level is Level.WARNING
    behind = replace(SERVER, is_replica=True, replay_delay=400.0)
    assert finding("PG-REPLICATION-LAG", server=behind).level is Level.CRITICAL
    assert finding("PG-REPLICATION-LAG", server=replace(behind, replay_delay=None)).level is Level.OK


def test_slots_are_judged_by_what_they_keep_and_by_who_reads_them() -> None:
    slots = (Slot("used", "physical", True, "reserved", 2 * 1024**3), Slot("gone", "logical", False, "lost", 0))  # noqa: FBT003 - as PostgreSQL says it
    assert finding("PG-SLOT-RETAINED", slots=slots).level is Level.WARNING
    assert finding("PG-SLOT-INACTIVE", slots=slots).observed == 1


def test_an_archive_that_fails_or_never_began_is_told_apart() -> None:
    failing = Archiver("on", failing=True, last_failed="000000010000000000000001", failures=3, last_success_age=None)
    assert finding("PG-ARCHIVER-FAILING", archiver=(failing,)).level is Level.WARNING
    fresh = replace(failing, failing=False)
    assert "never" in finding("PG-ARCHIVER-FAILING", archiver=(fresh,)).summary
    assert isinstance(judged("PG-ARCHIVER-FAILING", replace(HEALTHY, archiver=(replace(fresh, mode="off"),))), Gap)


def test_few_dead_rows_are_nobodys_business() -> None:
    tables = (
        replace(TABLE, name="many", dead_rows=20_000),
        replace(TABLE, name="few", live_rows=10, dead_rows=9_000),
        replace(TABLE, name="small share", live_rows=10**9, dead_rows=20_000),
    )
    result = finding("PG-DEAD-TUPLES", tables=tables)
    assert (result.observed, result.action) == (1, "VACUUM (ANALYZE) public.many;")


def test_never_vacuumed_counts_from_the_servers_start() -> None:
    tables = (replace(TABLE, dead_rows=5_000, vacuum_age=None), replace(TABLE, name="lately", dead_rows=5_000))
    result = finding("PG-VACUUM-AGE", tables=tables)
    assert (result.level, result.observed) == (Level.CRITICAL, 40)
    assert "vacuumed never" in result.summary


def test_statistics_that_are_a_week_old_are_a_warning() -> None:
    result = finding("PG-ANALYZE-AGE", tables=(replace(TABLE, writes=5_000, analyze_age=8 * DAY),))
    assert result.level is Level.WARNING
    assert "analysed 8 days ago" in result.summary


def test_the_top_tables_say_that_they_are_estimated() -> None:
    result = finding("PG-TABLES-TOP", tables=(TABLE, replace(TABLE, name="small", live_rows=1)))
    assert result.observed == 100_001
    assert "estimated" in result.summary
    assert result.evidence
    assert result.evidence.rows[0][0] == "public.events"


@pytest.mark.parametrize(
    ("code", "part", "level"),
    [
        ("PG-INDEX-INVALID", "invalid_indexes", Level.CRITICAL),
        ("PG-INDEX-UNUSED", "unused_indexes", Level.OK),
        ("PG-INDEX-DUPLICATE", "duplicate_indexes", Level.OK),
    ],
)
def test_indexes_come_with_the_statement_that_mends_them(code: str, part: str, level: Level) -> None:
    result = finding(code, None, **{part: (INDEX, INDEX)})
    assert (result.level, result.observed, result.action) == (level, 2, INDEX.statement)


def test_foreign_keys_and_sequences_name_their_columns() -> None:
    key = ForeignKey("child", "child_parent_fkey", "parent", "CREATE INDEX CONCURRENTLY ON child (parent);")
    assert finding("PG-FOREIGN-KEY-NO-INDEX", foreign_keys=(key,)).action == key.statement
    ids, free = Sequence("ids", "t.id", 96, 100, 96.0), Sequence("free", None, 1, 100, 1.0)
    result = finding("PG-SEQUENCE-EXHAUSTION", sequences=(ids, free))
    assert (result.level, "t.id" in result.action) == (Level.CRITICAL, True)


def test_only_large_tables_that_are_mostly_scanned_count() -> None:
    scanned = replace(TABLE, sequential_scans=100, sequential_rows=10_000_000, index_scans=1)
    tables = (scanned, replace(scanned, live_rows=10), replace(scanned, index_scans=1000), TABLE)
    assert finding("PG-SEQUENTIAL-SCANS", tables=tables).observed == 1


def test_a_slow_statement_is_one_with_a_mean_of_a_second() -> None:
    slow = Statement("SELECT pg_sleep($1)", 3, 1.5, 2.0, 4.5)
    result = finding("PG-STATEMENTS-SLOW", statements=(slow, replace(slow, mean=0.1)))
    assert (result.level, result.observed) == (Level.WARNING, 1.5)


@pytest.mark.parametrize(("offset", "level"), [(-59, Level.OK), (-3600, Level.CRITICAL), (61, Level.WARNING)])
def test_a_clock_may_be_wrong_in_both_directions(offset: float, level: Level) -> None:
    result = finding("PG-CLOCK-SKEW", server=replace(SERVER, clock_offset=offset))
    assert result.level is level
    assert ("ahead of" if offset > 0 else "behind") in result.summary


def test_a_setting_that_waits_for_a_restart_is_named() -> None:
    result = finding("PG-PENDING-RESTART", pending_settings=(PendingSetting("shared_buffers", "16384"),))
    assert result.level is Level.WARNING
    assert "shared_buffers" in str(result.evidence)


def test_counters_are_judged_as_a_change_and_a_reset_makes_it_unknown() -> None:
    before = replace(HEALTHY, at=AT - dt.timedelta(hours=24))
    more = (replace(COUNTERS, deadlocks=5, temp_files=5), replace(COUNTERS, database="new", deadlocks=9))
    result = finding("PG-DEADLOCKS", before, counters=more)
    assert (result.level, result.observed, result.summary) == (Level.WARNING, 3, "3 deadlocks in the last 1 day")
    assert finding("PG-TEMP-FILES", before, counters=more).level is Level.OK
    for reset in (replace(COUNTERS, deadlocks=0), replace(COUNTERS, stats_reset=AT)):
        assert finding("PG-DEADLOCKS", before, counters=(reset,)).level is Level.UNKNOWN
    assert isinstance(judged("PG-DEADLOCKS", HEALTHY), Gap)


def test_one_damaged_page_is_critical_and_checksums_that_are_off_are_said() -> None:
    damaged = (replace(COUNTERS, checksum_failures=1),)
    assert finding("PG-CHECKSUM-FAILURES", counters=damaged).level is Level.CRITICAL
    off = replace(HEALTHY, counters=(replace(COUNTERS, checksum_failures=None),))
    assert isinstance(judged("PG-CHECKSUM-FAILURES", off), Gap)


def test_growth_is_a_rate_between_two_looks() -> None:
    before = replace(HEALTHY, at=AT - dt.timedelta(hours=12))
    bigger = (replace(HEALTHY.databases[0], size=11_000_000),)  # type: ignore[index]
    assert finding("PG-DATABASE-GROWTH", before, databases=bigger).observed == 2_000_000
    assert "shrinks" in finding("PG-DATABASE-GROWTH", replace(before, databases=bigger)).summary
    just_now = replace(HEALTHY, at=AT - dt.timedelta(minutes=5))
    assert isinstance(judged("PG-DATABASE-GROWTH", HEALTHY, just_now), Gap)
    elsewhere = (replace(HEALTHY.databases[0], name="other"),)  # type: ignore[index]
    assert finding("PG-DATABASE-SIZE", databases=elsewhere).level is Level.UNKNOWN


def test_a_replica_says_so() -> None:
    assert "a replica" in finding("PG-VERSION", server=replace(SERVER, is_replica=True)).summary
