import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from atomops.facts.outcome import Outcome
from atomops.facts.redis import Queue, RedisFacts
from atomops.registry import checks
from atomops.verdict import Finding, Gap, Level, Limit, Unseen

NOW = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
MIB = 1024**2
INFO: dict[str, str | int | float] = {
    "redis_version": "7.4.1",
    "redis_mode": "standalone",
    "role": "master",
    "run_id": "a" * 40,
    "uptime_in_seconds": 86_400,
    "total_connections_received": 500,
    "total_commands_processed": 9_000,
    "loading": 0,
    "connected_slaves": 2,
    "connected_clients": 10,
    "maxclients": 100,
    "used_memory": 50 * MIB,
    "maxmemory": 100 * MIB,
    "maxmemory_policy": "noeviction",
    "total_system_memory": 1000 * MIB,
    "mem_fragmentation_ratio": 1.1,
    "mem_fragmentation_bytes": 5 * MIB,
    "rdb_last_bgsave_status": "ok",
    "aof_last_write_status": "ok",
    "aof_enabled": 0,
    "rdb_changes_since_last_save": 12,
    "rdb_last_save_time": NOW.timestamp() - 3600,
    "rejected_connections": 3,
    "evicted_keys": 7,
    "keyspace_hits": 1000,
    "keyspace_misses": 1000,
}
WELL = RedisFacts(
    at=NOW,
    refusal="",
    latency=0.0004,
    info=INFO,
    clock_offset=0.0001,
    saves=True,
    queues=(Queue("default", 4, 0), Queue("mail", 1, 0)),
)
YESTERDAY = replace(
    WELL,
    at=NOW - dt.timedelta(days=1),
    info=INFO | {"uptime_in_seconds": 10, "total_commands_processed": 90, "keyspace_hits": 100, "keyspace_misses": 900},
)


def after(**changes: str | float) -> RedisFacts:
    return replace(WELL, info=INFO | changes)


def without(key: str) -> RedisFacts:
    return replace(WELL, info={name: value for name, value in INFO.items() if name != key})


def judged(
    code: str, seen: RedisFacts, before: RedisFacts | None = YESTERDAY, limit: Limit | None = None
) -> Finding | Gap:
    check = next(each for each in checks() if each.code == code)
    return check.judge(Outcome("redis", 0.01, facts=seen), before, limit)


def found(code: str, seen: RedisFacts, before: RedisFacts | None = YESTERDAY) -> Finding:
    finding = judged(code, seen, before)
    assert isinstance(finding, Finding)
    return finding


def gap(code: str, seen: RedisFacts, before: RedisFacts | None = YESTERDAY) -> str:
    nothing = judged(code, seen, before)
    assert isinstance(nothing, Gap)
    assert nothing.section == "Redis"
    return nothing.reason


CODES = [each.code for each in checks() if each.facts is RedisFacts]


def test_a_healthy_server_is_ok_throughout() -> None:
    levels = {code: judged(code, WELL) for code in CODES}

    assert len(levels) == 16
    assert isinstance(levels.pop("REDIS-REPLICATION"), Gap)
    assert {finding.level for finding in levels.values() if isinstance(finding, Finding)} == {Level.OK}


def test_a_failed_probe_is_critical_once_and_unknown_everywhere_else() -> None:
    nobody = Outcome[RedisFacts]("redis", 5, unseen=Unseen("Redis x:6379 refuses the connection", "is it running?"))
    found = {each.code: each.judge(nobody, WELL) for each in checks() if each.facts is RedisFacts}
    levels = {code: finding.level for code, finding in found.items() if isinstance(finding, Finding)}

    assert levels.pop("REDIS-REACHABLE") is Level.CRITICAL
    assert len(levels) == 15
    assert set(levels.values()) == {Level.UNKNOWN}


