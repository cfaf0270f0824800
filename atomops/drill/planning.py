"""Which sets are tried, from which store, and where: found out before anything is made."""

import datetime as dt
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from atomops.backup.access import backups_of, changing
from atomops.backup.places import Place, places_of
from atomops.backup.preflight import Tools, tools_for
from atomops.change.session import changing_session
from atomops.errors import AtomOpsError
from atomops.facts.backup import BackupSet, Listing
from atomops.facts.drill import LIVE, SCRATCH, DrillFacts, Past, Trial
from atomops.facts.restore import Source
from atomops.inventory import Backups, Target
from atomops.probes.backups import EVERY_DATABASE, expected_databases
from atomops.restore.databases import maintenance
from atomops.stores.history import load_facts
from atomops.verdict import Unseen

_LOOK_SECONDS = 30
_MAY_CREATE = "SELECT rolname::text, rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
_NO_IDENTITY = Unseen("it is encrypted, and no identity is at hand", "set backups.identity, here or where it may lie")


@dataclass(frozen=True)
class Candidate:
    """The newest set of one database in one store; None when there is none, or when nobody can see or read it."""

    place: Place
    database: str
    set: BackupSet | None = None
    problem: Unseen | None = None

    @property
    def trial(self) -> Trial:
        """It as facts, not tried yet."""
        source = Source.of(self.set, self.place.store.name) if self.set else None
        return Trial(self.place.store.name, self.database, source, problem=self.problem)


@dataclass(frozen=True)
class DrillPlan:
    """What is tried, and where. `tools` None: nothing here can restore into a server of our own, as `no_tools` says."""

    target: Target
    is_whole: bool
    where: str
    server: str
    candidates: tuple[Candidate, ...]
    tools: Tools | Unseen
    not_live: Unseen | None = None
    earlier: tuple[Past, ...] = ()

    @property
    def settings(self) -> Backups:
        """How its backups are made."""
        return backups_of(self.target)

    @property
    def lines(self) -> tuple[str, ...]:
        """The plan as its record has it."""
        sets = [each for each in self.candidates if each.set]
        return tuple(f"restore {each.set.id} from {each.place.store.name}, {self.server}" for each in sets if each.set)

    def facts(self, trials: Sequence[Trial] = (), **found: Any) -> DrillFacts:  # noqa: ANN401 - fields of the facts
        """The plan, and what came of it; without trials, what would be tried."""
        return DrillFacts(
            at=dt.datetime.now(dt.UTC),
            where=self.where,
            server=self.server,
            every_hours=self.settings.every_hours,
            trials=tuple(trials) or tuple(each.trial for each in self.candidates),
            is_whole=self.is_whole,
            not_live=self.not_live,
            earlier=self.earlier,
            **{"dry_run": False, **found},
        )


async def plan_drill(target: Target, database: str | None = None) -> DrillPlan:
    """What would be tried. Changes nothing. Raises NotThere without backups, InventoryError for bad settings."""
    settings = backups_of(target)
    wanted = (database,) if database else expected_databases(target)
    candidates = tuple(_candidates(await places_of(target, settings), wanted, settings))
    tools = await _tools(settings, candidates)
    not_live = await _why_not_live(target) if settings.drill_on == LIVE else None
    where = LIVE if settings.drill_on == LIVE and not_live is None else SCRATCH
    server = _live(target) if where == LIVE else _scratch(settings, tools)
    last = last_drill(target)
    earlier = last.past if last else ()
    return DrillPlan(target, database is None, where, server, candidates, tools, not_live, earlier)


def last_drill(target: Target) -> DrillFacts | None:
    """The last one that history knows of."""
    return load_facts(target.history, target.name, DrillFacts)[0]


async def reach(target: Target) -> tuple[Unseen, ...]:
    """What stands in the way of a drill, without making one. Raises what `plan_drill` raises."""
    plan = await plan_drill(target)
    found = [Unseen(f"{each.place.store.name}: {each.problem.reason}", each.problem.action) for each in _seen(plan)]
    if plan.where == SCRATCH and isinstance(plan.tools, Unseen):
        found.append(plan.tools)
    return (*found, *([plan.not_live] if plan.not_live else []))


def _seen(plan: DrillPlan) -> Iterator[Any]:
    yield from (each for each in plan.candidates if each.problem)


def _candidates(places: Sequence[Place], wanted: Sequence[str], settings: Backups) -> Iterator[Candidate]:
    """For every store each database that should be there, or that any store has when all are wanted."""
    names = [each for each in wanted if each != EVERY_DATABASE]
    if EVERY_DATABASE in wanted:
        names += sorted({each.database for place in places for each in _sets(place)})
    for place in places:
        for name in dict.fromkeys(names) or (EVERY_DATABASE,):
            yield _candidate(place, name, settings)


def _candidate(place: Place, database: str, settings: Backups) -> Candidate:
    if isinstance(place.before, Unseen):
        return Candidate(place, database, problem=place.before)
    now = dt.datetime.now(dt.UTC)  # a set dated in the future stands for no night
    newest = next((each for each in _sets(place) if each.database == database and each.at <= now), None)
    unreadable = newest is not None and newest.manifest.encrypted_for and settings.identity is None
    return Candidate(place, database, newest, _NO_IDENTITY if unreadable else None)


def _sets(place: Place) -> tuple[BackupSet, ...]:
    return place.before.sets if isinstance(place.before, Listing) else ()


async def _tools(settings: Backups, candidates: Sequence[Candidate]) -> Tools | Unseen:
    """Programs that read every one of the sets, and a server for them."""
    majors = [int(each.set.manifest.client_version.split(".")[0]) for each in candidates if each.set]
    try:
        tools = await tools_for(settings, max(majors, default=0))
    except AtomOpsError as error:
        return Unseen(error.what, error.action)
    if tools.server is None and not settings.scratch_dsn:
        action = f"install postgresql-{tools.client.major} or newer here, or set backups.scratch_dsn"
        return Unseen(f"no server programs of PostgreSQL {tools.client.major} or newer are here", action)
    return tools


async def _why_not_live(target: Target) -> Unseen | None:
    """Why no database can be made on the live server, or None."""
    try:
        access = maintenance(changing(target))
        async with changing_session(access, target.changes, statement_timeout=_LOOK_SECONDS) as session:
            row = await (await session.execute(_MAY_CREATE)).fetchone() or ("", False)
    except (AtomOpsError, psycopg.Error) as error:
        return Unseen(str(error), "see `atomops doctor`")
    if row[1]:
        return None
    action = f'ALTER ROLE "{row[0]}" CREATEDB, set changes.dsn to a role that may, or drill_on = "{SCRATCH}"'
    return Unseen(f"{row[0]} may not create databases on {access.address}", action)


def _live(target: Target) -> str:
    return f"beside the live database on {changing(target).address}"


def _scratch(settings: Backups, tools: Tools | Unseen) -> str:
    if settings.scratch_dsn:
        parts = conninfo_to_dict(settings.scratch_dsn)
        return f"on the scratch server {parts.get('host', 'localhost')}:{parts.get('port', 5432)}"
    if isinstance(tools, Unseen) or tools.server is None:
        return "on no server"
    return f"on a scratch server of {socket.gethostname()}, PostgreSQL {tools.server.version}"
