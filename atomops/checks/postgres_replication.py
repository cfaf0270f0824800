"""What depends on this server: replicas, slots, the archive."""

from atomops.facts.postgres import PostgresFacts
from atomops.humane import plural, size, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, Reading, known

SECTION = "Database"
_MEGABYTE = 1024**2
_GIGABYTE = 1024**3


@check("PG-REPLICATION-LAG", section=SECTION, warning=30, critical=300, unit="s", source="pgEdge / CloudNativePG")
def replication_lag(seen: PostgresFacts) -> Reading | Gap:
    """What a replica has not yet replayed is lost if the primary is, and is stale to whoever reads there."""
    server = seen.server
    if server.is_replica:
        delay = server.replay_delay or 0
        return Reading(
            delay, f"this replica is {span(delay)} behind its primary", action="look at its network and load"
        )
    replicas = known(seen.replicas)
    if not replicas:
        return Gap(SECTION, "replication: no replica is connected")
    slowest = max(replicas, key=lambda replica: replica.lag)
    rows = ((each.name, each.address, each.state, span(each.lag), size(each.lag_bytes)) for each in replicas)
    return Reading(
        slowest.lag,
        f"the slowest of {plural(len(replicas), 'replica')}, {slowest.name}, is {span(slowest.lag)} behind",
        action=f"look at the load and network of {slowest.name}",
        evidence=Evidence.of(("replica", "address", "state", "behind", "bytes behind"), rows),
    )


@check("PG-REPLICATION-LAG-BYTES", section=SECTION, warning=100 * _MEGABYTE, unit="bytes", source="pgEdge")
def replication_lag_bytes(seen: PostgresFacts) -> Reading | Gap:
    """Lag in bytes also shows a replica that has stopped replaying altogether."""
    replicas = known(seen.replicas)
    if not replicas:
        return Gap(SECTION, "replication: no replica is connected")
    slowest = max(replicas, key=lambda replica: replica.lag_bytes)
    return Reading(
        slowest.lag_bytes,
        f"{slowest.name} is {size(slowest.lag_bytes)} behind",
        action=f"look at the load and network of {slowest.name}",
    )


@check("PG-SLOT-RETAINED", section=SECTION, warning=_GIGABYTE, unit="bytes", source="pgEdge")
def slot_retained(seen: PostgresFacts) -> Reading | Gap:
    """A slot keeps write-ahead log until its consumer has read it: a slow one fills the disk."""
    slots = known(seen.slots)
    if not slots:
        return Gap(SECTION, "replication slots: there are none")
    largest = max(slots, key=lambda slot: slot.retained)
    rows = ((slot.name, slot.kind, slot.active, slot.wal_status, size(slot.retained)) for slot in slots)
    return Reading(
        largest.retained,
        f"slot {largest.name} keeps {size(largest.retained)} of write-ahead log",
        action=f"look at its consumer; if that is gone: SELECT pg_drop_replication_slot('{largest.name}');",
        evidence=Evidence.of(("slot", "kind", "active", "status", "keeps"), rows),
    )


@check("PG-SLOT-INACTIVE", section=SECTION, critical=1, unit="slots", source="pgEdge")
def slot_inactive(seen: PostgresFacts) -> Reading | Gap:
    """A slot that nobody reads, or that is lost, is a standby or subscriber that will not catch up by itself."""
    slots = known(seen.slots)
    if not slots:
        return Gap(SECTION, "replication slots: there are none")
    bad = [slot for slot in slots if not slot.active or slot.wal_status == "lost"]
    return Reading(
        len(bad),
        f"{len(bad)} of {plural(len(slots), 'slot')} inactive or lost",
        action="start the consumer, or drop the slot: SELECT pg_drop_replication_slot('...')",
        evidence=Evidence.of(("slot", "active", "status"), ((slot.name, slot.active, slot.wal_status) for slot in bad)),
    )


@check("PG-ARCHIVER-FAILING", section=SECTION, warning=1, unit="failures", source="CloudNativePG")
def archiver_failing(seen: PostgresFacts) -> Reading | Gap:
    """While the archive command fails, write-ahead log piles up and point-in-time recovery has a hole."""
    (archiver,) = known(seen.archiver)
    if archiver.mode == "off":
        return Gap(SECTION, "write-ahead log archiving is off")
    if not archiver.failing:
        last = (
            f"{span(archiver.last_success_age)} ago"
            if archiver.last_success_age is not None
            else "never, and none failed"
        )
        return Reading(0, f"the last segment was archived {last}")
    return Reading(
        1,
        f"the last attempt to archive failed ({archiver.last_failed}; {archiver.failures:,} failures in all)",
        action="look for 'archive command failed' in the server's log",
    )
