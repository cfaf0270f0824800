"""The load that the application makes for itself: a fixed pattern, so that every demo has the same story to tell."""

import asyncio
import itertools
import logging
import random

import httpx

from atomops.sandbox.application.settings import Settings

LOG = logging.getLogger("services.traffic")
_SLOW_EVERY = 12  # 8 % of the requests: enough to move the 95th percentile
_BROKEN_EVERY = 40  # 2.5 % of the requests: above the warning level of errors, below the critical one
_RUN_EVERY = 5
_TIMEOUT = 15  # seconds


async def make(settings: Settings) -> None:
    """Requests at a steady pace for ever, each on its own, so that a slow answer holds up no other."""
    under_way: set[asyncio.Task[None]] = set()
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{settings.port}", timeout=_TIMEOUT, trust_env=False
    ) as client:
        agents = await _agents(client)
        for number in itertools.count():
            task = asyncio.create_task(_send(client, *_request(number, random.choice(agents))))  # noqa: S311 - no secret
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            await asyncio.sleep(1 / settings.requests_per_second)


async def _agents(client: httpx.AsyncClient) -> list[str]:
    while True:
        try:
            return [agent["id"] for agent in (await client.get("/api/agents")).raise_for_status().json()]
        except httpx.HTTPError:
            await asyncio.sleep(0.2)  # the server is not up yet


def _request(number: int, agent: str) -> tuple[str, str]:
    if number % _SLOW_EVERY == 1:
        return "GET", "/api/reports/usage"
    if number % _BROKEN_EVERY == 2:  # noqa: PLR2004 - any place in the pattern that is not the slow one's
        return "POST", "/api/webhooks/billing"
    if number % _RUN_EVERY == 0:
        return "POST", f"/api/agents/{agent}/run"
    return ("GET", "/api/agents") if number % 2 else ("GET", f"/api/agents/{agent}")


async def _send(client: httpx.AsyncClient, method: str, path: str) -> None:
    try:
        await client.request(method, path)
    except httpx.HTTPError as error:
        LOG.warning("%s %s was not answered: %s", method, path, type(error).__name__)
