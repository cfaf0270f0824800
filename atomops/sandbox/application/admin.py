"""What only an administrator may ask for, by a token: the guide's endpoints, which the public Atom does not have."""

import functools
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from atomops.sandbox.application.parts import Parts

LOG = logging.getLogger("api.admin_routes")
CACHED = "atom:cache:"
Handler = Callable[[Request], Awaitable[JSONResponse]]


def with_token(handler: Handler) -> Handler:
    """Who has no token is told so (401), and who has a wrong one may not (403)."""

    @functools.wraps(handler)
    async def guarded(request: Request) -> JSONResponse:
        parts: Parts = request.app.state.parts
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer":
            return JSONResponse({"detail": "Not authenticated"}, status_code=401)
        if not hmac.compare_digest(given.encode(), parts.settings.admin_token.encode()):
            return JSONResponse({"detail": "Not enough rights"}, status_code=403)
        return await handler(request)

    return guarded


@with_token
async def clear_cache(request: Request) -> JSONResponse:
    """What this process itself has remembered is forgotten."""
    parts: Parts = request.app.state.parts
    cleared = len(parts.remembered)
    parts.remembered.clear()
    LOG.info("Cache cleared by an administrator: %s entries", cleared)
    return JSONResponse({"cleared": True, "entries": cleared})


@with_token
async def profile(request: Request) -> JSONResponse:
    """The profiling of one agent is on or off, as the body says."""
    parts: Parts = request.app.state.parts
    agent, enabled = request.path_params["id"], bool((await request.json()).get("enabled"))
    (parts.profiled.add if enabled else parts.profiled.discard)(agent)
    LOG.info("Profiling of agent %s is %s", agent, "on" if enabled else "off")
    return JSONResponse({"agent_id": agent, "enabled": agent in parts.profiled})