def test_a_forbidden_info_is_unknown_for_what_needs_it_and_for_nothing_else() -> None:
    narrow = replace(WELL, info=Unseen("Redis forbids it", "ACL SETUSER atom +info"))
    levels = {code: found(code, narrow) for code in CODES}
    ok = {"REDIS-REACHABLE", "REDIS-LATENCY", "REDIS-CLOCK-SKEW", "REDIS-QUEUE-DEPTH", "REDIS-JOBS-FAILED"}

    assert {code for code, finding in levels.items() if finding.level is Level.OK} == ok
    assert {finding.action for code, finding in levels.items() if code not in ok} == {"ACL SETUSER atom +info"}
    assert {finding.level for code, finding in levels.items() if code not in ok} == {Level.UNKNOWN}


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("used_memory", "REDIS-MEMORY"),
        ("maxmemory", "REDIS-MEMORY"),
        ("maxclients", "REDIS-CLIENTS"),
        ("mem_fragmentation_ratio", "REDIS-FRAGMENTATION"),
        ("rdb_last_bgsave_status", "REDIS-SAVE-FAILED"),
        ("aof_last_write_status", "REDIS-SAVE-FAILED"),
        ("rdb_last_save_time", "REDIS-SNAPSHOT-AGE"),
        ("loading", "REDIS-LOADING"),
        ("evicted_keys", "REDIS-EVICTED"),
        ("keyspace_misses", "REDIS-HIT-RATIO"),
    ],
)
def test_a_number_that_the_server_hides_is_unknown_and_named(key: str, code: str) -> None:
    finding = found(code, without(key))

    assert finding.level is Level.UNKNOWN
    assert finding.summary == f"INFO has no {key}"


def test_a_ping_that_is_answered_with_an_error_is_critical() -> None:
    finding = found("REDIS-REACHABLE", replace(WELL, refusal="MISCONF Errors writing to the RDB"))

    assert finding.level is Level.CRITICAL
    assert finding.summary == "Redis answers PING with an error: MISCONF Errors writing to the RDB"


@pytest.mark.parametrize(("seconds", "level"), [(0.0499, "OK"), (0.05, "WARNING"), (0.25, "CRITICAL")])
def test_a_slow_ping_is_judged(seconds: float, level: str) -> None:
    assert found("REDIS-LATENCY", replace(WELL, latency=seconds)).level == level


def test_the_version_says_what_kind_of_server_this_is() -> None:
    assert found("REDIS-VERSION", WELL).summary == "Redis 7.4.1, standalone, primary, up for 1 day"
    cluster = after(valkey_version="8.1.8", redis_mode="", server_mode="cluster", role="slave")
    assert found("REDIS-VERSION", cluster).summary.startswith("Valkey 8.1.8, one node of a cluster, replica")


def test_a_sentinel_is_unknown_with_the_reason_and_not_a_bug() -> None:
    sentinel = replace(WELL, info={"redis_version": "7.4.1", "redis_mode": "sentinel", "uptime_in_seconds": 9})

    assert found("REDIS-VERSION", sentinel).summary == "Redis 7.4.1, a Sentinel, up for 9.0 s"
    finding = found("REDIS-MEMORY", sentinel)
    assert (finding.level, finding.summary) == (Level.UNKNOWN, "this is a Sentinel, which keeps no data")
    findings = [judged(code, sentinel) for code in CODES]
    assert not any("itself failed" in finding.summary for finding in findings if isinstance(finding, Finding))


@pytest.mark.parametrize(("used", "level"), [(79, "OK"), (80, "WARNING"), (90, "CRITICAL"), (120, "CRITICAL")])
def test_memory_is_judged_against_maxmemory(used: int, level: str) -> None:
    finding = found("REDIS-MEMORY", after(used_memory=used * MIB))

    assert (finding.level, finding.observed) == (level, used)
    assert "then noeviction" in finding.summary


def test_without_maxmemory_the_machines_memory_is_the_limit_and_that_is_said() -> None:
    finding = found("REDIS-MEMORY", after(maxmemory=0, used_memory=850 * MIB))

    assert (finding.level, finding.observed) == (Level.WARNING, 85)
    assert "maxmemory is 0" in finding.summary
    assert "CONFIG SET maxmemory" in finding.action


def test_without_maxmemory_and_without_the_machines_memory_nothing_is_known() -> None:
    assert found("REDIS-MEMORY", after(maxmemory=0, total_system_memory=0)).level is Level.UNKNOWN


