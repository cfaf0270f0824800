"""Look on while tables are vacuumed: by the role that reads, in one session that is opened again when it is lost."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from importlib.resources import files
from typing import Any, TypeVar

import psycopg
from psycopg.rows import class_row, dict_row

from atomops.backup.access import reading, set_if_known
from atomops.errors import Unreachable
from atomops.facts.vacuum import Holder, OnTable, TableState
from atomops.inventory import Postgres, Target
from atomops.plans.vacuum import quoted
from atomops.probes.attempt import attempt
from atomops.probes.postgres.connect import Session
from atomops.probes.postgres.session import address, connection_error, read_only_session
from atomops.verdict import Unseen

Row = TypeVar("Row")
# A size is not worth waiting for a locked table; and we are idle for as long as a VACUUM takes.
_PATIENCE = {"lock_timeout": "200ms", "idle_session_timeout": "0"}
Parameters = Sequence[Any] | Mapping[str, Any]


def question(name: str, **parts: str) -> bytes:
    """The statement of that name; `{...}` in it is filled in."""
    text = _read(name)
    for part, value in {"state": _read("_state"), **parts}.items():
        text = text.replace("{" + part + "}", value)
    return text.encode()


def _read(name: str) -> str:
    return (files(__package__) / "questions" / f"{name}.sql").read_text(encoding="utf-8")


def watching_role(target: Target) -> Postgres:
    """Who looks on: the role that reads the target, a member of pg_monitor; without one, the role that changes it."""
    changes = target.changes
    if target.postgres is None and changes.dsn is not None:
        own = {"password": changes.password}  # copied, since validating it again would unread it
        return Postgres(dsn=changes.dsn).model_copy(update=own)
    return target.postgres or reading(target)


class Watch:
    """Questions to the server. What could not be seen is Unseen, since no work depends on it."""

    def __init__(self, settings: Postgres) -> None:
        self.settings = settings
        self._stack = contextlib.AsyncExitStack()
        self._session: Session | None = None

    async def state(self, oid: int) -> TableState | Unseen | None:
        """The table now, None when it is gone; its size is None while somebody has it locked."""
        return await attempt(self._state(oid))

    async def _state(self, oid: int) -> TableState | None:
        rows = await self._ask("state", TableState, [oid])
        if not rows:
            return None
        return TableState(**{**vars(rows[0]), "size": await self._size(oid)})

    async def _size(self, oid: int) -> int | None:
        session = await self._opened()
        try:
            row = await (await session.execute("SELECT pg_total_relation_size(%s::oid)", [oid])).fetchone()
        except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled):
            return None
        except psycopg.Error as error:
            raise connection_error(error, address(self.settings)) from None
        return int(str(row[0])) if row and row[0] is not None else None

    async def holders(self) -> tuple[Holder, ...] | Unseen:
        """Who keeps dead rows from being removed, the oldest first."""
        role = await attempt(self._not_monitor())
        if isinstance(role, Unseen):
            return role
        if role:
            reason = f"the role {role} sees only its own sessions: who holds dead rows back is not known"
            return Unseen(reason, f"GRANT pg_monitor TO {quoted(role)};")
        return await attempt(self._ask("holders", Holder, []))

    async def _not_monitor(self) -> str:
        """Our role, when it is no member of pg_monitor."""
        asked = "SELECT CASE WHEN pg_has_role('pg_monitor', 'usage') THEN '' ELSE current_user::text END"
        session = await self._opened()
        row = await (await session.execute(asked)).fetchone()
        return str(row[0]) if row else ""

    async def on_table(self, oid: int) -> tuple[OnTable, ...] | Unseen:
        """Who has a lock on the table just now."""
        return await attempt(self._ask("on_table", OnTable, [oid]))

    async def progress(self, pids: Sequence[int]) -> Mapping[int, float]:
        """How far each of these backends is, from 0 to 1, where it is known. Raises Unreachable."""
        session = await self._opened()
        try:
            async with session.cursor(row_factory=dict_row) as cursor:
                await cursor.execute(question("progress"), {"pids": list(pids)})
                rows = await cursor.fetchall()
        except psycopg.Error as error:
            raise Unreachable("the progress cannot be seen", action="look at the server's log") from error
        return {row["pid"]: row["done"] for row in rows if row["done"] is not None}

    async def _ask(self, name: str, kind: type[Row], parameters: Parameters) -> tuple[Row, ...]:
        session = await self._opened()
        try:
            async with session.cursor(row_factory=class_row(kind)) as cursor:
                await cursor.execute(question(name), parameters)
                return tuple(await cursor.fetchall())
        except psycopg.Error as error:
            raise connection_error(error, address(self.settings)) from None

    async def _opened(self) -> Session:
        if self._session is None or self._session.closed:
            self._session = await self._stack.enter_async_context(read_only_session(self.settings))
            await set_if_known(self._session, _PATIENCE)
        return self._session

    async def close(self) -> None:
        """Its sessions are gone."""
        await self._stack.aclose()


@contextlib.asynccontextmanager
async def watching(settings: Postgres) -> AsyncIterator[Watch]:
    """Somebody who looks on during the block."""
    watch = Watch(settings)
    try:
        yield watch
    finally:
        await watch.close()
