"""Watches from a session of our own which locks a migration takes, and for whom it waits."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import psycopg

from atomops.backup.access import Access
from atomops.backup.scratch import reading_settings
from atomops.errors import AtomOpsError
from atomops.plans.locks import Tally
from atomops.probes.postgres.connect import Session
from atomops.probes.postgres.session import read_only_session

REHEARSAL_SECONDS, LIVE_SECONDS = 0.02, 0.2  # between two looks
_END_SECONDS = 15
_LOCKS = """
    SELECT pid, format('%%I.%%I', relnamespace::regnamespace::text, relname), mode
    FROM pg_locks
    JOIN pg_stat_activity USING (pid)
    JOIN pg_class ON pg_class.oid = relation
    WHERE locktype = 'relation' AND granted AND pid <> pg_backend_pid() AND datname = current_database()
      AND backend_type = 'client backend'
      AND relkind IN ('r', 'p', 'm') AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
      AND (%(name)s::text IS NULL OR application_name = %(name)s)
"""
_NAMES = """
    SELECT DISTINCT application_name FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_HOLDERS = """
    SELECT DISTINCT
        format('%%s (%%s, backend %%s, %%s since %%s UTC)', coalesce(nullif(holder.application_name, ''), 'no name'),
               holder.usename, holder.pid, coalesce(holder.state, holder.backend_type),
               to_char(coalesce(holder.xact_start, holder.backend_start) AT TIME ZONE 'UTC', 'HH24:MI:SS'))
    FROM pg_stat_activity AS waiting
    CROSS JOIN unnest(pg_blocking_pids(waiting.pid)) AS blocking (pid)
    JOIN pg_stat_activity AS holder ON holder.pid = blocking.pid
    WHERE waiting.application_name = %(name)s AND waiting.datname = current_database()
"""
_END = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s AND pid <> pg_backend_pid()
"""


@contextlib.asynccontextmanager
async def watched(access: Access, name: str | None, every: float) -> AsyncIterator[Tally]:
    """The locks that sessions of that name (None: all) take in the database during the block, looked at so often.

    With a name it also tells for whom they wait; without one, what they are called. It is an onlooker: no failure of it
    reaches the migration.
    """
    tally = Tally()
    watching = asyncio.create_task(_watch(access, name, every, tally))
    try:
        yield tally
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(access: Access, name: str | None, every: float, tally: Tally) -> None:
    async with read_only_session(reading_settings(access, 10)) as session:
        while True:
            await _look(session, name, tally)
            await asyncio.sleep(every)


async def _look(session: Session, name: str | None, tally: Tally) -> None:
    rows = await (await session.execute(_LOCKS.encode(), {"name": name})).fetchall()
    tally.add(time.monotonic(), [(int(str(row[0])), str(row[1]), str(row[2])) for row in rows])
    if name is None:
        tally.names |= {str(row[0]) for row in await (await session.execute(_NAMES)).fetchall()}
    else:
        holders = await (await session.execute(_HOLDERS.encode(), {"name": name})).fetchall()
        tally.waited_for |= {str(row[0]): None for row in holders}


async def end_sessions(access: Access, name: str) -> None:
    """No session of that name is left at work: what it had not committed is rolled back. Never raises."""
    with contextlib.suppress(AtomOpsError, psycopg.Error, TimeoutError):
        async with asyncio.timeout(_END_SECONDS), read_only_session(reading_settings(access, 10)) as session:
            while await (await session.execute(_END, [name])).fetchall():  # noqa: ASYNC110 - another process's
                await asyncio.sleep(LIVE_SECONDS)
