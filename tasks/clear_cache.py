"""Clear caches: look what is there, delete it from Redis, ask the application to clear its own."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from atomops.administration import endpoint, redis_keys
from atomops.administration.redis_clear import Clearing
from atomops.errors import AtomOpsError, NotThere
from atomops.facts.cache import Answered, Keyspace, RedisCleared, Traffic
from atomops.inventory import Cache, Redis, Target
from atomops.plans.cache import prefix_meant, refuse_flush, refuse_prefix
from atomops.probes.redis import address
from atomops.verdict import Unseen
from tasks.probe import may_succeed_next_time


@task(
    task_run_name="look-at-redis",
    cache_policy=NO_CACHE,
    retries=1,
    retry_delay_seconds=2,
    retry_condition_fn=may_succeed_next_time,
)
async def look(target: Target, prefix: str, queues: tuple[str, ...], seconds: float, *, flush: bool) -> RedisCleared:
    """What a clear would delete, before it does. Raises Refused, naming the queues, for what must not be cleared."""
    settings, cache = settings_of(target)
    prefix = "" if flush else prefix_meant(prefix, cache)
    if not flush:
        refuse_prefix(prefix, cache, settings.queues)
    known = await redis_keys.queues_in(settings, cache, thoroughly=flush)
    if flush:
        refuse_flush(queues, known)
    else:
        refuse_prefix(prefix, cache, (queue.name for queue in known))
    before = await redis_keys.traffic(settings, seconds)
    found = await redis_keys.found_in(settings, cache, prefix)
    return RedisCleared(address(settings), prefix, flush, found, known, before)


@task(task_run_name="clear-redis", cache_policy=NO_CACHE)
async def clear_redis(target: Target, seen: RedisCleared, queues: tuple[str, ...]) -> Clearing:
    """What came of it, attempt by attempt. Raises Refused when a queue has come up that is not named."""
    settings, cache = settings_of(target)
    clearing = Clearing(settings, cache)
    await (clearing.whole(queues) if seen.flush else clearing.by_prefix(seen.prefix))
    return clearing


@task(task_run_name="watch-traffic", cache_policy=NO_CACHE)
async def watch_traffic(target: Target, seconds: float) -> Traffic | Unseen | None:
    """Look-ups of others for so long. Never raises: what cannot be seen says why."""
    return await redis_keys.traffic(settings_of(target)[0], seconds)


@task(task_run_name="look-again", cache_policy=NO_CACHE)
async def look_again(target: Target, seen: RedisCleared) -> Keyspace | Unseen:
    """What lies there again. Never raises: what cannot be seen says why."""
    settings, cache = settings_of(target)
    try:
        return await redis_keys.found_in(settings, cache, seen.prefix)
    except AtomOpsError as error:
        return Unseen(error.what, error.action)


@task(task_run_name="clear-application", cache_policy=NO_CACHE)
async def clear_application(target: Target, asked: endpoint.Endpoint) -> Answered:
    """What the application's endpoint answered. Never raises, and is never repeated."""
    return await endpoint.ask(target, asked)


def application_of(target: Target) -> endpoint.Endpoint:
    """The endpoint that clears the application's own cache. Raises NotThere where it is not configured."""
    cache = cache_of(target)
    return endpoint.Endpoint(
        "cache", cache.method, endpoint.address_of(target, cache.clear), cache.token, cache.timeout
    )


def cache_of(target: Target) -> Cache:
    """The settings. Raises NotThere without them."""
    if target.cache is None:
        action = 'add [targets.….cache], with prefixes = ["cache:"] and token = "env:NAME"'
        raise NotThere(f"the inventory does not say how the cache of {target.name} is cleared", action=action)
    return target.cache


def settings_of(target: Target) -> tuple[Redis, Cache]:
    """Redis, and what may be cleared there. Raises NotThere where one of them is not configured."""
    if target.redis is None:
        raise NotThere(f"the target {target.name} has no Redis", action="add [targets.….redis], or what=application")
    return target.redis, cache_of(target)
