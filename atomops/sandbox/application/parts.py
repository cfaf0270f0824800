"""What every part of the application shares."""

from dataclasses import dataclass, field

import redis.asyncio as redis

from atomops.sandbox.application.database import Pool
from atomops.sandbox.application.settings import Settings

_SECONDS = 2


@dataclass(frozen=True)
class Parts:
    """Clients of the servers behind the application, and what it keeps in its own memory."""

    settings: Settings
    database: Pool
    redis: redis.Redis
    remembered: set[str] = field(default_factory=set)
    profiled: set[str] = field(default_factory=set)

    async def close(self) -> None:
        """Every session is closed."""
        await self.database.close()
        await self.redis.aclose()


def connect(settings: Settings) -> Parts:
    """Clients that connect when they are first used, so that the application starts without its servers."""
    client = redis.Redis.from_url(
        settings.redis,
        password=settings.redis_password,
        decode_responses=True,
        socket_timeout=_SECONDS,
        socket_connect_timeout=_SECONDS,
    )
    return Parts(settings, Pool(settings), client)
