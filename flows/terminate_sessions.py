"""Sessions that hold a connection or a transaction and do nothing: what operators end by hand."""

import datetime as dt
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.facts.terminating import TerminationFacts
from atomops.inventory import Target
from atomops.parameters import Minutes, Name, Sessions, TargetName
from atomops.plans.terminating import TerminationWish
from atomops.probes.parts import SESSIONS
from tasks.change import change
from tasks.judge import judge
from tasks.probe import outcome_of
from tasks.publish import final_state, publish
from tasks.target import load_target
from tasks.terminate_sessions import plan, terminate

PARTS = (SESSIONS,)


@flow(name="terminate-sessions", flow_run_name="terminate-sessions-{target}")
async def terminate_sessions(  # noqa: PLR0913 - each is a field of the run form
    target: TargetName = "production",
    *,
    idle_in_transaction_minutes: Minutes | None = 5,
    idle_minutes: Minutes | None = 60,
    users: tuple[Name, ...] = (),
    applications: tuple[Name, ...] = (),
    superusers: bool = False,
    monitoring: bool = False,
    most: Sessions = 50,
    dry_run: bool = True,
) -> State[Any]:
    """End sessions of the target's database that have been idle for too long, and nothing that is at work.

    A session that does anything between the look and the act is spared; what each holds and whom it blocks is told.
    Runbook: docs/runbook/terminate-sessions.md

    Args:
        target: The installation, as the inventory calls it.
        idle_in_transaction_minutes: From so long on, sessions that are idle in a transaction. None: lets them alone.
        idle_minutes: From so long on, sessions that are idle. None: lets them alone.
        users: Only sessions of these roles; `*` stands for anything.
        applications: Only those with these application names; `*` stands for anything.
        superusers: Superusers' sessions too.
        monitoring: Sessions of roles in pg_monitor too.
        most: Not more than so many, those in a transaction and those that block others first.
        dry_run: Only list them, with the exact statements.
    """
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    wish = TerminationWish(
        idle_in_transaction=None if idle_in_transaction_minutes is None else idle_in_transaction_minutes * 60,
        idle=None if idle_minutes is None else idle_minutes * 60,
        users=users,
        applications=applications,
        superusers=superusers,
        monitoring=monitoring,
        most=most,
    )
    outcome = await outcome_of("the sessions", _terminate(world, wish, dry_run=dry_run))
    report = await judge("terminate-sessions", world, PARTS, [outcome], started_at)
    return final_state(await publish(report, world, [outcome]))


async def _terminate(world: Target, wish: TerminationWish, *, dry_run: bool) -> TerminationFacts:
    async with change(world, "terminate-sessions", vars(wish), dry_run=dry_run) as it:
        planned = await plan(world, wish)
        it.plan = planned.statements
        outcomes = planned.planned() if dry_run else await terminate(world, planned, it)
        return planned.facts(outcomes, dry_run=dry_run)
