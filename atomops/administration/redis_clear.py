"""Delete by prefix, or the whole database, on whoever is the primary: a failover begins the scan anew."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from redis import asyncio as client
from redis import exceptions

from atomops.administration.redis_keys import queues, scanned
from atomops.administration.redis_session import FailingOver, primary, session
from atomops.errors import AtomOpsError, is_temporary
from atomops.facts.cache import Pass, QueueKeys
from atomops.inventory import Cache, Redis
from atomops.plans.cache import RQ, Refused, refuse_flush
from atomops.probes.redis import address
from atomops.verdict import Unseen

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0  # seconds between attempts, doubled each time


@dataclass
class Clearing:
    """A clear under way. `passes` are its attempts so far, and `problem` why the last one did not come to its end."""

    settings: Redis
    cache: Cache
    passes: list[Pass] = field(default_factory=list)
    problem: Unseen | None = None
    _removed: int = 0
    _server: str = ""

    async def by_prefix(self, prefix: str) -> None:
        """No key that was there before is left under the prefix, or `problem` says why that is not known."""
        wanted = prefix.encode()

        async def remove(connection: client.Redis) -> None:
            async for keys in scanned(connection, wanted, self.cache.batch):
                for some in _chunks(keys, self.cache.batch):
                    self._removed += int(await connection.unlink(*some))

        await self._until_done(remove)

    async def whole(self, named: tuple[str, ...]) -> None:
        """The database is empty for a moment, or `problem` says why not: FLUSHDB, if `named` are all its queues.

        Raises Refused when others are found at that very moment.
        """

        async def flush(connection: client.Redis) -> None:
            async with connection.pipeline(transaction=True) as pipe:
                await pipe.watch(f"{RQ}queues")  # a queue that is registered from here on makes EXEC fail
                found: tuple[QueueKeys, ...] = await queues(connection, self.settings, self.cache, thoroughly=True)
                refuse_flush(named, found, again=bool(self.passes))
                keys = int(await connection.dbsize())
                pipe.multi()  # type: ignore[no-untyped-call]
                pipe.execute_command("FLUSHDB", "ASYNC")
                await _executed(pipe)
                self._removed += keys

        await self._until_done(flush)

    async def _until_done(self, work: Callable[[client.Redis], Awaitable[None]]) -> None:
        """One attempt after the other, while they fail by what may pass and the inventory's time is not over."""
        deadline, wait = time.monotonic() + self.cache.within, _FIRST_PAUSE
        while True:
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    may_pass = await self._attempt(work)
            except TimeoutError:
                self._give_up(f"it was not done within {self.cache.within:g} s", "raise cache.within")
                return
            if not may_pass or time.monotonic() + wait > deadline:
                return
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_PAUSE)

    async def _attempt(self, work: Callable[[client.Redis], Awaitable[None]]) -> bool:
        """Whether it failed by what may pass. Raises Refused where nothing has been deleted yet."""
        self._removed, self._server = 0, ""
        where = address(self.settings)
        try:
            async with session(self.settings) as connection:
                self._server = await primary(connection, where)
                await work(connection)
                if await primary(connection, where) != self._server:
                    raise FailingOver(f"{where} became another server meanwhile")
        except AtomOpsError as error:
            self._give_up(error.what, error.action)
            if isinstance(error, Refused) and len(self.passes) == 1:
                raise
            return is_temporary(error)
        self.passes.append(Pass(self._server, self._removed))
        self.problem = None
        return False

    def _give_up(self, reason: str, action: str) -> None:
        self.passes.append(Pass(self._server, self._removed, reason))
        self.problem = Unseen(reason, action)


async def _executed(pipe: client.client.Pipeline) -> None:
    try:
        await pipe.execute()
    except exceptions.WatchError:
        raise FailingOver("a job queue was registered meanwhile", action="look at the queues again") from None


def _chunks(keys: list[bytes], most: int) -> Iterator[list[bytes]]:
    """SCAN may return more than it was asked for."""
    return (keys[start : start + most] for start in range(0, len(keys), most))
