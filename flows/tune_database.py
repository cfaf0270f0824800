"""The guide's Database Optimization: slow queries, missing indexes, and the log of slow statements."""

import datetime as dt
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.facts.tuning import TuningFacts
from atomops.inventory import Target
from atomops.parameters import Milliseconds, Scope, TargetName
from atomops.plans.slow_log import TuningWish
from atomops.probes.parts import INDEXES, TUNING
from tasks.change import change
from tasks.judge import judge
from tasks.probe import look_at, outcome_of
from tasks.publish import final_state, publish
from tasks.target import load_target
from tasks.tune_database import plan, tune

PARTS = (TUNING, INDEXES)


@flow(name="tune-database", flow_run_name="tune-database-{target}")
async def tune_database(
    target: TargetName = "production",
    *,
    slow_statement_ms: Milliseconds | None = None,
    undo: bool = False,
    scope: Scope = "server",
    dry_run: bool = True,
) -> State[Any]:
    """Tell what is slow and which index one could try; and log slow statements, with a way back.

    Without slow_statement_ms and undo it is a report and changes nothing. No index is ever made or dropped.
    Runbook: docs/runbook/tune-database.md

    Args:
        target: The installation, as the inventory calls it.
        slow_statement_ms: Log statements that take so many milliseconds or longer. 0: every one; -1: none.
        undo: Go back to what was there before slow_statement_ms was first set.
        scope: The server (ALTER SYSTEM and a reload), or the target's database (ALTER DATABASE) where that is not
            allowed, as with managed servers; new sessions alone see the latter.
        dry_run: Only show what is in force and every statement.
    """
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    wish = TuningWish(slow_statement_ms, undo, scope)
    outcome = await outcome_of("the tuning", _tune(world, wish, dry_run=dry_run))
    indexes = await look_at(PARTS[1:], world)
    report = await judge("tune-database", world, PARTS, [outcome, *indexes], started_at)
    return final_state(
        await publish(report, world, [outcome])
    )  # the checklists' last look at the database stays theirs


async def _tune(world: Target, wish: TuningWish, *, dry_run: bool) -> TuningFacts:
    if not wish.changes:
        return (await plan(world, wish)).facts(dry_run=True)
    async with change(world, "tune-database", vars(wish), dry_run=dry_run) as it:
        planned = await plan(world, wish, it.run)
        it.plan = planned.step.statements if planned.step else ()
        return planned.facts(dry_run=True) if dry_run else await tune(world, planned, it)
