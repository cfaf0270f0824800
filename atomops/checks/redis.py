"""Redis: memory, clients, persistence, replication, and the queues that live in it."""

from collections.abc import Iterable

from atomops.facts.outcome import Outcome
from atomops.facts.redis import RedisFacts
from atomops.humane import plural, size, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen, known

SECTION = "Redis"
_DAY = 86_400
_SMALL = 5 * 1024**2  # MEMORY DOCTOR says nothing of fragmentation below 5 MiB
_LITTLE_WASTE = 10 * 1024**2
_FIRST_LOOK = Gap(
    SECTION, "evictions, rejections, hit ratio: judged as the change between two looks, and this is the first"
)


@check("REDIS-REACHABLE", section=SECTION, critical=1, unit="failures", source="operations guide")
def redis_answers(outcome: Outcome[RedisFacts]) -> Reading:
    """A client that authenticates gets its PONG; redis-cli ping ends well without."""
    return outcome.reachable("Redis")


@check(
    "REDIS-LATENCY",
    section=SECTION,
    warning=0.05,
    critical=0.25,
    unit="s",
    source="Atom Ops default",
    trend="redis.latency",
)
def latency(seen: RedisFacts) -> Reading:
    """A slow PING means that one command blocks all the others."""
    return Reading(seen.latency, f"PING took {span(seen.latency)}", action="SLOWLOG GET 10; LATENCY DOCTOR")


@check("REDIS-VERSION", section=SECTION, unit="s", source="information")
def version(seen: RedisFacts) -> Reading:
    """Which server answered, in which role, and since when it runs."""
    info = known(seen.info)
    name = "Valkey" if "valkey_version" in info else "Redis"
    number = info.get("valkey_version", info.get("redis_version", "?"))
    uptime = _number(seen, "uptime_in_seconds")
    mode = info.get("redis_mode", info.get("server_mode", "standalone"))
    return Reading(uptime, f"{name} {number}, {mode}, {info.get('role', '?')}, up for {span(uptime)}")


@check("REDIS-CLOCK-SKEW", section=SECTION, warning=60, critical=300, unit="s", source="NTP practice")
def clock(seen: RedisFacts) -> Reading:
    """Keys expire by the server's clock."""
    offset = known(seen.clock_offset)
    direction = "ahead of" if offset > 0 else "behind"
    return Reading(
        abs(offset), f"Redis's clock is {span(abs(offset))} {direction} ours", action="chronyc tracking, on both"
    )


@check(
    "REDIS-MEMORY",
    section=SECTION,
    warning=80,
    critical=90,
    unit="%",
    source="awesome-prometheus-alerts",
    trend="redis.memory",
)
def memory(seen: RedisFacts) -> Reading:
    """At its limit Redis evicts keys or refuses writes; without a limit the machine's memory is the limit."""
    used, limit = _number(seen, "used_memory"), _number(seen, "maxmemory")
    whole = limit or _number(seen, "total_system_memory")
    kind = "maxmemory" if limit else "the machine's memory (maxmemory is not set)"
    return Reading(
        100 * used / whole,
        f"{size(used)} of {size(whole)} are used: {kind}",
        action="redis-cli --bigkeys; or raise maxmemory" if limit else "CONFIG SET maxmemory, and a maxmemory-policy",
    )


@check(
    "REDIS-CLIENTS",
    section=SECTION,
    warning=80,
    critical=90,
    unit="%",
    source="awesome-prometheus-alerts",
    trend="redis.clients",
)
def clients(seen: RedisFacts) -> Reading:
    """Beyond maxclients every new connection is turned away."""
    connected, limit = _number(seen, "connected_clients"), _number(seen, "maxclients")
    return Reading(
        100 * connected / limit,
        f"{connected:,.0f} of {limit:,.0f} clients are connected",
        action="CLIENT LIST, by idle time",
    )


@check("REDIS-REJECTED", section=SECTION, warning=1, unit="connections", source="awesome-prometheus-alerts")
def rejected(seen: RedisFacts, before: RedisFacts | None) -> Reading | Gap:
    """A rejected connection is a request that the application has lost."""
    return _change(
        seen, before, "rejected_connections", "connections were rejected", "raise maxclients, or find who leaks them"
    )


@check("REDIS-EVICTED", section=SECTION, warning=1, unit="keys", source="awesome-prometheus-alerts")
def evicted(seen: RedisFacts, before: RedisFacts | None) -> Reading | Gap:
    """Evicted keys may have been queued jobs: database 0 holds both."""
    return _change(
        seen,
        before,
        "evicted_keys",
        "keys were evicted",
        "raise maxmemory, or move the cache out of the queues' server",
    )


@check("REDIS-FRAGMENTATION", section=SECTION, warning=1.4, unit="times", source="Redis MEMORY DOCTOR")
def fragmentation(seen: RedisFacts) -> Reading:
    """Memory that the allocator holds and Redis cannot use; below 5 MiB used or 10 MiB wasted it is noise."""
    used, ratio = _number(seen, "used_memory"), _number(seen, "mem_fragmentation_ratio")
    wasted = _number(seen, "mem_fragmentation_bytes")
    if used < _SMALL or wasted < _LITTLE_WASTE:
        return Reading(1, f"{size(max(0, wasted))} are lost to fragmentation: too little to matter")
    return Reading(
        ratio, f"ratio {ratio:.2f}: {size(wasted)} are lost", action="CONFIG SET activedefrag yes, or MEMORY PURGE"
    )


