"""The questions that PostgreSQL's own catalogues answer: packaged .sql files, one for each part of the facts.

A header line `-- needs: ROLE` or `-- extension: NAME` says what the reading role or the server must have.
"""

import re
import time
from dataclasses import dataclass
from importlib.resources import files
from typing import TypeVar

import psycopg
from psycopg import errors, sql
from psycopg.rows import class_row, dict_row

from atomops.errors import Unreachable
from atomops.facts.postgres import Server
from atomops.probes.postgres.connect import Session
from atomops.verdict import Unseen

Row = TypeVar("Row")


@dataclass(frozen=True)
class Need:
    """What must be there before a question makes sense."""

    role: str
    extension: str


def text(name: str) -> str:
    """The statement of that name, header included."""
    return (files(__package__) / "questions" / f"{name}.sql").read_text(encoding="utf-8")


def need(statement: str) -> Need:
    """What the header of the statement asks for."""
    header = dict(re.findall(r"^-- (needs|extension): (\w+)$", statement, re.MULTILINE))
    return Need(header.get("needs", ""), header.get("extension", ""))


async def server_of(session: Session) -> Server:
    """Our clock is read in the middle of the round trip, so that the offset is the clocks' and not the network's."""
    before = time.time()
    async with session.cursor(row_factory=dict_row) as cursor:
        row = await (await cursor.execute(text("server").encode())).fetchone() or {}
    ours = (before + time.time()) / 2
    return Server(clock_offset=row.pop("clock") - ours, **row)


async def ask(session: Session, server: Server, name: str, kind: type[Row]) -> tuple[Row, ...] | Unseen:
    """The rows of a question as dataclasses, or why they cannot be seen. Raises Unreachable for a lost session."""
    statement = text(name)
    needed = need(statement)
    if needed.role == "pg_monitor" and not server.is_monitor:
        reason = f"the role {server.role} sees only its own sessions: it is no member of pg_monitor"
        return Unseen(reason, grant("pg_monitor", server))
    try:
        if needed.extension:
            space = await _extension_schema(session, needed.extension)
            if space is None:
                return _no_extension(needed.extension, server)
            statement = statement.replace("{extension}", sql.Identifier(space).as_string(session))
        return await _fetch(session, statement, kind)
    except psycopg.Error as error:
        return unseen(error, session, server)


async def _fetch(session: Session, statement: str, kind: type[Row]) -> tuple[Row, ...]:
    async with session.cursor(row_factory=class_row(kind)) as cursor:
        await cursor.execute(statement.encode())
        return tuple(await cursor.fetchall())


async def _extension_schema(session: Session, name: str) -> str | None:
    statement = (
        "SELECT nspname FROM pg_extension JOIN pg_namespace AS space ON space.oid = extnamespace WHERE extname = %s"
    )
    row = await (await session.execute(statement, [name])).fetchone()
    return str(row[0]) if row else None


def unseen(error: psycopg.Error, session: Session, server: Server) -> Unseen:
    """Why one statement brought nothing, and what would help. Raises Unreachable when the session itself is lost."""
    if session.closed:
        raise Unreachable("PostgreSQL ended our session", action="look at the server's log") from error
    said = " ".join((error.diag.message_primary or str(error)).split())
    match error:
        case errors.InsufficientPrivilege():
            return Unseen(f"the role {server.role} may not: {said}", grant("pg_read_all_data", server))
        case errors.UndefinedColumn() | errors.UndefinedTable() | errors.UndefinedFunction():
            action = (
                "bring the application's schema up to date (atomops run migrate-database), or write the query as this"
                " schema has it, in a profile of your own"
            )
            return Unseen(f"{server.database} is another schema than the profile expects: {said}", action)
        case errors.QueryCanceled():
            return Unseen("the statement took longer than postgres.statement_timeout", "raise it, or look at the load")
        case errors.LockNotAvailable():
            return Unseen("a lock on the catalogue was held by somebody else", "look at PG-LOCK-WAIT and run again")
        case errors.ObjectNotInPrerequisiteState() if "shared_preload_libraries" in said:
            return Unseen(f"PostgreSQL says: {said}", "add it to shared_preload_libraries, and restart the server")
        case _:
            return Unseen(f"PostgreSQL says: {said}")


def _no_extension(name: str, server: Server) -> Unseen:
    action = f"shared_preload_libraries = '{name}' and a restart, then in {server.database}: CREATE EXTENSION {name};"
    return Unseen(f"the extension {name} is not installed in {server.database}", action)


def grant(membership: str, server: Server) -> str:
    """The statement that gives our role what it lacks. `pg_read_all_data` exists since PostgreSQL 14."""
    role = quoted(server.role)
    if membership == "pg_read_all_data" and server.version_number < 140_000:  # noqa: PLR2004 - a version
        grants = (f"GRANT SELECT ON ALL {kind} IN SCHEMA public TO {role};" for kind in ("TABLES", "SEQUENCES"))
        return " ".join(grants)
    return f"GRANT {membership} TO {role};"


def quoted(name: str) -> str:
    """The name as a statement needs it."""
    return '"' + name.replace('"', '""') + '"'
