"""Two renames in one transaction: at any moment, a kill -9 included, the live name is that of one whole database.

The first rename takes the lock that every new connection needs: whoever connects meanwhile waits, is told that the
database was renamed, and comes back to the new one. So nothing has to be opened again that a killed run leaves shut.
"""

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import psycopg
from psycopg import errors, sql

from atomops.backup.access import Access
from atomops.change.session import changing_session
from atomops.errors import TemporaryError
from atomops.inventory import Changes
from atomops.probes.postgres.connect import Session
from atomops.restore.databases import REPLACED, Live, Mark
from atomops.restore.sessions import is_lost, refusal, restoring_session, words

_STATEMENT_SECONDS = 30
_EVERY_SECONDS = 0.02
_SESSIONS = """
    SELECT pg_terminate_backend(pid), coalesce(nullif(application_name, ''), 'a session without a name'),
           coalesce(usename::text, 'the server'), coalesce(host(client_addr), 'local')
    FROM pg_stat_activity LEFT JOIN pg_roles ON pg_roles.oid = usesysid
    WHERE (datid = %(live)s::oid OR datname = %(comes)s) AND pid <> pg_backend_pid()
      AND ((SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
           OR NOT rolsuper AND (pg_has_role(usesysid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE')))
"""
_NUMBER = "SELECT oid::bigint FROM pg_database WHERE datname = %s"


@dataclass(frozen=True)
class Renames:
    """What becomes what. `live` is None when there is no database of the live name; `was` what `comes` was marked.

    `kind` is what becomes of the database that goes: it was replaced, or it is refused. `at` is the moment of the plan.
    `comment` and `limit` (of connections) are for one that replaces none.
    """

    name: str
    live: Live | None
    comes: str
    goes: str
    at: dt.datetime
    until: dt.datetime
    why: str
    was: Mark | None = None
    kind: str = REPLACED
    comment: str = ""
    limit: int = -1


@dataclass(frozen=True)
class Exchanged:
    """Done: within so many seconds, and with the end of these sessions."""

    seconds: float
    ended: tuple[str, ...]


def statements(renames: Renames) -> Iterator[sql.Composed]:
    """What is done in the one transaction: comments, and who may connect, change with the names."""
    name, comes, goes = (sql.Identifier(each) for each in (renames.name, renames.comes, renames.goes))
    live = renames.live
    if live is not None:
        until = renames.until.isoformat()
        mark = Mark(renames.kind, renames.name, renames.at.isoformat(), renames.why, until, live.comment)
        yield sql.SQL("ALTER DATABASE {} RENAME TO {}").format(name, goes)
        yield sql.SQL("COMMENT ON DATABASE {} IS {}").format(goes, sql.Literal(mark.text))
        yield sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(goes)
    yield sql.SQL("ALTER DATABASE {} RENAME TO {}").format(comes, name)
    yield sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, sql.Literal(_comment(renames) or None))
    limit = sql.Literal(live.connection_limit if live else renames.limit)
    yield sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true CONNECTION LIMIT {}").format(name, limit)


def _comment(renames: Renames) -> str:
    """Of the one that becomes live: its own where it had one, else that of the one that it replaces."""
    if renames.was:
        return renames.was.comment
    return renames.live.comment if renames.live else renames.comment


async def exchange(access: Access, changes: Changes, renames: Renames) -> Exchanged:
    """`comes` bears the live name now, and what bore it is kept as `goes`, shut; or nothing has changed at all.

    `access` is a database that is neither. Sessions are ended, and new ones wait until it is done. Raises
    TemporaryError when somebody's session would not end within 5 s, PermanentError for what PostgreSQL refuses.
    """
    started, ended = time.monotonic(), dict[str, None]()
    async with changing_session(access, changes, statement_timeout=_STATEMENT_SECONDS) as session:
        try:
            async with _ending_sessions(access, changes, renames, ended), session.transaction():
                for statement in statements(renames):
                    await session.execute(statement)
        except errors.ObjectInUse as error:
            action = "look at pg_stat_activity and pg_prepared_xacts: a backend that does not react may wait for a disk"
            raise TemporaryError(f"sessions of {renames.name} did not end: {words(error)}", action=action) from error
        except psycopg.Error as error:
            if not (is_lost(error) and await _is_done(access, changes, renames)):
                raise _not_exchanged(error, access, renames) from error
    return Exchanged(time.monotonic() - started, tuple(ended))


def _not_exchanged(error: psycopg.Error, access: Access, renames: Renames) -> Exception:
    told = refusal(error, access.address)
    return type(told)(f"{renames.name} was not exchanged: {told.what}", action=told.action)


async def _is_done(access: Access, changes: Changes, renames: Renames) -> bool:
    """Whether it was, although nobody told us: looked at by another session. Raises what connecting raises."""
    async with restoring_session(access, changes, seconds=_STATEMENT_SECONDS) as session:
        comes = await (await session.execute(_NUMBER, [renames.comes])).fetchone()
        name = await (await session.execute(_NUMBER, [renames.name])).fetchone()
    return comes is None and name is not None


@contextlib.asynccontextmanager
async def _ending_sessions(
    access: Access, changes: Changes, renames: Renames, ended: dict[str, None]
) -> AsyncIterator[None]:
    """During the block every session in both databases is ended, again and again: RENAME waits 5 s for that.

    Those of the live database are known by its number, which it keeps: none of its successor's is ever ended.
    """
    async with changing_session(access, changes, statement_timeout=_STATEMENT_SECONDS) as session:
        row = await (await session.execute(_NUMBER, [renames.name])).fetchone() if renames.live else None
        which = {"live": row[0] if row else None, "comes": renames.comes}
        await _end_sessions(session, which, ended)

        async def go_on() -> None:
            while True:
                await asyncio.sleep(_EVERY_SECONDS)
                await _end_sessions(session, which, ended)

        ending = asyncio.create_task(go_on())
        try:
            yield
        finally:
            ending.cancel()
            await asyncio.gather(ending, return_exceptions=True)


async def _end_sessions(session: Session, which: dict[str, object], ended: dict[str, None]) -> None:
    for _, application, user, host in await (await session.execute(_SESSIONS, which)).fetchall():
        ended[f"{application} ({user} from {host})"] = None
