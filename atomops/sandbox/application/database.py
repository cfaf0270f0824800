"""The application's sessions with PostgreSQL: a few, reused, and counted."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import psycopg

from atomops.sandbox.application.metrics import QUERY_SECONDS, SESSIONS_ACTIVE, SESSIONS_IDLE
from atomops.sandbox.application.settings import Settings

NAME = "atom-backend"
_SIZE = 5
_CONNECT_SECONDS = 3
_WAIT_SECONDS = 10

Session = psycopg.AsyncConnection


async def connect(settings: Settings, name: str = NAME) -> Session:
    """A session in autocommit. Raises psycopg.OperationalError."""
    return await Session.connect(
        settings.database,
        password=settings.database_password,
        application_name=name,
        connect_timeout=_CONNECT_SECONDS,
        autocommit=True,
    )


@dataclass
class Pool:
    """At most five sessions; one that broke is replaced by the next who needs it, and so are all that lay idle."""

    settings: Settings
    _free: list[Session] = field(default_factory=list)
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_SIZE))

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A session of one's own, until the block ends. Raises psycopg.OperationalError or TimeoutError."""
        async with asyncio.timeout(_WAIT_SECONDS):
            await self._places.acquire()
        try:
            session = self._free.pop() if self._free else await connect(self.settings)
            with SESSIONS_ACTIVE.track_inprogress(), QUERY_SECONDS.time():
                try:
                    yield session
                finally:
                    await self._give_back(session)
        finally:
            self._places.release()
            SESSIONS_IDLE.set(len(self._free))

    async def _give_back(self, session: Session) -> None:
        if session.closed:  # the server has ended it, and the idle ones most likely with it
            await self.close()
        elif session.info.transaction_status:
            await session.close()
        else:
            self._free.append(session)

    async def close(self) -> None:
        """Every idle session is closed."""
        while self._free:
            await self._free.pop().close()
