"""What is restored from where to where, and whether that can be done: found out before anything changes."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

from psycopg import sql

from atomops.backup.access import Access, backups_of, changing
from atomops.errors import InventoryError, NotThere
from atomops.facts.backup import Obstacle
from atomops.facts.restore import DISCONNECT, STOP, SWAP, TABLES, RestoreFacts, Source, Step
from atomops.inventory import Target
from atomops.plans.choice import LATEST, PREVIOUS
from atomops.plans.restoring import steps
from atomops.probes.postgres.connect import Session
from atomops.restore.choosing import FromSet, Programs, choose_previous, choose_set, chosen_tables, programs_for
from atomops.restore.course import course_of, schema_of
from atomops.restore.databases import Live, Marked, Names, look_at_live, maintenance
from atomops.restore.preflight import (
    exchange_obstacles,
    followers,
    missing_tablespaces,
    obstacles,
    schema_obstacles,
)
from atomops.restore.sessions import restoring_session
from atomops.restore.settings import grant_statements
from atomops.runtimes.choose import runtime_of
from atomops.runtimes.runtime import Runtime
from atomops.verdict import Unseen

__all__ = ["FromSet", "RestorePlan", "Wanted", "plan_restore", "reach"]
_LOOK_SECONDS = 60
_NO_PROGRAMS = Programs()


@dataclass(frozen=True)
class Wanted:
    """What the SRE asked for: the flow's parameters."""

    backup: str
    mode: str = SWAP
    quiesce: str = STOP
    tables: tuple[str, ...] = ()
    safety_dump: bool = False
    keep_old_days: int | None = None
    database: str | None = None


@dataclass(frozen=True)
class RestorePlan:
    """Everything that the steps need. `live` is None when there is no database of that name; `at` is its own moment.

    `grants` are what the copy is given to begin with. Without `tablespaces` everything lies in the database's own.
    """

    at: dt.datetime
    target: Target
    wanted: Wanted
    access: Access
    server_version: int
    names: Names
    live: Live | None
    source: FromSet | Marked
    runtime: Runtime | None
    programs: Programs = _NO_PROGRAMS
    grants: tuple[sql.Composed, ...] = ()
    tables: tuple[str, ...] = ()
    tablespaces: bool = True
    steps: tuple[Step, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def maintenance(self) -> Access:
        """Where the renames are done from."""
        return maintenance(self.access, self.names.live)

    @property
    def keep_days(self) -> int:
        """How long the replaced database is kept."""
        own = self.wanted.keep_old_days
        return self.target.changes.keep_old_days if own is None else own

    @property
    def until(self) -> dt.datetime:
        """Until when it is kept."""
        return self.at + dt.timedelta(days=self.keep_days)

    @property
    def saves(self) -> bool:
        """Whether the live database is dumped first."""
        return self.wanted.safety_dump and self.live is not None

    @property
    def in_short(self) -> Source | None:
        """The set as facts."""
        return Source.of(self.source.set, self.source.store.name) if isinstance(self.source, FromSet) else None

    def facts(self, *, dry_run: bool = False, **found: Any) -> RestoreFacts:  # noqa: ANN401 - fields of the facts
        """The plan, and what came of it."""
        return RestoreFacts(
            at=dt.datetime.now(dt.UTC),
            dry_run=dry_run,
            mode=self.wanted.mode,
            quiesce=self.wanted.quiesce,
            database=self.names.live,
            steps=self.steps,
            source=self.in_short,
            obstacles=self.obstacles,
            notes=self.notes,
            **found,
        )


async def plan_restore(target: Target, wanted: Wanted) -> RestorePlan:
    """The whole plan, its obstacles and its steps. Changes nothing.

    Raises NotThere for a set, a store or a runtime that is not there, InventoryError, and what connecting raises.
    """
    access = changing(target)
    name, now = wanted.database or access.database, dt.datetime.now(dt.UTC)
    access = access.to(name)
    runtime = _runtime(target, wanted)
    async with restoring_session(maintenance(access), target.changes, seconds=_LOOK_SECONDS) as session:
        live, version = await look_at_live(session, name), session.info.server_version
        if wanted.backup == PREVIOUS:
            source: FromSet | Marked = await choose_previous(session, name, wanted.mode)
            notes: tuple[str, ...] = ()
        else:
            source, notes = await choose_set(target, wanted.backup, name)
        names = Names.at(name, now)
        plan = RestorePlan(now, target, wanted, access, version, names, live, source, runtime, notes=notes)
        plan = await (_back(session, plan, source) if isinstance(source, Marked) else _forth(session, plan, source))
        if live is not None and wanted.mode == SWAP:
            stay = [f"{each} stays with the replaced database" for each in await followers(session, live)]
            plan = replace(plan, notes=(*plan.notes, *stay))
    if live is None:
        plan = replace(plan, notes=(*plan.notes, f"there is no database {name}: nothing is replaced"))
    return replace(plan, steps=steps(course_of(plan)))


async def _back(session: Session, plan: RestorePlan, source: Marked) -> RestorePlan:
    names = replace(plan.names, incoming=source.name)
    return replace(plan, names=names, obstacles=await exchange_obstacles(session, plan.live))


async def _forth(session: Session, plan: RestorePlan, source: FromSet) -> RestorePlan:
    manifest, wanted, settings = source.set.manifest, plan.wanted, backups_of(plan.target)
    programs, found = await programs_for(settings, plan.server_version // 10_000, manifest)
    if manifest.encrypted_for and settings.identity is None:
        found.append(Obstacle(manifest.id, "it is encrypted, and no identity is at hand", "set backups.identity"))
    missing = await missing_tablespaces(session, manifest)
    tables: tuple[str, ...] = ()
    if wanted.mode == TABLES:
        if plan.live is None:
            raise NotThere(f"there is no database {plan.names.live} to copy tables into", action="take mode=swap")
        tables = await chosen_tables(wanted.tables, manifest, plan.access, plan.target)
        found += await schema_obstacles(plan.access, plan.target.changes, schema_of(plan), programs)
    swapped = plan.live if wanted.mode == SWAP else None
    found += await obstacles(session, manifest, plan.live, swapped, plan.target.name)
    notes = [f"without the tablespaces {', '.join(missing)}, which are not here"] if missing else []
    return replace(
        plan,
        programs=programs,
        tables=tables,
        tablespaces=not missing,
        grants=await grant_statements(session, plan.names.incoming, manifest.origin),
        obstacles=tuple(found),
        notes=(*plan.notes, *notes),
    )


async def reach(target: Target) -> tuple[Unseen, ...]:
    """What stands in the way of a restore, without making one. Raises what `plan_restore` raises."""
    plan = await plan_restore(target, Wanted(LATEST, quiesce=DISCONNECT))
    return tuple(Unseen(f"{each.thing}: {each.reason}", each.remedy) for each in plan.obstacles)


def _runtime(target: Target, wanted: Wanted) -> Runtime | None:
    """What is stopped or restarted around the exchange. Without one only `disconnect` can be done."""
    if wanted.mode != SWAP:
        return None
    try:
        return runtime_of(target)
    except NotThere as error:
        if wanted.quiesce == DISCONNECT:
            return None
        action = f"add [targets.{target.name}.runtime], or take quiesce={DISCONNECT}"
        raise InventoryError(
            f"the application of {target.name} cannot be stopped: {error.what}", action=action
        ) from None
