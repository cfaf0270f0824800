"""The application's health, in its own shape: booleans by component, and a 503 that wraps them in `detail`."""

import asyncio
import datetime as dt
import logging
import shutil
import time
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse

from atomops.sandbox.application.parts import Parts

LOG = logging.getLogger("api.health_routes")
_SECONDS = 2  # that a component may take
_LEAST_FREE_GB = 0.1
_GB = 1024**3

Component = dict[str, Any]


async def live(_request: Request) -> JSONResponse:
    """The process answers."""
    return JSONResponse({"status": "alive", "timestamp": _now()})


async def ready(request: Request) -> JSONResponse:
    """200 when every component answers, else 503; both carry what each one said."""
    parts: Parts = request.app.state.parts
    components = await asyncio.gather(_timed(_database, parts), _timed(_redis, parts), _timed(_disk, parts))
    checks = dict(zip(("database", "redis", "disk"), components, strict=True))
    if all(component["healthy"] for component in components):
        return JSONResponse({"status": "ready", "timestamp": _now(), "checks": checks})
    return JSONResponse({"detail": {"status": "not_ready", "timestamp": _now(), "checks": checks}}, status_code=503)


async def _timed(look: Callable[[Parts], Awaitable[Component]], parts: Parts) -> Component:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(_SECONDS):
            component = await look(parts)
    except (psycopg.Error, RedisError, OSError) as error:  # a TimeoutError is an OSError
        LOG.error("Health check failed: %s", error)  # noqa: TRY400 - one line, as the application writes it
        component = {"healthy": False, "message": f"{type(error).__name__}: {str(error).strip() or 'no answer'}"}
    return component | {"latency_ms": round((time.perf_counter() - started) * 1000, 2)}


async def _database(parts: Parts) -> Component:
    async with parts.database.session() as session:
        await session.execute("SELECT 1")
    return {"healthy": True, "message": "Database connection OK"}


async def _redis(parts: Parts) -> Component:
    await parts.redis.ping()
    return {"healthy": True, "message": "Redis connection OK"}


async def _disk(parts: Parts) -> Component:
    free = shutil.disk_usage(parts.settings.log.parent).free / _GB
    return {"healthy": free > _LEAST_FREE_GB, "message": f"{free:.1f} GB free", "free_gb": round(free, 2)}


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat()