@check("REDIS-SAVE-FAILED", section=SECTION, critical=1, unit="failures", source="awesome-prometheus-alerts")
def saving(seen: RedisFacts) -> Reading:
    """When the last snapshot or append failed, the next restart loses data."""
    info = known(seen.info)
    keys = ("rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status")
    failed = [key for key in keys if info.get(key, "ok") != "ok"]
    told = ", ".join(f"{key} = {info[key]}" for key in failed) or "the last snapshot and append went well"
    return Reading(len(failed), told, action="look at Redis's log and its disk" if failed else "")


@check("REDIS-SNAPSHOT-AGE", section=SECTION, warning=48, unit="h", source="awesome-prometheus-alerts")
def snapshot_age(seen: RedisFacts) -> Reading | Gap:
    """With changes waiting, an old snapshot is what a restart falls back to."""
    waiting = _number(seen, "rdb_changes_since_last_save")
    if known(seen.info).get("aof_enabled") == 1 or not known(seen.saves):
        return Gap(SECTION, "snapshot age: snapshots are off, or the append-only file is on")
    if waiting == 0:
        return Reading(0, "nothing waits to be saved")
    age = seen.at.timestamp() - _number(seen, "rdb_last_save_time")
    return Reading(
        age / 3600,
        f"{waiting:,.0f} changes since the last snapshot {span(age)} ago",
        action="BGSAVE; and CONFIG GET save",
    )


@check("REDIS-REPLICATION", section=SECTION, critical=1, unit="failures", source="awesome-prometheus-alerts")
def replication(seen: RedisFacts) -> Reading | Gap:
    """A replica that has lost its primary serves old data; one that loads serves none."""
    info = known(seen.info)
    loading = [key for key in ("loading", "async_loading") if info.get(key) == 1]
    if info.get("role") == "slave":
        down = [info.get("master_link_status", "unknown")] if info.get("master_link_status") != "up" else []
        return Reading(len(down) + len(loading), f"link to the primary: {info.get('master_link_status', 'unknown')}")
    if loading:
        return Reading(1, "the server is loading its data", action="wait; look at its log")
    return Gap(SECTION, f"replication: a primary with {plural(int(_number(seen, 'connected_slaves')), 'replica')}")


@check("REDIS-HIT-RATIO", section=SECTION, unit="ratio", source="operations guide", trend="redis.hit_ratio")
def hit_ratio(seen: RedisFacts, before: RedisFacts | None) -> Reading | Gap:
    """Hits of all look-ups since the last look; since the server's start it would hide today."""
    if before is None:
        return _FIRST_LOOK
    hits, misses = _grown(seen, before, "keyspace_hits"), _grown(seen, before, "keyspace_misses")
    if not hits + misses:
        return Gap(SECTION, "hit ratio: nobody has looked anything up since the last look")
    return Reading(
        hits / (hits + misses), f"{100 * hits / (hits + misses):.1f} % of {hits + misses:,.0f} look-ups were hits"
    )


@check("REDIS-QUEUE-DEPTH", section=SECTION, unit="jobs", source="inventory", trend="redis.queue_depth")
def queue_depth(seen: RedisFacts) -> Reading | Gap:
    """Jobs that wait in the configured queues; what is many is for the inventory's limits to say."""
    return _queued(seen, "waiting", "wait", "are the workers running? rq info")


@check(
    "REDIS-JOBS-FAILED", section=SECTION, warning=1, unit="jobs", source="Atom Ops default", trend="redis.jobs_failed"
)
def failed_jobs(seen: RedisFacts) -> Reading | Gap:
    """Jobs that have failed and that nobody has looked at."""
    return _queued(seen, "failed", "have failed", "rq requeue --all, once the cause is known")


def _queued(seen: RedisFacts, kind: str, verb: str, action: str) -> Reading | Gap:
    queues = known(seen.queues)
    if not queues:
        return Gap(SECTION, f"jobs that {verb}: the inventory names no redis.queues")
    total = sum(getattr(queue, kind) for queue in queues)
    rows: Iterable[tuple[object, ...]] = ((queue.name, queue.waiting, queue.failed) for queue in queues)
    return Reading(
        total,
        f"{total:,} jobs {verb} in {plural(len(queues), 'queue')}",
        action=action,
        evidence=Evidence.of(("queue", "waiting", "failed"), rows),
    )


def _change(seen: RedisFacts, before: RedisFacts | None, counter: str, says: str, action: str) -> Reading | Gap:
    if before is None:
        return _FIRST_LOOK
    grown = _grown(seen, before, counter)
    return Reading(
        grown, f"{grown:,.0f} {says} in the last {span((seen.at - before.at).total_seconds())}", action=action
    )


def _grown(seen: RedisFacts, before: RedisFacts, counter: str) -> float:
    """The change of a counter; after a restart, another server or CONFIG RESETSTAT it is unknown."""
    same_run = known(seen.info).get("run_id") == known(before.info).get("run_id")
    grown = _number(seen, counter) - _number(before, counter)
    if not same_run or grown < 0:
        raise NotSeen(
            Unseen("the server was restarted or its counters reset since the last look", "the next look can compare")
        )
    return grown


def _number(seen: RedisFacts, key: str) -> float:
    value = known(seen.info).get(key)
    if isinstance(value, str) or value is None:
        raise NotSeen(Unseen(f"INFO has no number {key}", "a managed service may hide it"))
    return float(value)
