"""The work that Redis does: what it turned away since the last look, and the job queues that live in it."""

from atomops.facts.redis import Queue, RedisFacts, grown
from atomops.humane import plural, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, Reading, Unseen, known

SECTION = "Redis"
_APA = "awesome-prometheus-alerts"
_SHOWN = 20  # queues


@check("REDIS-REJECTED", section=SECTION, warning=1, unit="connections", source=_APA)
def rejected(seen: RedisFacts, before: RedisFacts | None) -> Reading | Gap:
    """A rejected connection is a request that the application has lost."""
    action = "raise maxclients, or find who leaks connections: CLIENT LIST"
    return _change(seen, before, "rejected_connections", "connection", "rejected", action)


@check("REDIS-EVICTED", section=SECTION, warning=1, unit="keys", source=_APA)
def evicted(seen: RedisFacts, before: RedisFacts | None) -> Reading | Gap:
    """Evicted keys may have been queued jobs: database 0 holds both."""
    action = "raise maxmemory, or move the cache out of the queues' server"
    return _change(seen, before, "evicted_keys", "key", "evicted", action)


@check("REDIS-HIT-RATIO", section=SECTION, unit="ratio", source="operations guide", trend="redis.hit_ratio")
def hit_ratio(seen: RedisFacts, before: RedisFacts | None) -> Reading | Gap:
    """Hits of all look-ups since the last look; since the server's start it would hide today."""
    compared = _comparable(seen, before, "hit ratio")
    if isinstance(compared, Gap):
        return compared
    hits, misses = grown(seen, compared, "keyspace_hits"), grown(seen, compared, "keyspace_misses")
    if not hits + misses:
        return Gap(SECTION, "hit ratio: nobody has looked anything up since the last look")
    ratio = hits / (hits + misses)
    return Reading(ratio, f"{100 * ratio:.1f} % of {hits + misses:,.0f} look-ups since the last look were hits")


@check("REDIS-QUEUE-DEPTH", section=SECTION, unit="jobs", source="inventory", trend="redis.queue_depth")
def queue_depth(seen: RedisFacts) -> Reading | Gap:
    """Jobs that wait in the configured queues; what is many is for the inventory's limits to say."""
    queues = known(seen.queues)
    if not queues:
        return _no_queues("waiting")
    waiting = sum(queue.waiting for queue in queues)
    told = f"{plural(waiting, 'job')} waiting in {plural(len(queues), 'queue')}"
    return Reading(waiting, told, action="do the workers run? rq info", evidence=_rows(queues))


@check(
    "REDIS-JOBS-FAILED", section=SECTION, warning=1, unit="jobs", source="Atom Ops default", trend="redis.jobs_failed"
)
def failed_jobs(seen: RedisFacts) -> Reading | Gap:
    """Jobs that have failed and that nobody has looked at since."""
    queues = known(seen.queues)
    if not queues:
        return _no_queues("failed")
    failed = sum(queue.failed for queue in queues)
    told = f"{plural(failed, 'failed job')} in {plural(len(queues), 'queue')}"
    action = "look at the error log, then rq requeue --all --queue NAME" if failed else ""
    return Reading(failed, told, action=action, evidence=_rows(queues))


def _no_queues(kind: str) -> Gap:
    return Gap(SECTION, f"{kind} jobs: the inventory names no queues in redis.queues")


def _rows(queues: tuple[Queue, ...]) -> Evidence:
    fullest = sorted(queues, key=lambda queue: (queue.failed, queue.waiting), reverse=True)
    return Evidence.of(("queue", "waiting", "failed"), ((q.name, q.waiting, q.failed) for q in fullest[:_SHOWN]))


def _change(  # noqa: PLR0913, PLR0917 - two looks, and the words for one counter
    seen: RedisFacts, before: RedisFacts | None, counter: str, noun: str, verb: str, action: str
) -> Reading | Gap:
    compared = _comparable(seen, before, f"{verb} {noun}s")
    if isinstance(compared, Gap):
        return compared
    change = grown(seen, compared, counter)
    ago = span((seen.at - compared.at).total_seconds())
    return Reading(
        change, f"{plural(int(change), noun)} {verb} since the last look, {ago} ago", action=action if change else ""
    )


def _comparable(seen: RedisFacts, before: RedisFacts | None, what: str) -> RedisFacts | Gap:
    """The look before this one, if it saw the counters; that this one did not see them is for the caller UNKNOWN."""
    known(seen.info)
    if before is None or isinstance(before.info, Unseen):
        return Gap(SECTION, f"{what}: first look, nothing to compare with yet")
    return before
