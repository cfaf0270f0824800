"""Jobs in lists of the same Redis database as the cache, laid out as the RQ library does."""

import asyncio
import itertools
import logging
import time
import uuid

from redis.asyncio import Redis
from redis.exceptions import RedisError

from atomops.sandbox.application.log import coded
from atomops.sandbox.application.parts import Parts

LOG = logging.getLogger("services.worker")
QUEUE = "default"
_BACKLOG = 25  # jobs that the worker never catches up with
_FAILS_EVERY = 60
_KEPT_FAILURES = 200
_JOB_SECONDS = 3600
_PAUSE_SECONDS = 0.25


async def push(redis: Redis, what: str) -> None:
    """A job waits in the queue."""
    job = str(uuid.uuid4())
    async with redis.pipeline() as pipe:
        pipe.sadd("rq:queues", f"rq:queue:{QUEUE}")
        pipe.hset(f"rq:job:{job}", mapping={"description": what, "status": "queued", "origin": QUEUE})
        pipe.expire(f"rq:job:{job}", _JOB_SECONDS)
        pipe.rpush(f"rq:queue:{QUEUE}", job)
        await pipe.execute()


async def work_off(parts: Parts) -> None:
    """A worker that lags behind, for ever; now and then a job fails."""
    for number in itertools.count(1):
        try:
            await _next(parts.redis, fails=number % _FAILS_EVERY == 0)
        except (RedisError, OSError) as error:
            LOG.error("Worker lost its queue: %s", type(error).__name__, extra=coded("QUEUE_001"))  # noqa: TRY400 - one line, as the application writes it
            await asyncio.sleep(2)
        await asyncio.sleep(_PAUSE_SECONDS)


async def _next(redis: Redis, *, fails: bool) -> None:
    if await redis.llen(f"rq:queue:{QUEUE}") <= _BACKLOG:
        return
    job = str(await redis.lpop(f"rq:queue:{QUEUE}"))
    if fails:
        await redis.zadd(f"rq:failed:{QUEUE}", {job: time.time()})
        await redis.zremrangebyrank(f"rq:failed:{QUEUE}", 0, -_KEPT_FAILURES - 1)
        LOG.error("Job %s failed", job, extra=coded("JOB_FAILED"))
    else:
        await redis.delete(f"rq:job:{job}")
