"""A database becomes files, and a count and a hash of every row, all of one moment."""

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from psycopg import errors
from psycopg.conninfo import make_conninfo

from atomops import shell
from atomops.backup.access import NOTICE_OUR_END, Access, set_if_known
from atomops.backup.preflight import Plan
from atomops.backup.refusals import RETRY, program_error, session_error
from atomops.commands import postgres as commands
from atomops.errors import AtomOpsError, CommandFailed, PermanentError, TemporaryError, TimedOut
from atomops.facts.backup import Contents, Origin
from atomops.plans.comparison import furthest_back
from atomops.probes import contents
from atomops.probes.contents import RECORD, TEXT, Table
from atomops.probes.postgres.connect import Session
from atomops.probes.postgres.session import read_only_session
from atomops.scratch.leftovers import FOLDER_VARIABLE

_LOCKED_AT_ONCE = 500  # tables in one LOCK TABLE
_ANSWER_SECONDS = 30
_LOOKS = 5  # at the tables, each followed by locking them


@dataclass(frozen=True)
class Dumped:
    """The files of a dump lie in the folder it was made in; `at` is the moment of its snapshot."""

    at: dt.datetime
    origin: Origin
    contents: Contents
    durations: Mapping[str, float]


async def dump(plan: Plan, access: Access, into: Path, work: Path, *, jobs: int) -> Dumped:
    """A returned dump is complete, and its contents are exactly those of its rows, whoever writes meanwhile.

    `into` is an empty folder; `work` the folder that our processes are known by. Every table is locked against being
    altered until it has ended. Raises TemporaryError when it can be tried again, else PermanentError.
    """
    started = time.monotonic()
    try:
        async with asyncio.timeout(plan.settings.deadline), _snapshot(plan, access) as (session, tables, snapshot, at):
            origin = await contents.origin(session, access.address)
            sequences = await contents.sequences(session)
            argv = _dump_command(plan, access, into, snapshot, jobs)

            async def count() -> Contents:
                counted = await _count(session, tables, _method(plan, origin))
                await _run_globals(plan, access, into, work)  # here, since pg_dump takes longer than counting does
                return counted

            try:
                counted = await _both(count(), _run(plan, access, argv, work))
            except PermanentError:
                await _still_answers(plan, session, access)
                raise
            sequences = furthest_back(sequences, counted.sequences, await contents.sequences(session))
    except TimeoutError as error:
        if isinstance(error, AtomOpsError):
            raise
        what = f"{access.address} was not dumped within {plan.settings.deadline:g} s"
        raise TemporaryError(what, action="raise backups.deadline or backups.jobs") from None
    except psycopg.Error as error:
        raise session_error(error, access) from None
    return Dumped(at, origin, replace(counted, sequences=sequences), {"dump": time.monotonic() - started})


@contextlib.asynccontextmanager
async def _snapshot(plan: Plan, access: Access) -> AsyncIterator[tuple[Session, tuple[Table, ...], str, dt.datetime]]:
    """Locked tables, and then a snapshot of them, for as long as the block lasts.

    In this order, because a table that is rewritten or truncated between a snapshot and its lock looks empty.
    """
    async with read_only_session(plan.session_settings(access)) as session:
        await _be_patient(session, plan)
        for _ in range(_LOOKS):
            locked = await contents.tables(session)
            await session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            try:
                await _lock(session, locked)
            except errors.UndefinedTable:  # one was dropped or renamed between the look and the locks
                await session.execute("ROLLBACK")
                continue
            cursor = await session.execute("SELECT pg_export_snapshot(), clock_timestamp()")
            snapshot, at = await cursor.fetchone() or ("", None)
            tables = await contents.tables(session)
            if {table.name for table in tables} <= {table.name for table in locked}:
                yield session, tables, str(snapshot), at  # type: ignore[misc]  # as the statement says
                await session.execute("ROLLBACK")
                return
            await session.execute("ROLLBACK")  # one was made between them
    raise TemporaryError(f"tables of {access.address} come and go faster than they can be locked", action=RETRY)


async def _be_patient(session: Session, plan: Plan) -> None:
    """We wait for locks as long as pg_dump does, and the server does not end a session that waits for pg_dump."""
    wanted = {
        "lock_timeout": f"{round(plan.settings.lock_wait_timeout * 1000)}ms",
        "idle_in_transaction_session_timeout": "0",
        "transaction_timeout": "0",  # since PostgreSQL 17
    }
    await set_if_known(session, wanted | NOTICE_OUR_END)


async def _lock(session: Session, tables: tuple[Table, ...]) -> None:
    names = [table.name for table in tables]
    for start in range(0, len(names), _LOCKED_AT_ONCE):
        some = ", ".join(f"ONLY {name}" for name in names[start : start + _LOCKED_AT_ONCE])
        await session.execute(f"LOCK TABLE {some} IN ACCESS SHARE MODE".encode())


async def _count(session: Session, tables: tuple[Table, ...], method: str) -> Contents:
    around = await contents.surroundings(session)
    await contents.settle(session)
    counted = {table.name: (table, await contents.content(session, table, method)) for table in tables}
    return Contents(tables=contents.summed(counted), large_objects=await contents.large_objects(session), **around)


def _method(plan: Plan, origin: Origin) -> str:
    """The hash of records is quicker, but only the same version is sure to hash alike."""
    server = plan.tools.server
    return RECORD if server is not None and server.major == origin.major and not plan.settings.scratch_dsn else TEXT


def _dump_command(plan: Plan, access: Access, into: Path, snapshot: str, jobs: int) -> list[str]:
    options = commands.DumpOptions(jobs, plan.tools.codec, plan.settings.lock_wait_timeout, plan.tools.client.major)
    return commands.dump(str(plan.tools.client.bin), access.conninfo, str(into / commands.DATA), snapshot, options)


async def _both(counting: Coroutine[None, None, Contents], dumping: Coroutine[None, None, None]) -> Contents:
    """What was counted, once both have ended well. As soon as one of them fails, the other one is ended."""
    counted = asyncio.create_task(counting)
    tasks = (counted, asyncio.create_task(dumping))
    try:
        await asyncio.gather(*tasks)
        return counted.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _still_answers(plan: Plan, session: Session, access: Access) -> None:
    """Raises when the server has gone or has begun anew: whatever a program says then only echoes that.

    A new session as well, since an old one may outlive the server for as long as it need not wait. Raises TimedOut,
    psycopg.Error, or what connecting raises.
    """
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await session.execute("ROLLBACK")
            async with read_only_session(plan.session_settings(access)):
                pass
    except TimeoutError:
        raise TimedOut(f"{access.address} answers no more", action="look at the server, and at the network") from None


async def _run_globals(plan: Plan, access: Access, into: Path, work: Path) -> None:
    for only, name in (("roles", commands.ROLES), ("tablespaces", commands.TABLESPACES)):
        argv = commands.dump_globals(
            str(plan.tools.client.bin),
            access.conninfo,
            str(into / name),
            database=make_conninfo(dbname=access.database),  # pg_dumpall would take a name with "=" for one
            only=only,
            passwords=plan.settings.role_passwords,
        )
        await _run(plan, access, argv, work)


async def _run(plan: Plan, access: Access, argv: list[str], work: Path) -> None:
    env = access.environment(server_version=plan.server_version, timeout=plan.reading.connect_timeout)
    try:
        await shell.run(argv, timeout=plan.settings.deadline, env={**env, FOLDER_VARIABLE: str(work)}, cwd=work)
    except CommandFailed as error:
        raise program_error(error, argv, access) from error
