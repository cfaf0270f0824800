"""Looks at a history and its database, and says what would be done: nothing is changed."""

import asyncio
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from atomops import shell
from atomops.backup.access import Access
from atomops.commands import alembic as commands
from atomops.errors import AtomOpsError
from atomops.facts.migration import MigrationFacts, Refusal, Revision, TableSize, VersionTable
from atomops.inventory import Target
from atomops.migration import scripts
from atomops.migration.alembic import Alembic, alembic_of
from atomops.migration.lint import lint
from atomops.migration.order import Order
from atomops.migration.session import looking
from atomops.plans import migration as plan
from atomops.plans.migration_failures import UnknownRevision
from atomops.plans.revisions import History
from atomops.plans.sql_text import statements, tables
from atomops.probes import schema
from atomops.verdict import Unseen

_CHUNK = 500  # tables whose sizes are asked for


@dataclass(frozen=True)
class Look:
    """What a look brings: the facts, and what the next steps need besides."""

    facts: MigrationFacts
    alembic: Alembic
    history: History
    sql: str

    @property
    def applied(self) -> tuple[Revision, ...]:
        """The scripts that the database has run."""
        current = self.facts.current
        applied = self.history.until(current) if not isinstance(current, Unseen) else ()
        return tuple(each for each in self.history.by_id.values() if each.id in applied)


async def look(target: Target, order: Order, work: Path | None) -> Look:
    """Where the database is, what is to be done, and all that stands against it. Raises AtomOpsErrors."""
    alembic = alembic_of(target, work)
    revisions, current, (table, version) = await asyncio.gather(
        alembic.history(), _current(alembic), _database(alembic.access)
    )
    alembic = replace(alembic, server_version=version)
    history = History([scripts.hashed(each, alembic.settings) for each in revisions])
    target_revision, steps, refusals = plan.course(history, current, order.action, order.revision)
    found = MigrationFacts(
        at=dt.datetime.now(dt.UTC),
        action=order.action,
        dry_run=order.only_looks,
        current=current,
        heads=history.heads,
        target=target_revision,
        steps=steps,
        refusals=refusals,
        exactly=shell.display(commands.migrate(alembic.settings.command, order.action, target_revision)),
    )
    seen = Look(found, alembic, history, "")
    return await _in_depth(target, seen, table)


async def _current(alembic: Alembic) -> tuple[str, ...] | Unseen:
    try:
        return await alembic.current()
    except UnknownRevision as error:
        return Unseen(error.what, error.action)


async def _database(access: Access) -> tuple[VersionTable | None, int]:
    async with looking(access) as session:
        return await schema.version_table(session), session.info.server_version


async def _in_depth(target: Target, seen: Look, table: VersionTable | None) -> Look:
    facts, record = seen.facts, str(scripts.record_of(target))
    printed = await _printed(seen)
    told = statements(printed) if isinstance(printed, str) else printed
    sql = printed if isinstance(printed, str) else ""
    refusals: list[Refusal] = [
        *facts.refusals,
        *plan.of_another_database(facts.current, table),
        *plan.edited(seen.applied, scripts.known(target), record),
        *plan.too_long(facts.steps, table, told),
    ]
    linted, sizes = await asyncio.gather(
        lint(sql, seen.alembic.server_version), sizes_of(seen.alembic.access, _touched(told))
    )
    whole = replace(
        facts,
        refusals=tuple(refusals),
        statements=told,
        lint=linted if isinstance(printed, str) else printed,
        sizes=sizes,
        unread_scripts=tuple(each.id for each in (*seen.applied, *facts.steps) if not each.sha256),
    )
    return replace(seen, facts=whole, sql=sql)


async def _printed(seen: Look) -> str | Unseen:
    """The SQL of what is to be done, which not every script can print: one that asks the database cannot."""
    facts = seen.facts
    if isinstance(facts.current, Unseen) or not facts.steps or not facts.current:
        return ""  # what the database is at is not known, or nothing: that has a refusal of its own
    if len(facts.current) != 1:
        reason = f"alembic prints no SQL from several revisions at once ({', '.join(facts.current)})"
        return Unseen(reason, "read the scripts themselves, and look at the rehearsal")
    try:
        return await seen.alembic.sql(
            facts.action if facts.action != "show" else "upgrade", facts.current[0], facts.target
        )
    except AtomOpsError as error:
        reason = f"the scripts cannot print their SQL: {error.what}"
        return Unseen(reason, "read the scripts themselves, and look at the rehearsal")


def _touched(told: Iterable[str] | Unseen) -> list[str]:
    every = () if isinstance(told, Unseen) else told
    return list(dict.fromkeys(name for statement in every for name in tables(statement)))


async def sizes_of(access: Access, names: list[str]) -> tuple[TableSize, ...] | Unseen:
    """How large these tables are, or why that could not be seen."""
    try:
        async with looking(access) as session:
            return await schema.sizes(session, names[:_CHUNK])
    except AtomOpsError as error:
        return Unseen(f"the tables' sizes could not be seen: {error.what}", error.action)
