"""The guide's Restarting Services Gracefully, whatever runs the application."""

import datetime as dt
from dataclasses import replace
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.change.restarting import WHAT, runs_afterwards
from atomops.facts.restart import RestartFacts
from atomops.facts.settling import SettlingFacts
from atomops.inventory import Target
from atomops.parameters import SettleSeconds, TargetName
from atomops.plans.restarting import steps
from atomops.probes.parts import RUNTIME, SETTLING
from atomops.runtimes.choose import runtime_of
from atomops.runtimes.runtime import Runtime
from tasks.change import Change, change
from tasks.judge import judge
from tasks.probe import outcome_of
from tasks.publish import final_state, publish
from tasks.restart import describe, looked, restart, take_back
from tasks.resume import resume
from tasks.settle import by_part, look_before, settle, what_is_worse
from tasks.target import load_target

PARTS = (RUNTIME, SETTLING)


@flow(name=WHAT, flow_run_name="restart-service-{target}")
async def restart_service(
    target: TargetName = "production",
    *,
    undo_on_failure: bool = True,
    settle_seconds: SettleSeconds | None = None,
    dry_run: bool = False,
) -> State[Any]:
    """Restart the application gracefully, watch it until it has settled, and bring it back when it does not.

    It runs again whatever happens meanwhile. A restart loses no data, so that `dry_run` is not the default as it is
    for a restore. Runbook: docs/runbook/restart-service.md

    Args:
        target: The installation to restart, as the inventory calls it.
        undo_on_failure: Go back to the earlier revision when it does not come up, is not ready or floods its error log;
            where the runtime has no revisions, start what does not run.
        settle_seconds: Seconds that readiness, new errors and failed requests are watched after it is ready; default:
            changes.settle of the inventory.
        dry_run: Only say what would be restarted, and by which commands.
    """
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    seconds = world.changes.settle if settle_seconds is None else settle_seconds
    runtime = runtime_of(world)
    work = _restart(world, runtime, seconds, undo=undo_on_failure, dry_run=dry_run)
    outcome = await outcome_of("the restart", work)
    outcomes = by_part(outcome)
    report = await judge(WHAT, world, PARTS[: len(outcomes)], outcomes, started_at)
    return final_state(await publish(report, world, outcomes))


async def _restart(
    world: Target, runtime: Runtime, seconds: float, *, undo: bool, dry_run: bool
) -> tuple[RestartFacts, SettlingFacts | None]:
    parameters = {"undo_on_failure": undo, "settle_seconds": seconds, "dry_run": dry_run}
    async with change(world, WHAT, parameters, dry_run=dry_run) as it:
        resumed = () if dry_run else await resume(world)
        before = await describe(runtime)
        plan = steps(world, before, settle=seconds, undo=undo)
        it.plan = tuple(f"{step.what}: {step.exactly}" for step in plan)
        it.before["runs"] = before
        facts = RestartFacts(dt.datetime.now(dt.UTC), dry_run, runtime.name, before, plan, resumed=resumed)
        if dry_run:
            return facts, None
        facts, settled = await _carry_out(world, runtime, facts, seconds, it, undo=undo)
        it.after["runs"] = facts.after
        it.result = "failed" if facts.problem else it.result
    return facts, settled


async def _carry_out(  # noqa: PLR0913 - all that the steps need
    world: Target, runtime: Runtime, facts: RestartFacts, seconds: float, it: Change, *, undo: bool
) -> tuple[RestartFacts, SettlingFacts | None]:
    """Restart, wait until it is ready, watch it settle; and go back when one of them fails."""
    earlier = await look_before(world)
    undone, settled = "", None
    async with runs_afterwards(world, runtime, facts.before, WHAT, it.run) as guard:
        restarted = await restart(world, runtime)
        problem = restarted.problem
        if problem is None:
            settled = await settle(WHAT, world, earlier, seconds)
            problem = what_is_worse(world, settled)
        if problem:
            taken = await take_back(world, runtime, facts.before, undo=undo)
            guard.runs, undone = taken.runs, taken.told
    facts = replace(facts, **restarted.__dict__, undone=undone, after=await looked(runtime))
    return replace(facts, problem=problem), settled
