"""Redis's memory: how full, how torn, and what survives a restart."""

from atomops.facts.redis import RedisFacts, number, word
from atomops.humane import size, span
from atomops.registry import check
from atomops.verdict import Gap, NotSeen, Reading, Unseen, known

SECTION = "Redis"
_APA = "awesome-prometheus-alerts"
_SMALL = 5 * 1024**2  # MEMORY DOCTOR says nothing of fragmentation below 5 MiB
_TORN = 1.4
_LITTLE_WASTE = 10 * 1024**2
_SET_LIMIT = "CONFIG SET maxmemory, with a maxmemory-policy that spares the queues"


@check("REDIS-MEMORY", section=SECTION, warning=80, critical=90, unit="%", source=_APA, trend="redis.memory")
def memory(seen: RedisFacts) -> Reading:
    """At its limit Redis evicts keys or refuses writes; without a limit the machine's memory is the limit."""
    used, limit = number(seen, "used_memory"), number(seen, "maxmemory")
    if not limit:
        return _without_limit(used, number(seen, "total_system_memory"))
    policy = known(seen.info).get("maxmemory_policy", "?")
    return Reading(
        100 * used / limit,
        f"{size(used)} of {size(limit)} are used (maxmemory, then {policy})",
        action="redis-cli --bigkeys; or raise maxmemory",
    )


def _without_limit(used: float, machine: float) -> Reading:
    if not machine:
        raise NotSeen(Unseen("maxmemory is 0, and the server does not know its machine's memory", _SET_LIMIT))
    told = f"{size(used)} of the machine's {size(machine)} are used; maxmemory is 0, so there is no other limit"
    return Reading(100 * used / machine, told, action=_SET_LIMIT)


@check("REDIS-FRAGMENTATION", section=SECTION, warning=_TORN, unit="times", source="Redis MEMORY DOCTOR")
def fragmentation(seen: RedisFacts) -> Reading | Gap:
    """Memory that the allocator holds and Redis cannot use; below 5 MiB used or 10 MiB lost it is noise."""
    used, ratio = number(seen, "used_memory"), number(seen, "mem_fragmentation_ratio")
    lost = number(seen, "mem_fragmentation_bytes")
    if used < _SMALL:
        return Gap(SECTION, f"fragmentation: only {size(used)} are used, which says nothing below {size(_SMALL)}")
    if ratio >= _TORN and lost <= _LITTLE_WASTE:
        return Gap(SECTION, f"fragmentation: only {size(lost)} are lost, which is noise below {size(_LITTLE_WASTE)}")
    return Reading(
        ratio,
        f"{ratio:.2f} times as much memory is held as used; {size(max(0, lost))} are lost",
        action="MEMORY PURGE, or CONFIG SET activedefrag yes",
    )


@check("REDIS-SAVE-FAILED", section=SECTION, critical=1, unit="failures", source=_APA)
def saving(seen: RedisFacts) -> Reading:
    """When the last snapshot or append failed, the next restart loses data, and writes may be refused until then."""
    said = {key: word(seen, key) for key in ("rdb_last_bgsave_status", "aof_last_write_status")}
    failed = [key for key, status in said.items() if status != "ok"]
    told = ", ".join(f"{key} is {said[key]}" for key in failed) or "the last snapshot and append went well"
    return Reading(len(failed), told, action="look at Redis's log and at the room on its disk" if failed else "")


@check("REDIS-SNAPSHOT-AGE", section=SECTION, warning=48, unit="h", source=_APA)
def snapshot_age(seen: RedisFacts) -> Reading | Gap:
    """A crash falls back to the last snapshot: with changes since then, its age is what would be lost."""
    if not known(seen.saves):
        appends = known(seen.info).get("aof_enabled") == 1
        instead = "the append-only file is on" if appends else "nothing survives a restart, queued jobs included"
        return Gap(SECTION, f'snapshot age: snapshots are off (save ""); {instead}')
    changes = number(seen, "rdb_changes_since_last_save")
    if not changes:
        return Reading(0, "nothing has changed since the last snapshot")
    offset = 0.0 if isinstance(seen.clock_offset, Unseen) else seen.clock_offset
    age = max(0.0, seen.at.timestamp() + offset - number(seen, "rdb_last_save_time"))
    told = f"{changes:,.0f} changes since the last snapshot, {span(age)} ago"
    return Reading(age / 3600, told, action="BGSAVE, then LASTSAVE; CONFIG GET save")
