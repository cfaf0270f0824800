"""One change of a target at a time, on any number of machines.

The lock is an advisory one of PostgreSQL, held by a session of its own in a maintenance database: it is given back
within milliseconds of our death, however that comes, and needs no Prefect server.
"""

import asyncio
import binascii
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import psycopg

from atomops.backup.access import access_of, in_database, reading, set_if_known, who_we_are
from atomops.errors import AccessDenied, AtomOpsError, NotThere, TemporaryError, Unreachable
from atomops.inventory import Postgres, Target
from atomops.probes.postgres.connect import Session
from atomops.probes.postgres.session import address, read_only_session

MAINTENANCE, SPARE_MAINTENANCE = "postgres", "template1"
SPACE = int.from_bytes(b"ATOM", "big")  # the first half of the key, so that no other program's locks are met
_POLL = 1.0  # seconds between two tries for a lock that somebody else holds
_LONGEST_NAME = 63  # bytes that PostgreSQL keeps of an application name
_HOLDER = """
    SELECT coalesce(nullif(application_name, ''), 'a session without a name'), pid,
           to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC'
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND objsubid = 2 AND granted
"""


def apart_from(*databases: str) -> str:
    """A database that every server has and that is none of those: a session in one of them would keep it in use."""
    return MAINTENANCE if MAINTENANCE not in databases else SPARE_MAINTENANCE


class Busy(TemporaryError):
    """Somebody else is changing the target; the message says who, and since when."""


@dataclass(frozen=True)
class Lock:
    """The lock that we hold."""

    session: Session
    where: str

    async def check(self) -> None:
        """Still held: called before anything is deleted. Raises Unreachable when its session was lost meanwhile."""
        try:
            await self.session.execute("SELECT 1")
        except psycopg.Error as error:
            action = "look at the server's log for the end of our session, then run it again"
            raise Unreachable(f"the lock in {self.where} was lost with its session", action=action) from error


def _say_nothing(_busy: Busy) -> None:
    pass


class Unlocked(Lock):
    """No lock: for a change that must be made while the database, which would hold it, is away."""

    def __init__(self) -> None:
        object.__setattr__(self, "where", "nowhere")

    async def check(self) -> None:
        """There is none to be lost."""


@contextlib.asynccontextmanager
async def one_change_at_a_time(
    target: Target, what: str, *, patience: float = 0, waiting: Callable[[Busy], None] = _say_nothing
) -> AsyncIterator[Lock]:
    """Nobody else changes the target meanwhile. Raises Busy naming the holder, or what connecting raises.

    `patience` is how many seconds another change may still take; `waiting` is told whom we wait for.
    A target without a database has nothing to hold such a lock: InventoryError.
    """
    async with contextlib.AsyncExitStack() as stack:
        session, where = await _connect(stack, target)
        name = f"atomops {what} on {who_we_are()}".encode()[:_LONGEST_NAME].decode(errors="ignore")
        await session.execute("SELECT set_config('application_name', %s, false)", [name])
        await set_if_known(session, {"idle_session_timeout": "0"})  # it is idle for as long as the change lasts
        key = [SPACE, _signed(binascii.crc32(target.name.encode()))]
        until = time.monotonic() + patience
        while not await _taken(session, key):
            busy = await _busy(session, target.name, what, key)
            if time.monotonic() >= until:
                raise busy
            waiting(busy)
            await asyncio.sleep(_POLL)
        yield Lock(session, where)


async def _taken(session: Session, key: list[int]) -> bool:
    row = await (await session.execute("SELECT pg_try_advisory_lock(%s::int, %s::int)", key)).fetchone()
    return row is not None and bool(row[0])


async def _connect(stack: contextlib.AsyncExitStack, target: Target) -> tuple[Session, str]:
    """A session apart from our own database; in that one only where there is no other for us, for everybody alike."""
    access, settings = access_of(target), reading(target)
    try:
        return await _enter(stack, in_database(settings, access.to(apart_from(access.database))))
    except (NotThere, AccessDenied) as refusal:
        try:
            return await _enter(stack, in_database(settings, access))
        except AtomOpsError as error:
            raise error from refusal


async def _enter(stack: contextlib.AsyncExitStack, settings: Postgres) -> tuple[Session, str]:
    return await stack.enter_async_context(read_only_session(settings)), address(settings)


async def _busy(session: Session, target: str, what: str, key: list[int]) -> Busy:
    unsigned = [number % 2**32 for number in key]
    row = await (await session.execute(_HOLDER, unsigned)).fetchone()
    holder = f"{row[0]} (backend {row[1]}, since {row[2]})" if row else "somebody who has just ended"
    action = "wait until it has ended; if it hangs, look at it in the Prefect UI or end its backend"
    return Busy(f"{what} cannot begin: {target} is being changed by {holder}", action=action)


def _signed(number: int) -> int:
    """PostgreSQL's integer of the same bits."""
    return number - 2**32 if number >= 2**31 else number
