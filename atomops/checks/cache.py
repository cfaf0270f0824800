"""Whether the caches were cleared, of how much, what a failover cost, and how look-ups do before and after."""

from collections import Counter
from collections.abc import Iterator

from atomops.facts.cache import CacheFacts, Keyspace, RedisCleared, Traffic
from atomops.facts.outcome import Outcome
from atomops.humane import plural, size, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen, known

SECTION = "Cache"
_GUIDE = "operations guide"
_SHOWN = 10  # names of keys
_DRY = "dry run: nothing was cleared"
_NO_REDIS = "Redis: only the application's own cache was asked for"


@check("CACHE-RUN", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def run(outcome: Outcome[CacheFacts]) -> Reading:
    """Everything that was asked for was cleared, or would be: each request, command and number of keys."""
    if outcome.facts is None:
        return outcome.reachable("the clearing")
    seen = outcome.facts
    rows = [*((step.what, step.exactly) for step in seen.steps), *_told_beside(seen.redis)]
    problems = [part.problem for part in (seen.redis, seen.application) if part is not None and part.problem]
    evidence = Evidence.of(("would be done" if seen.dry_run else "done", "exactly"), rows)
    if problems:
        told = "; ".join(problem.reason for problem in problems)
        return Reading(len(problems), told, action=problems[0].action, evidence=evidence)
    done = "would be cleared; nothing was changed" if seen.dry_run else "cleared"
    what = [_of_redis(seen.redis, dry_run=seen.dry_run)] if seen.redis else []
    what += ["the application's own cache"] if seen.application or _asks(seen) else []
    return Reading(0, f"{' and '.join(what)} {done}", evidence=evidence)


def _told_beside(seen: RedisCleared | None) -> Iterator[tuple[str, str]]:
    """What somebody wants to see before and after, without opening the report's other findings."""
    if seen is None:
        return
    for key in seen.found.sampled[:_SHOWN]:
        told = (key.name, key.kind, "" if key.size is None else size(key.size), f"expires: {_expiry(key.ttl)}")
        yield f"for example, of {plural(seen.found.keys, 'key')}", "  ".join(filter(None, told))
    for when, traffic in (("before", seen.before), ("after", seen.after)):
        if isinstance(traffic, Traffic):
            yield (
                "look-ups in Redis",
                f"{when}: {traffic.hits:,} hits, {traffic.misses:,} misses in {span(traffic.seconds)}",
            )


def _asks(seen: CacheFacts) -> bool:
    return any(step.exactly.startswith(("POST ", "PUT ", "DELETE ")) for step in seen.steps)


def _of_redis(seen: RedisCleared, *, dry_run: bool) -> str:
    where = "of the whole database" if seen.flush else f"under {seen.prefix!r}"
    return f"{plural(seen.found.keys if dry_run else seen.removed, 'key')} {where}"


@check("CACHE-APPLICATION", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def application(seen: CacheFacts) -> Reading | Gap:
    """The application's endpoint has answered that its cache is cleared."""
    if seen.application is None:
        return Gap(SECTION, f"the application's endpoint: {_DRY if seen.dry_run else 'only Redis was asked for'}")
    answered = seen.application
    if answered.problem is not None:
        return Reading(1, answered.problem.reason, action=answered.problem.action)
    return Reading(0, f"{answered.request} answers {answered.status} in {span(answered.seconds)}: {answered.said}")


@check("CACHE-KEYS-FOUND", section=SECTION, unit="keys", source=_GUIDE)
def keys_found(seen: CacheFacts) -> Reading | Gap:
    """How many keys there were, of which kinds, how large (by a sample), and when they would have expired."""
    if seen.redis is None:
        return Gap(SECTION, _NO_REDIS)
    found = seen.redis.found
    rows = [
        (each.name, each.kind, "" if each.size is None else size(each.size), _expiry(each.ttl))
        for each in found.sampled[:_SHOWN]
    ]
    evidence = Evidence.of(("for example", "type", "size", "expires in"), rows) if rows else None
    return Reading(found.keys, _described(seen.redis), evidence=evidence)


def _described(seen: RedisCleared) -> str:
    found = seen.found
    if seen.flush:
        return f"{plural(found.keys, 'key')} in {seen.where}"
    kinds = Counter(each.kind for each in found.sampled)
    told = f"{found.keys:,} of {plural(found.of, 'key')} of {seen.where} begin with {seen.prefix!r}"
    if found.size is not None:
        told += f", about {size(found.size)} (by a sample of {len(found.sampled)})"
    return told + (f": {', '.join(f'{number} {kind}' for kind, number in kinds.most_common())}" if kinds else "")


def _expiry(ttl: float | None) -> str:
    return "never" if ttl is None else span(ttl)


@check("CACHE-INCOMPLETE", section=SECTION, critical=1, unit="failures", source="Atom Ops: never a false success")
def incomplete(seen: CacheFacts) -> Reading | Gap:
    """One scan came from its first key to its last on one and the same primary, which deleted every key that it met."""
    if seen.redis is None or seen.dry_run:
        return Gap(SECTION, _NO_REDIS if seen.redis is None else f"Redis: {_DRY}")
    redis = seen.redis
    if redis.problem is not None:
        told = f"at least {plural(redis.removed, 'key')} deleted, but not known to be all: {redis.problem.reason}"
        return Reading(1, told, action=f"{redis.problem.action}; then run it again", evidence=_attempts(redis))
    return Reading(0, f"{'' if redis.is_exact else 'at least '}{plural(redis.removed, 'key')} deleted")


@check("CACHE-INTERRUPTED", section=SECTION, warning=1, unit="interruptions", source="Atom Ops default")
def interrupted(seen: CacheFacts) -> Reading | Gap:
    """Redis did not fail over, restart or lose our connection in the middle of it."""
    if seen.redis is None or seen.dry_run:
        return Gap(SECTION, _NO_REDIS if seen.redis is None else f"interruptions: {_DRY}")
    lost = [each for each in seen.redis.passes if each.problem]
    if not lost:
        return Reading(0, "Redis was the same primary from beginning to end")
    told = f"{plural(len(lost), 'attempt')} ended early, the scan was begun anew: {lost[-1].problem}"
    action = "look at Redis's log and at its replication: what a failover lost may have been jobs as well"
    return Reading(len(lost), told, action=action, evidence=_attempts(seen.redis))


def _attempts(redis: RedisCleared) -> Evidence:
    rows = ((each.server[:12] or "not reached", f"{each.removed:,}", each.problem or "done") for each in redis.passes)
    return Evidence.of(("server (run id)", "keys deleted, as it said", "how it ended"), rows)


@check("CACHE-KEYS-LEFT", section=SECTION, unit="keys", source="information")
def keys_left(seen: CacheFacts) -> Reading | Gap:
    """What lies there again: an application at work fills its cache anew at once."""
    if seen.redis is None or seen.redis.left is None:
        return Gap(SECTION, _NO_REDIS if seen.redis is None else f"keys afterwards: {_DRY}")
    left: Keyspace = known(seen.redis.left)
    return Reading(left.keys, f"{plural(left.keys, 'key')} there a moment later, written anew meanwhile")


@check("CACHE-JOBS-DELETED", section=SECTION, warning=1, unit="jobs", source=_GUIDE)
def jobs_deleted(seen: CacheFacts) -> Reading | Gap:
    """No job queue lay in what was cleared, unless FLUSHDB was asked for by the names of its queues."""
    if seen.redis is None:
        return Gap(SECTION, _NO_REDIS)
    queues = seen.redis.queues
    rows = Evidence.of(("queue", "jobs"), ((each.name, f"{each.jobs:,}") for each in queues)) if queues else None
    if seen.redis.flush and not seen.redis.problem:
        jobs = sum(each.jobs for each in queues)
        verb = "would go" if seen.dry_run else "gone"
        return Reading(
            jobs, f"{plural(jobs, 'job')} of {plural(len(queues), 'queue')} {verb} with FLUSHDB", evidence=rows
        )
    told = f"{plural(len(queues), 'job queue')} beside it, untouched"
    return Reading(0, told, evidence=rows)


@check("CACHE-HIT-RATIO-BEFORE", section=SECTION, unit="ratio", source=_GUIDE)
def ratio_before(seen: CacheFacts) -> Reading | Gap:
    """How many look-ups hit during a while before, without ours."""
    return _ratio(seen, seen.redis.before if seen.redis else None, "before")


@check("CACHE-HIT-RATIO-AFTER", section=SECTION, unit="ratio", source=_GUIDE)
def ratio_after(seen: CacheFacts) -> Reading | Gap:
    """How many look-ups hit during a while after: fewer, until the cache is warm again."""
    return _ratio(seen, seen.redis.after if seen.redis else None, "after")


def _ratio(seen: CacheFacts, traffic: Traffic | Unseen | None, when: str) -> Reading | Gap:
    if traffic is None:
        return Gap(SECTION, f"hit ratio {when}: {'it was not watched' if seen.redis else _NO_REDIS}")
    looked = known(traffic)
    asked = looked.hits + looked.misses
    if not asked:
        reason = f"nobody looked anything up in Redis during {span(looked.seconds)} {when}"
        raise NotSeen(
            Unseen(reason, "watch longer: watch_seconds=60; or look at REDIS-HIT-RATIO of the next checklist")
        )
    ratio = looked.hits / asked
    return Reading(
        ratio, f"{100 * ratio:.1f} % of {plural(asked, 'look-up')} in {span(looked.seconds)} {when} were hits"
    )
