"""The application's small API, whose traffic puts agents and skills to work."""

import json
import logging
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from atomops.sandbox.application import admin, health, metrics, work
from atomops.sandbox.application.log import coded

if TYPE_CHECKING:
    from atomops.sandbox.application.parts import Parts

LOG = logging.getLogger("api.agent_routes")
DATABASE_LOG = logging.getLogger("services.database")
_CACHE_SECONDS = 20
_SLOW_SECONDS = 1.3


async def agents(request: Request) -> JSONResponse:
    """Every agent, from the database."""
    parts: Parts = request.app.state.parts
    return JSONResponse(await work.agents(parts.database))


async def agent(request: Request) -> JSONResponse:
    """One agent, from the cache when it knows it."""
    parts: Parts = request.app.state.parts
    key = f"{admin.CACHED}agent:{request.path_params['id']}"
    parts.remembered.add(request.path_params["id"])
    cached = await parts.redis.get(key)
    if cached is None:
        known = {one["id"]: one for one in await work.agents(parts.database)}
        cached = json.dumps(known.get(request.path_params["id"]))
        await parts.redis.set(key, cached, ex=_CACHE_SECONDS)
    found: dict[str, Any] | None = json.loads(cached)
    return JSONResponse(found, status_code=200) if found else JSONResponse({"detail": "Not found"}, status_code=404)


async def run(request: Request) -> JSONResponse:
    """Put the agent to work; the answer says how that ended."""
    parts: Parts = request.app.state.parts
    return JSONResponse(await work.run(parts, request.path_params["id"]))


async def usage(request: Request) -> JSONResponse:
    """The slow one: a report that nobody has tuned."""
    parts: Parts = request.app.state.parts
    async with parts.database.session() as session:
        row = await session.execute("SELECT count(*), pg_sleep(%s) FROM agent_executions", (_SLOW_SECONDS,))
        return JSONResponse({"executions": (await row.fetchone() or [0])[0]})


async def webhook(request: Request) -> JSONResponse:
    """The broken one: it expects a header that its caller no longer sends, and says so with a traceback."""
    signature = request.headers["X-Atom-Signature"]
    return JSONResponse({"accepted": bool(signature)})


async def failed(_request: Request, _error: Exception) -> JSONResponse:
    """What a caller sees of an exception; the server logs it with its traceback."""
    return JSONResponse({"detail": "Internal server error"}, status_code=500)


async def timed_out(_request: Request, error: Exception) -> JSONResponse:
    """No session of the pool became free."""
    LOG.warning("No database session became free: %s", error)
    return JSONResponse({"detail": "Busy"}, status_code=503)


async def without_database(_request: Request, error: Exception) -> JSONResponse:
    """The database refuses us, or has ended our session."""
    DATABASE_LOG.error("Database connection failed: %s", type(error).__name__, extra=coded("DB_001"))
    return JSONResponse({"detail": "Database unavailable"}, status_code=503)


ROUTES = [
    Route("/health/live", health.live),
    Route("/health/ready", health.ready),
    Route("/health/metrics", metrics.page),
    Route("/metrics", metrics.page),
    Route("/api/agents", agents),
    Route("/api/agents/{id}", agent),
    Route("/api/agents/{id}/run", run, methods=["POST"]),
    Route("/api/agents/{id}/profile", admin.profile, methods=["POST"]),
    Route("/api/admin/cache/clear", admin.clear_cache, methods=["POST"]),
    Route("/api/reports/usage", usage),
    Route("/api/webhooks/billing", webhook, methods=["POST"]),
]
