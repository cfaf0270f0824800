"""Tune a database: slow statements and scanned tables told, the log of slow statements changed and taken back."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby

from atomops.administration.remembered import forget, remember, remembered
from atomops.administration.slow_log import carry_out, look, read_back, rights_of
from atomops.backup.access import Access, changing
from atomops.facts.postgres import Server
from atomops.facts.tuning import (
    Column,
    Remembered,
    ScannedTable,
    SlowLog,
    SlowStatement,
    TuningFacts,
)
from atomops.inventory import Target
from atomops.plans.slow_log import Step, TuningWish, obstacle, rights_missing, step
from atomops.probes.postgres.catalogue import ask, server_of
from atomops.probes.postgres.session import read_only_session
from atomops.vacuum.watch import watching_role
from atomops.verdict import Unseen


@dataclass(frozen=True)
class _ScannedColumn:
    schema: str
    name: str
    rows: int
    size: int
    sequential_scans: int
    sequential_rows: int
    index_scans: int
    column: str
    distinct: float | None
    leads_index: bool


@dataclass(frozen=True)
class TuningPlan:
    """Everything that is known before anything is changed; without `step` nothing is to be."""

    access: Access
    version: str
    wish: TuningWish
    before: SlowLog
    statements: tuple[SlowStatement, ...] | Unseen
    tables: tuple[ScannedTable, ...] | Unseen
    kept: Remembered | None
    refused: Unseen | None
    step: Step | None

    def facts(self, *, dry_run: bool) -> TuningFacts:
        """What the report is made of."""
        return TuningFacts(
            at=dt.datetime.now(dt.UTC),
            dry_run=dry_run,
            where=self.access.address,
            version=self.version,
            asked=self.wish.sentence if self.wish.changes else "",
            scope=self.wish.scope,
            before=self.before,
            statements=self.statements,
            tables=self.tables,
            plan=self.step.statements if self.step else (),
            refused=self.refused,
            remembered=self.kept,
        )


async def plan_tuning(target: Target, wish: TuningWish, run: str) -> TuningPlan:
    """What there is to see, and what would be executed or why it is refused; nothing is changed.

    Raises PermanentError when what is remembered cannot be read, and whatever connecting raises.
    """
    access, now = changing(target), dt.datetime.now(dt.UTC)
    version, statements, tables = await _read(target)
    log, rights = await look(access, target.changes), await rights_of(access, target.changes)
    kept = remembered(target, wish.scope)
    refused, planned = None, None
    if wish.changes:
        refused = obstacle(wish, log, rights, kept)
        new = Remembered(now, wish.scope, access.database, None, str(wish.slow_statement_ms), run)
        planned = None if refused else step(wish, log, kept, new)
    return TuningPlan(access, version, wish, log, statements, tables, kept, refused, planned)


async def _read(target: Target) -> tuple[str, tuple[SlowStatement, ...] | Unseen, tuple[ScannedTable, ...] | Unseen]:
    """What the role that reads may see."""
    async with read_only_session(watching_role(target)) as session:
        server: Server = await server_of(session)
        statements = await ask(session, server, "slow_statements", SlowStatement)
        columns = await ask(session, server, "scanned_columns", _ScannedColumn)
    return server.version, statements, columns if isinstance(columns, Unseen) else tuple(_tables(columns))


def _tables(columns: Iterable[_ScannedColumn]) -> Iterable[ScannedTable]:
    for (schema, name), found in groupby(columns, key=lambda each: (each.schema, each.name)):
        every = list(found)
        first = every[0]
        yield ScannedTable(
            schema=schema,
            name=name,
            rows=first.rows,
            size=first.size,
            sequential_scans=first.sequential_scans,
            sequential_rows=first.sequential_rows,
            index_scans=first.index_scans,
            columns=tuple(Column(each.column, each.distinct, each.leads_index) for each in every),
        )


async def tune(target: Target, plan: TuningPlan) -> TuningFacts:
    """The setting is what was wanted and was read back in a new session, or the facts say that it is not.

    What was there before is on disk before anything is changed: killed at any moment, the next run finds it.
    Raises AccessDenied naming the grant, or what the server refuses.
    """
    facts = plan.facts(dry_run=False)
    if plan.step is None:
        return facts
    if plan.step.remembered and not plan.wish.undo:
        remember(target, plan.step.remembered)
        facts = replace(facts, remembered=plan.step.remembered)
    if plan.step.statements:
        await carry_out(plan.access, target.changes, plan.step)
    after, well = await read_back(plan.access, target.changes, plan.step)
    if plan.wish.undo and well:
        forget(target, plan.wish.scope)
    return replace(facts, after=after, confirmed=well)


async def reach(target: Target) -> tuple[object, ...]:
    """What cannot be seen, and which grants are missing for a change of the server's settings or the database's."""
    access = changing(target)
    _, statements, tables = await _read(target)
    log, rights = await look(access, target.changes), await rights_of(access, target.changes)
    missing = rights_missing(rights, "server")
    if missing and not rights_missing(rights, "database"):
        missing = tuple(Unseen(each.reason, f"{each.action} (scope=database works)") for each in missing)
    return statements, tables, log, missing
