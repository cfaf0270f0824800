"""The copy beside the live database: made, restored, analyzed, compared with the manifest, and given its settings."""

import contextlib
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from atomops import shell
from atomops.backup.access import Access, backups_of
from atomops.backup.fetching import plain_files
from atomops.backup.prove import read_copy
from atomops.backup.scratch import NO_SUCH_LOCALE
from atomops.commands import postgres as commands
from atomops.errors import AtomOpsError, CommandFailed, PermanentError
from atomops.facts.backup import Contents, Manifest
from atomops.facts.restore import TABLES, Copy
from atomops.plans.comparison import Comparison, compare
from atomops.plans.tables import definitions_of, only, rows_of
from atomops.probes.contents import RECORD
from atomops.probes.postgres.connect import Session
from atomops.restore.choosing import FromSet
from atomops.restore.course import DEFINITIONS, ROWS, creating, dropping, restore_options
from atomops.restore.planning import RestorePlan
from atomops.restore.sessions import refusal, restoring_session
from atomops.restore.settings import give_settings, setting_statements
from atomops.scratch.leftovers import FOLDER_VARIABLE

STATEMENT_SECONDS = 600  # CREATE and DROP DATABASE wait for a checkpoint
_REMOVAL_SECONDS = 60  # of a copy after a failure
_CONNECT_SECONDS = 30
_TOLD = 600  # characters of what PostgreSQL said
_WHOLE = 4_000  # characters of what a program said that we keep; of more, we do not know the beginning
_FULL = r"No space left on device|could not extend file"
_UNBOUNDED = " -c statement_timeout=0 -c lock_timeout=0 -c default_transaction_read_only=off"
_LEAVES = """
    SELECT format('%%I.%%I', nspname, relname) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE pg_class.oid IN (SELECT %(name)s::regclass UNION SELECT relid FROM pg_partition_tree(%(name)s) WHERE isleaf)
"""


