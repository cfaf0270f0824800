"""What is going to be vacuumed, by which statements, and what cannot be: found out before anything is done."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import psycopg

from atomops.backup.access import Access, changing
from atomops.change.session import changing_session
from atomops.facts.vacuum import FullCost, Holder, Status, TableOutcome, TableState, VacuumFacts
from atomops.inventory import Changes, Postgres, Target
from atomops.plans.vacuum import Step, Wish, check_options, full_cost, obstacle, steps
from atomops.plans.vacuum_choice import choose, told_choice
from atomops.probes.postgres.connect import Session
from atomops.probes.postgres.session import connection_error
from atomops.vacuum.look import LOOK_SECONDS, default_tables, disks_of, relations_of, server_of
from atomops.vacuum.statements import settings, texts
from atomops.vacuum.watch import Watch, watching, watching_role
from atomops.verdict import Unseen

_LEFT = """
    SELECT pid FROM pg_stat_activity
    WHERE application_name = %s AND usename = current_user AND pid <> pg_backend_pid()
"""
_LONGEST_NAME = 63  # bytes that PostgreSQL keeps of an application name


@dataclass(frozen=True)
class VacuumPlan:
    """Everything that is known before the first VACUUM. `refused` are names that come to nothing.

    `left` are backends of an earlier run of this target that was killed: nobody waits for them any more.
    """

    target: str
    access: Access
    changes: Changes
    watcher: Postgres
    wish: Wish
    role: str
    version: int
    server: str
    choice: str
    steps: tuple[Step, ...]
    refused: tuple[TableOutcome, ...]
    holders: tuple[Holder, ...] | Unseen
    costs: tuple[FullCost, ...] = ()
    left: tuple[int, ...] = ()

    @property
    def statements(self) -> tuple[str, ...]:
        """Everything that is executed, in its order; what each session sets comes first."""
        return (*(each.as_string(None) for each in settings(self.wish.settings.items())), *texts(self.steps))

    def planned(self) -> tuple[TableOutcome, ...]:
        """What would be done, table by table."""
        told = zip(self.steps, texts(self.steps), strict=False)  # the last one may be for no table
        return tuple(
            TableOutcome(step.relation.label, Status.PLANNED, text, before=step.relation.state) for step, text in told
        )

    def facts(self, outcomes: Sequence[TableOutcome], ended: Sequence[str] = (), *, dry_run: bool) -> VacuumFacts:
        """What the report is made of."""
        return VacuumFacts(
            at=dt.datetime.now(dt.UTC),
            dry_run=dry_run,
            database=self.access.database,
            role=self.role,
            server=self.server,
            choice=self.choice,
            statements=self.statements,
            outcomes=(*outcomes, *self.refused),
            holders=self.holders,
            costs=self.costs,
            ended=tuple(ended),
        )


def session_name(target: str) -> str:
    """What our sessions are called, by which the next run knows those that a killed one has left."""
    return f"atomops vacuum-tables {target}".encode()[:_LONGEST_NAME].decode(errors="ignore")


async def plan_vacuum(target: Target, wish: Wish) -> VacuumPlan:
    """What the wish means for this database just now; nothing is changed.

    Raises PermanentError for options that exclude each other, or a server that is a standby; NotThere when no table is
    named and the profile names none; InventoryError without a database; and whatever connecting raises.
    """
    check_options(wish.options)
    access, watcher = changing(target), watching_role(target)
    async with (
        watching(watcher) as watch,
        changing_session(access, target.changes, statement_timeout=LOOK_SECONDS) as session,
    ):
        try:
            return await _plan(target, wish, watch, session)
        except psycopg.Error as error:
            raise connection_error(error, access.address) from None


async def _plan(target: Target, wish: Wish, watch: Watch, session: Session) -> VacuumPlan:
    access = changing(target)
    await session.execute("SET default_transaction_read_only = on")
    server = await server_of(session, access)
    by_name = not wish.tables and wish.choose == "named"
    defaults = await default_tables(session, target) if by_name else ()
    relations = await relations_of(session)
    chosen = choose(wish, defaults, relations, server.path)
    wanted = [await _now(step, watch) for step in steps(chosen.relations, relations, wish.options, server.version)]
    costs = await _costs(target, wish, wanted, session)
    obstacles = [obstacle(each, server.role, server.version, costs.get(each.relation.oid)) for each in wanted]
    left = await (await session.execute(_LEFT, [session_name(target.name)])).fetchall()
    return VacuumPlan(
        target=target.name,
        access=access,
        changes=target.changes,
        watcher=watch.settings,
        wish=wish,
        role=server.role,
        version=server.version,
        server=server.told_version,
        choice=told_choice(wish, defaults),
        steps=tuple(step for step, found in zip(wanted, obstacles, strict=True) if found is None),
        refused=(*chosen.refused, *(found for found in obstacles if found)),
        holders=await watch.holders(),
        costs=tuple(costs.values()),
        left=tuple(int(str(row[0])) for row in left),
    )


async def _now(step: Step, watch: Watch) -> Step:
    """With the table's exact size, where nobody has it locked."""
    state = await watch.state(step.relation.oid)
    return replace(step, relation=replace(step.relation, state=state)) if isinstance(state, TableState) else step


async def _costs(target: Target, wish: Wish, wanted: Sequence[Step], session: Session) -> dict[int, FullCost]:
    """What FULL needs, by table; nothing without FULL."""
    rewritten = [step.relation for step in wanted if step.verb == "VACUUM" and wish.options.full]
    disks = await disks_of(target, changing(target), session, (each.location for each in rewritten))
    return {each.oid: full_cost(each, *disks[each.location]) for each in rewritten}
