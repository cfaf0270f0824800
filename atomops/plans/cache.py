"""Which keys may be cleared, and which never: the refusals of a clear, and its steps. Pure."""

from collections.abc import Iterable, Sequence

from atomops.errors import PermanentError
from atomops.facts.cache import Keyspace, QueueKeys
from atomops.facts.restore import Step
from atomops.humane import plural, span
from atomops.inventory import Cache
from atomops.inventory.cache import GLOB

RQ = "rq:"
_RQ_QUEUES = ("queue", "failed", "finished", "wip", "started", "deferred", "scheduled", "canceled", "intermediate")


class Refused(PermanentError):
    """Nothing was cleared, since it would have cost what nobody wanted to lose."""


def prefix_meant(said: str, cache: Cache) -> str:
    """The prefix as somebody has said it; without one the inventory's, where it has only one."""
    return cache.prefixes[0] if not said and len(cache.prefixes) == 1 else said


def refuse_prefix(prefix: str, cache: Cache, queues: Iterable[str]) -> None:
    """Raise Refused for a prefix that is empty, a pattern, not of the inventory's, or one of a job queue's keys."""
    allowed = ", ".join(cache.prefixes)
    if not cache.prefixes:
        action = 'name them: prefixes = ["cache:"] in [targets.….cache]'
        raise Refused("the inventory allows no prefix of Redis to be cleared", action=action)
    if not prefix:
        raise Refused("an empty prefix would clear everything, job queues included", action=f"name one of: {allowed}")
    if any(character in prefix for character in GLOB):
        action = f"a prefix is taken literally; the inventory allows {allowed}"
        raise Refused(f"{prefix!r} is a pattern, not a prefix", action=action)
    for key in [*cache.job_prefixes, *(f"{RQ}queue:{name}" for name in queues)]:
        if key.startswith(prefix) or prefix.startswith(key):
            raise Refused(
                f"the prefix {prefix!r} would match the keys of job queues ({key}…)", action="narrow the prefix"
            )
    if not prefix.startswith(cache.prefixes):
        action = f"name one of: {allowed}; or add it to prefixes in [targets.….cache]"
        raise Refused(f"the inventory does not allow the prefix {prefix!r} to be cleared", action=action)


def queue_of(key: str) -> str | None:
    """The name of the RQ queue that a key belongs to by its own name; None for jobs, workers and results."""
    kind, _, name = key.removeprefix(RQ).partition(":")
    return name if key.startswith(RQ) and kind in _RQ_QUEUES and name else None


def refuse_flush(named: Sequence[str], found: Sequence[QueueKeys], *, again: bool = False) -> None:
    """Raise Refused unless exactly those queues are named that FLUSHDB would delete.

    After an interruption (`again`) queues may be gone already: then only one that is not named is refused.
    """
    there = {queue.name for queue in found}
    unnamed, absent = sorted(there - set(named)), sorted(set(named) - there)
    if not unnamed and (again or not absent):
        return
    jobs = {queue.name: queue.jobs for queue in found}
    told = [f"it would delete {name} with {plural(jobs[name], 'job')}" for name in unnamed]
    told += [f"there is no queue {name}" for name in absent]
    wanted = ",".join(sorted(there))
    action = (
        f"to delete them all the same: flush_deletes_queues={wanted}" if wanted else "leave flush_deletes_queues out"
    )
    raise Refused(f"FLUSHDB is refused: {'; '.join(told)}", action=action)


def redis_steps(where: str, cache: Cache, prefix: str, found: Keyspace, queues: Sequence[QueueKeys]) -> list[Step]:
    """What will be sent to Redis; without a prefix the whole database goes."""
    if not prefix:
        lost = ", ".join(f"{queue.name} ({plural(queue.jobs, 'job')})" for queue in queues) or "no job queue"
        return [Step(f"delete all {plural(found.of, 'key')} of {where}, with {lost}", "FLUSHDB ASYNC")]
    what = f"delete {plural(found.keys, 'key')} of {found.of:,} in {where}"
    commands = f"SCAN cursor MATCH {prefix}* COUNT {cache.batch}; UNLINK key … ({cache.batch} at most)"
    return [Step(what, f"{commands}; at most {span(cache.within)}")]