@dataclass
class Restoring:
    """One copy in the making."""

    plan: RestorePlan
    source: FromSet
    work: Path
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def manifest(self) -> Manifest:
        """What the copy must be like."""
        return self.source.set.manifest

    @property
    def access(self) -> Access:
        """How the copy is reached."""
        return self.plan.access.to(self.plan.names.incoming)

    async def make(self) -> Copy:
        """The copy, compared: whatever is not as the manifest says is among its differences.

        What an earlier attempt has left is removed first. Raises Damaged, PermanentError with PostgreSQL's own words,
        and what connecting raises.
        """
        await self.remove()
        async with contextlib.AsyncExitStack() as stack:
            identity = backups_of(self.plan.target).identity
            with self._step("read"):
                opened = plain_files(self.source.store, self.manifest, identity, self.work)
                folder = await stack.enter_async_context(opened)
            with self._step("create"):
                await self._create()
            with self._step("restore"):
                await self._restore(str(folder / commands.DATA))
        with self._step("analyze"):
            await self._run(commands.analyze(self._programs, self.access.conninfo, jobs=self._jobs))
        with self._step("compare"):
            held, comparison = await self._compare()
        name, tables = self.plan.names.incoming, len(held.tables)
        lost = await self._give_settings()
        told = comparison.differences, comparison.notes, lost
        return Copy(name, tables, held.rows, dict(self.seconds), *told)

    async def remove(self, within: float = STATEMENT_SECONDS) -> None:
        """The copy is gone, unless it bears another name by now."""
        async with restoring_session(self.plan.maintenance, self.plan.target.changes, seconds=within) as session:
            await drop_database(session, self.plan.names.incoming)

    @contextlib.asynccontextmanager
    async def removed(self) -> AsyncIterator[None]:
        """After the block the copy is gone, however the block ends; else the next restore removes it.

        What the block has failed of is more important than what the removal fails of.
        """
        try:
            yield
        except BaseException as error:
            try:
                await self.remove(_REMOVAL_SECONDS)
            except AtomOpsError:
                if isinstance(error, AtomOpsError):
                    error.action += f"; the copy {self.plan.names.incoming} is left, the next restore removes it"
            raise
        await self.remove()

    async def written(self) -> float:
        """How much of it is there, from 0 to 1."""
        question = "SELECT coalesce(sum(pg_database_size(oid)), 0) FROM pg_database WHERE datname = %s"
        async with self._maintenance() as session:
            row = await (await session.execute(question, [self.plan.names.incoming])).fetchone()
        return float(str(row[0])) / max(1, self.manifest.origin.bytes) if row else 0

    async def _create(self) -> None:
        """Empty, and only those may use it who may use the original."""
        made, *marked = creating(self.plan, self.manifest)
        async with self._maintenance() as session:
            try:
                await session.execute(made)
            except NO_SUCH_LOCALE as error:
                action = f"install the locale {self.manifest.origin.locale} on the server"
                raise PermanentError(f"no database like the original can be made: {error}", action=action) from error
            async with session.transaction():
                for statement in (*marked, *self.plan.grants):
                    await session.execute(statement)

    async def _restore(self, archive: str) -> None:
        if self.plan.wanted.mode != TABLES:
            await self._run_restore(archive, tolerant=self.plan.programs.goes_on)
            return
        output = await shell.run(commands.contents(self._programs, archive), timeout=STATEMENT_SECONDS)
        listed = output.stdout.decode(errors="replace")
        await self._run_restore(archive, DEFINITIONS, definitions_of(listed), tolerant=True)
        rows = rows_of(listed, await self._leaves())
        await self._run_restore(archive, ROWS, rows, tolerant=self.plan.programs.goes_on)

    async def _run_restore(self, archive: str, name: str = "", listed: str = "", *, tolerant: bool) -> None:
        """What is listed under that name in our folder, or everything of the archive.

        Of the definitions for chosen tables any may fail that is not needed for them: the comparison tells.
        """
        place = self.work / name if name else None
        if place is not None:
            place.write_text(listed, encoding="utf-8")
        options = restore_options(self.plan, listed=str(place or ""), goes_on=tolerant)
        try:
            await self._run(commands.restore_live(self._programs, self.access.conninfo, archive, options))
        except _Failed as error:
            is_whole = len(error.stderr) < _WHOLE
            if name != DEFINITIONS and not (tolerant and is_whole and commands.said_nothing_worse(error.stderr)):
                raise

    async def _leaves(self) -> list[str]:
        """The tables whose rows are wanted: partitions where the manifest counts them for their ancestor."""
        found = []
        async with restoring_session(self.access, self.plan.target.changes, seconds=STATEMENT_SECONDS) as session:
            for table in self.plan.tables:
                cursor = await session.execute(_LEAVES, {"name": table})
                found += [str(name) for (name,) in await cursor.fetchall()]
        return found

    async def _compare(self) -> tuple[Contents, Comparison]:
        settings, manifest = backups_of(self.plan.target), self.manifest
        try:
            held = await read_copy(self.access, settings, manifest.options.get("fingerprint", RECORD))
        except psycopg.Error as error:
            raise refusal(error, self.access.address) from error
        dumped = manifest.contents
        if self.plan.wanted.mode == TABLES:
            dumped, held = only(dumped, self.plan.tables), only(held, self.plan.tables)
        alike = self.plan.server_version // 10_000 == manifest.origin.major
        return held, compare(dumped, held, hashes_alike=alike)

    async def _give_settings(self) -> tuple[str, ...]:
        """Last, so that none of them bears upon our own work, such as a time-out of statements."""
        async with self._maintenance() as session:
            return await give_settings(session, setting_statements(self.plan.names.incoming, self.manifest.origin))

    async def _run(self, argv: list[str]) -> None:
        env = dict(self.access.environment(server_version=self.plan.server_version, timeout=_CONNECT_SECONDS))
        env["PGOPTIONS"] += _UNBOUNDED
        known = {**env, FOLDER_VARIABLE: str(self.work)}
        try:
            await shell.run(argv, timeout=backups_of(self.plan.target).deadline, env=known, cwd=self.work)
        except CommandFailed as error:
            raise _Failed(Path(argv[0]).name, error.stderr) from error

    @contextlib.contextmanager
    def _step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = time.monotonic() - started

    def _maintenance(self) -> contextlib.AbstractAsyncContextManager[Session]:
        return restoring_session(self.plan.maintenance, self.plan.target.changes, seconds=STATEMENT_SECONDS)

    @property
    def _programs(self) -> str:
        return self.plan.programs.bin

    @property
    def _jobs(self) -> int:
        return backups_of(self.plan.target).jobs


class _Failed(PermanentError):
    """A program of PostgreSQL failed. Carries what it said."""

    def __init__(self, program: str, stderr: str) -> None:
        said = " ".join(stderr.split())[:_TOLD]
        look = "look at the server's log; the live database is as it was"
        action = "free some space on the server" if re.search(_FULL, said) else look
        super().__init__(f"{program} failed, the live database is as it was: {said}", action=action)
        self.stderr = stderr


async def drop_database(session: Session, name: str) -> None:
    """It is gone, if it was there."""
    await session.execute(dropping(name))
