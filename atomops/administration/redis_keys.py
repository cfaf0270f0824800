"""What lies under a prefix, which job queues there are, and how often look-ups hit: nothing is changed."""

import asyncio
from collections.abc import AsyncIterator

from redis import asyncio as client
from redis import exceptions

from atomops.administration.redis_session import primary, session
from atomops.errors import AtomOpsError
from atomops.facts.cache import Keyspace, QueueKeys, SampledKey, Traffic
from atomops.inventory import Cache, Redis
from atomops.plans.cache import RQ, queue_of
from atomops.probes.redis import address
from atomops.verdict import Unseen

_SAMPLED = 100  # keys whose size is asked for
_MOST_SECONDS = 600  # for one whole SCAN
_HELD = ("failed", "scheduled", "deferred", "wip")  # registries of jobs, beside the queue itself


async def found_in(settings: Redis, cache: Cache, prefix: str) -> Keyspace:
    """Every key under the prefix counted, the first of them sampled; "" counts all. Raises what `session` raises."""
    async with session(settings) as connection, asyncio.timeout(_MOST_SECONDS):
        await primary(connection, address(settings))
        return await _keyspace(connection, cache.batch, prefix)


async def queues_in(settings: Redis, cache: Cache, *, thoroughly: bool) -> tuple[QueueKeys, ...]:
    """The job queues that Redis and the inventory know; `thoroughly` looks for their keys as well (a whole SCAN)."""
    async with session(settings) as connection, asyncio.timeout(_MOST_SECONDS):
        return await queues(connection, settings, cache, thoroughly=thoroughly)


async def traffic(settings: Redis, seconds: float) -> Traffic | Unseen | None:
    """Look-ups of others for so long: none of ours are among them. None without a while to look."""
    if not seconds:
        return None
    try:
        async with session(settings) as connection:
            before = await connection.info("everything")
            await asyncio.sleep(seconds)
            after = await connection.info("everything")
    except AtomOpsError as error:
        return Unseen(error.what, error.action)
    hits, misses = (int(after[key]) - int(before[key]) for key in ("keyspace_hits", "keyspace_misses"))
    if hits < 0 or misses < 0 or before["run_id"] != after["run_id"]:
        return Unseen("its counters began again meanwhile", "look at REDIS-HIT-RATIO of the next checklist")
    return Traffic(hits, misses, seconds)


async def scanned(connection: client.Redis, prefix: bytes, batch: int) -> AsyncIterator[list[bytes]]:
    """The keys under a prefix, a few at a time; a key that is there all the while comes at least once."""
    cursor = 0
    while True:
        cursor, keys = await connection.scan(cursor, match=prefix + b"*", count=batch)
        yield [key for key in keys if isinstance(key, bytes) and key.startswith(prefix)]
        if cursor == 0:
            return


async def queues(connection: client.Redis, settings: Redis, cache: Cache, *, thoroughly: bool) -> tuple[QueueKeys, ...]:
    """As `queues_in`, on a session that is there."""
    names = {_text(key).removeprefix(f"{RQ}queue:") for key in await connection.smembers(f"{RQ}queues")}
    if thoroughly:
        async for keys in scanned(connection, RQ.encode(), cache.batch):
            names |= {name for name in map(queue_of, map(_text, keys)) if name}
    known = [QueueKeys(name, await _jobs(connection, name)) for name in sorted(names | set(settings.queues))]
    found = [each for each in known if each.name in names or each.jobs]
    for prefix in cache.job_prefixes if thoroughly else ():
        if prefix != RQ:
            kept = [len(keys) async for keys in scanned(connection, prefix.encode(), cache.batch)]
            found += [QueueKeys(prefix, sum(kept))] if sum(kept) else []
    return tuple(found)


async def _jobs(connection: client.Redis, name: str) -> int:
    held = [int(await connection.zcard(f"{RQ}{kind}:{name}")) for kind in _HELD]
    return int(await connection.llen(f"{RQ}queue:{name}")) + sum(held)


async def _keyspace(connection: client.Redis, batch: int, prefix: str) -> Keyspace:
    of = int(await connection.dbsize())
    if not prefix:
        return Keyspace(of, of)
    count, first = 0, list[bytes]()
    async for keys in scanned(connection, prefix.encode(), batch):
        count += len(keys)
        first += keys[: _SAMPLED - len(first)]
    return Keyspace(count, max(of, count), tuple([await _sampled(connection, key) for key in first]))


async def _sampled(connection: client.Redis, key: bytes) -> SampledKey:
    try:
        size = await connection.memory_usage(key)
    except exceptions.ResponseError:  # forbidden, or unknown to an old server: the others can still be told
        size = None
    kind, ttl = _text(await connection.type(key)), int(await connection.pttl(key))
    return SampledKey(_text(key), kind, None if size is None else int(size), ttl / 1000 if ttl >= 0 else None)


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
