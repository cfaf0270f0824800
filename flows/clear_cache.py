"""The guide's Cache Optimization: clear the application's cache, and Redis by prefix instead of FLUSHDB."""

import datetime as dt
from dataclasses import replace
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.administration.endpoint import Endpoint
from atomops.facts.cache import CacheFacts, RedisCleared
from atomops.facts.restore import Step
from atomops.inventory import Target
from atomops.parameters import KeyPrefix, Name, TargetName, WatchSeconds, WhichCache
from atomops.plans.cache import redis_steps
from atomops.probes.parts import CACHE
from tasks.change import Record, changing
from tasks.clear_cache import application_of, cache_of, clear_application, clear_redis, look, look_again, watch_traffic
from tasks.judge import judge
from tasks.probe import outcome_of
from tasks.publish import final_state, publish
from tasks.target import load_target

PARTS = (CACHE,)


@flow(name="clear-cache", flow_run_name="clear-cache-{target}")
async def clear_cache(  # noqa: PLR0913 - each is a field of the run form
    target: TargetName = "production",
    *,
    what: WhichCache = "both",
    prefix: KeyPrefix = "",
    flush_database: bool = False,
    flush_deletes_queues: tuple[Name, ...] = (),
    watch_seconds: WatchSeconds = 10,
    dry_run: bool = True,
) -> State[Any]:
    """Clear the application's cache by its endpoint, and Redis by a prefix of its keys: job queues are never touched.

    Counted and sampled first. Redis that fails over in the middle is begun anew, and never told as done by mistake.
    Runbook: docs/runbook/clear-cache.md

    Args:
        target: The installation, as the inventory calls it.
        what: The application's own cache, Redis, or Redis and then the application.
        prefix: The keys of Redis to delete: one of cache.prefixes of the inventory, or narrower. No pattern. Without
            one: the inventory's, where it has only one.
        flush_database: Delete the whole database instead (FLUSHDB). Job queues in it are lost.
        flush_deletes_queues: For flush_database: every job queue that it would delete, by name; else it is refused.
        watch_seconds: Seconds before and after in which hits and misses of the application are counted; 0 for none.
        dry_run: Only say what would be deleted, and by which commands.
    """
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    outcome = await outcome_of(
        "the clearing",
        _clear(world, what, prefix, flush_deletes_queues, watch_seconds, flush=flush_database, dry_run=dry_run),
    )
    report = await judge("clear-cache", world, PARTS, [outcome], started_at)
    return final_state(await publish(report, world, [outcome]))


async def _clear(  # noqa: PLR0913 - what its user has said
    world: Target, what: str, prefix: str, queues: tuple[str, ...], seconds: float, *, flush: bool, dry_run: bool
) -> CacheFacts:
    parameters = {"what": what, "prefix": prefix, "flush_database": flush, "flush_deletes_queues": queues}
    async with changing(world, "clear-cache", parameters, dry_run=dry_run) as it:
        asked = application_of(world) if what != "redis" else None
        seen = await look(world, prefix, queues, seconds, flush=flush) if what != "application" else None
        steps = (*_redis(world, seen), *_application(asked))
        facts = CacheFacts(dt.datetime.now(dt.UTC), dry_run, steps, seen)
        it.plan = tuple(f"{step.what}: {step.exactly}" for step in steps)
        if dry_run:
            return facts
        facts = replace(facts, redis=await _clear_redis(world, seen, queues, seconds, it))
        if asked is not None:
            facts = replace(facts, application=await clear_application(world, asked))
            it.after["application"] = facts.application
        failed = [part for part in (facts.redis, facts.application) if part is not None and part.problem]
        it.result = "failed" if failed else it.result
    return facts


async def _clear_redis(
    world: Target, seen: RedisCleared | None, queues: tuple[str, ...], seconds: float, it: Record
) -> RedisCleared | None:
    """Redis first: an application that is cleared before it would fill its own cache from there."""
    if seen is None:
        return None
    it.before["keys"], it.before["queues"] = seen.found.keys, seen.queues
    cleared = await clear_redis(world, seen, queues)
    seen = replace(seen, passes=tuple(cleared.passes), problem=cleared.problem)
    it.after["deleted"] = seen.removed if seen.is_exact else f"at least {seen.removed}"
    after = await watch_traffic(world, seconds)
    return replace(seen, after=after, left=await look_again(world, seen))


def _redis(world: Target, seen: RedisCleared | None) -> tuple[Step, ...]:
    return () if seen is None else tuple(redis_steps(seen.where, cache_of(world), seen.prefix, seen.found, seen.queues))


def _application(asked: Endpoint | None) -> tuple[Step, ...]:
    return () if asked is None else (Step("clear the application's own cache", asked.request),)