def test_fragmentation_counts_only_when_both_the_ratio_and_the_bytes_are_large() -> None:
    def torn(ratio: float = 3.0, lost: int = 100 * MIB, used: int = 50 * MIB) -> RedisFacts:
        return after(mem_fragmentation_ratio=ratio, mem_fragmentation_bytes=lost, used_memory=used)

    assert found("REDIS-FRAGMENTATION", torn()).level is Level.WARNING
    assert found("REDIS-FRAGMENTATION", torn(ratio=1.2)).level is Level.OK
    assert "5.0 MiB are lost" in gap("REDIS-FRAGMENTATION", torn(lost=5 * MIB))
    assert "1.0 MiB are used" in gap("REDIS-FRAGMENTATION", torn(used=MIB))


def test_a_failed_snapshot_or_append_is_critical_and_named() -> None:
    finding = found("REDIS-SAVE-FAILED", after(rdb_last_bgsave_status="err"))

    assert finding.level is Level.CRITICAL
    assert finding.summary == "rdb_last_bgsave_status is err"
    assert found("REDIS-SAVE-FAILED", after(aof_last_write_status="err")).level is Level.CRITICAL


def test_an_old_snapshot_is_judged_only_with_changes_since_and_only_when_snapshots_are_on() -> None:
    old = after(rdb_last_save_time=NOW.timestamp() - 49 * 3600)

    assert found("REDIS-SNAPSHOT-AGE", old).level is Level.WARNING
    assert "12 changes since the last snapshot, 2 days and 1 hour ago" in found("REDIS-SNAPSHOT-AGE", old).summary
    assert found("REDIS-SNAPSHOT-AGE", after(rdb_changes_since_last_save=0, rdb_last_save_time=0)).level is Level.OK
    assert "queued jobs included" in gap("REDIS-SNAPSHOT-AGE", replace(old, saves=False))
    assert "append-only" in gap("REDIS-SNAPSHOT-AGE", replace(after(aof_enabled=1), saves=False))


def test_the_age_of_a_snapshot_is_by_the_servers_own_clock() -> None:
    behind = after(rdb_last_save_time=NOW.timestamp() - 50 * 3600)

    assert found("REDIS-SNAPSHOT-AGE", replace(behind, clock_offset=-49 * 3600.0)).observed == 1
    assert found("REDIS-SNAPSHOT-AGE", replace(behind, clock_offset=-60 * 3600.0)).observed == 0
    assert found("REDIS-SNAPSHOT-AGE", replace(behind, clock_offset=Unseen("no TIME"))).observed == 50


def test_a_replica_without_its_primary_is_critical() -> None:
    replica: dict[str, str | float] = {
        "role": "slave",
        "master_host": "cache-1",
        "master_port": 6379,
        "master_link_status": "up",
    }

    assert found("REDIS-REPLICATION", after(**replica)).level is Level.OK
    lost = found("REDIS-REPLICATION", after(**replica | {"master_link_status": "down"}))
    assert (lost.level, lost.summary) == (Level.CRITICAL, "the link to the primary cache-1:6379 is down")
    since = after(**replica | {"master_link_status": "down", "master_link_down_since_seconds": 90})
    assert found("REDIS-REPLICATION", since).summary.endswith("is down for 2 minutes")
    assert gap("REDIS-REPLICATION", WELL) == "link to the primary: this is the primary, with 2 replicas"


def test_a_server_that_loads_is_critical() -> None:
    finding = found("REDIS-LOADING", after(loading=1, loading_eta_seconds=30))

    assert finding.level is Level.CRITICAL
    assert "30.0 s to go" in finding.summary
    assert found("REDIS-LOADING", after(async_loading=1)).level is Level.CRITICAL


def test_clients_are_judged_against_maxclients() -> None:
    assert found("REDIS-CLIENTS", after(connected_clients=80)).level is Level.WARNING
    assert found("REDIS-CLIENTS", after(connected_clients=90)).level is Level.CRITICAL


def test_a_clock_an_hour_off_is_critical_either_way() -> None:
    assert found("REDIS-CLOCK-SKEW", replace(WELL, clock_offset=3600.0)).level is Level.CRITICAL
    assert found("REDIS-CLOCK-SKEW", replace(WELL, clock_offset=-3600.0)).level is Level.CRITICAL
    assert found("REDIS-CLOCK-SKEW", replace(WELL, clock_offset=-90.0)).level is Level.WARNING
    assert found("REDIS-CLOCK-SKEW", WELL).summary == "Redis's clock is the same as ours"


