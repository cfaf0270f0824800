"""A reading session of the audit, and its statements' answers as facts, each of which may be unseen by itself."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Mapping
from importlib.resources import files
from typing import TypeVar

import psycopg
from psycopg.rows import dict_row

from atomops.errors import NotThere, TimedOut
from atomops.facts.postgres import Server
from atomops.inventory import Target
from atomops.probes.postgres.catalogue import server_of, unseen
from atomops.probes.postgres.connect import Session
from atomops.probes.postgres.session import address, read_only_session
from atomops.verdict import Unseen

Row = TypeVar("Row")


@dataclasses.dataclass(frozen=True)
class Reader:
    """An open session and who we are in it."""

    session: Session
    server: Server

    async def rows(self, statement: str, kind: type[Row], parameters: Mapping[str, object]) -> tuple[Row, ...] | Unseen:
        """The answer as dataclasses; columns that they do not have are left out. Raises Unreachable when it is lost."""
        found = await self.answer(statement, parameters)
        if isinstance(found, Unseen):
            return found
        names = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]  # dataclasses all
        return tuple(kind(**{name: row[name] for name in row if name in names}) for row in found)

    async def answer(self, statement: str, parameters: Mapping[str, object]) -> list[dict[str, object]] | Unseen:
        """The rows by column, arrays as tuples. Raises as `rows` does."""
        try:
            async with self.session.cursor(row_factory=dict_row) as cursor:
                await cursor.execute(statement.encode(), parameters or None)
                return [{name: _frozen(value) for name, value in row.items()} for row in await cursor.fetchall()]
        except psycopg.Error as error:
            return unseen(error, self.session, self.server)


def text(name: str) -> str:
    """The statement of that name."""
    return (files(__package__) / "questions" / f"{name}.sql").read_text(encoding="utf-8")


@contextlib.asynccontextmanager
async def reading(target: Target) -> AsyncIterator[Reader]:
    """A session that cannot write, within postgres.deadline. Raises as the look at PostgreSQL does."""
    settings = target.postgres
    if settings is None:
        raise NotThere(f"the target {target.name} has no database", action="add [targets.….postgres] to the inventory")
    try:
        async with asyncio.timeout(settings.deadline), read_only_session(settings) as session:
            yield Reader(session, await server_of(session))
    except TimedOut:
        raise
    except TimeoutError as error:
        what = f"{address(settings)} answered, but not everything within {settings.deadline:g} s"
        raise TimedOut(what, action="raise postgres.deadline, or look at the server's load") from error


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