@pytest.mark.parametrize(
    ("code", "counter"), [("REDIS-EVICTED", "evicted_keys"), ("REDIS-REJECTED", "rejected_connections")]
)
def test_a_counter_is_judged_as_the_change_since_the_last_look(code: str, counter: str) -> None:
    finding = found(code, after(**{counter: float(INFO[counter]) + 5}))

    assert (finding.level, finding.observed) == (Level.WARNING, 5)
    assert "since the last look, 1 day ago" in finding.summary
    assert found(code, WELL).observed == 0


@pytest.mark.parametrize("code", ["REDIS-EVICTED", "REDIS-REJECTED", "REDIS-HIT-RATIO"])
def test_a_first_look_has_nothing_to_compare_with(code: str) -> None:
    assert "first look" in gap(code, WELL, None)
    assert "first look" in gap(code, WELL, replace(YESTERDAY, info=Unseen("Redis forbade it then")))


@pytest.mark.parametrize("code", ["REDIS-EVICTED", "REDIS-REJECTED", "REDIS-HIT-RATIO"])
@pytest.mark.parametrize(
    "changes",
    [
        {"run_id": "b" * 40},
        {"uptime_in_seconds": 5},
        {"total_commands_processed": 1},
        {"evicted_keys": 0, "rejected_connections": 0, "keyspace_hits": 0},
    ],
)
def test_after_a_restart_a_failover_or_a_reset_the_change_is_unknown(
    code: str, changes: dict[str, str | float]
) -> None:
    finding = found(code, after(**changes))

    assert finding.level is Level.UNKNOWN
    assert "restarted, replaced or had its counters reset" in finding.summary


def test_the_hit_ratio_is_that_of_the_time_since_the_last_look() -> None:
    finding = found("REDIS-HIT-RATIO", WELL)

    assert finding.observed == 0.9
    assert finding.summary == "90.0 % of 1,000 look-ups since the last look were hits"
    assert "nobody has looked anything up" in gap("REDIS-HIT-RATIO", WELL, WELL)


@given(*[st.integers(0, 2**62)] * 4)
def test_the_hit_ratio_is_a_share_or_not_known(hits: int, misses: int, more_hits: int, more_misses: int) -> None:
    seen, before = (
        after(keyspace_hits=hits + more_hits, keyspace_misses=misses + more_misses),
        after(keyspace_hits=hits, keyspace_misses=misses),
    )
    finding = judged("REDIS-HIT-RATIO", seen, before)

    assert isinstance(finding, Gap) or finding.observed is None or 0 <= finding.observed <= 1


def test_waiting_and_failed_jobs_are_counted_over_the_configured_queues() -> None:
    busy = replace(WELL, queues=(Queue("default", 40, 0), Queue("mail", 2, 3)))
    depth, failed = found("REDIS-QUEUE-DEPTH", busy), found("REDIS-JOBS-FAILED", busy)

    assert (depth.level, depth.summary) == (Level.OK, "42 jobs waiting in 2 queues")
    assert (failed.level, failed.summary) == (Level.WARNING, "3 failed jobs in 2 queues")
    assert failed.evidence is not None
    assert failed.evidence.rows[0] == ("mail", "2", "3")
    limited = judged("REDIS-QUEUE-DEPTH", busy, limit=Limit(warning=10))
    assert isinstance(limited, Finding)
    assert limited.level is Level.WARNING


def test_without_configured_queues_nothing_is_judged() -> None:
    assert "redis.queues" in gap("REDIS-QUEUE-DEPTH", replace(WELL, queues=()))
    assert "redis.queues" in gap("REDIS-JOBS-FAILED", replace(WELL, queues=()))


def test_the_facts_survive_being_kept() -> None:
    adapter = TypeAdapter(RedisFacts)
    nothing = Unseen("a", "b")
    dark = RedisFacts(NOW, "LOADING", nothing, nothing, nothing, nothing, nothing)

    assert all(adapter.validate_json(adapter.dump_json(facts)) == facts for facts in (WELL, dark))
