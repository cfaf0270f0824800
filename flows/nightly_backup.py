"""The guide's Automated Backups (daily, 02:00)."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.backup.access import backups_of
from atomops.backup.making import workshop
from atomops.backup.places import places_of, sweep
from atomops.backup.prove import Bench
from atomops.backup.proving import bench
from atomops.facts.nightly import DatabaseNight, NightFacts, Pruning
from atomops.inventory import Target
from atomops.parameters import TargetName, WaitMinutes
from atomops.probes.parts import NIGHT
from tasks.back_up import back_up
from tasks.change import change
from tasks.drop_replaced import drop_replaced
from tasks.dump import examined
from tasks.judge import judge
from tasks.preflight import preflight
from tasks.probe import outcome_of
from tasks.prune import prune
from tasks.publish import final_state, publish
from tasks.punctuality import caught_up
from tasks.target import load_target

PARTS = (NIGHT,)


@flow(name="nightly-backup", flow_run_name="nightly-backup-{target}")
async def nightly_backup(
    target: TargetName = "production", *, dry_run: bool = False, wait_minutes: WaitMinutes = 0
) -> State[Any]:
    """Dump every database, prove every dump by restoring it, and only then prune.

    Rows are counted and hashed under the very snapshot of the dump, so that the proof is exact however much is written
    meanwhile. Nobody else changes the target at the same time.
    Runbook: docs/runbook/nightly-backup.md

    Args:
        target: The installation to back up, as the inventory calls it.
        dry_run: Only say what would be dumped, with what, what would be pruned, and which replaced databases would go.
        wait_minutes: So long another change of the target may still take; then this one gives up, naming it.
    """
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    late = await caught_up("nightly-backup", world)
    if late is not None:
        return late
    outcome = await outcome_of("the backup", _night(world, dry_run=dry_run, wait_minutes=wait_minutes))
    report = await judge("nightly-backup", world, PARTS, [outcome], started_at)
    return final_state(await publish(report, world, [outcome]))


async def _night(world: Target, *, dry_run: bool, wait_minutes: float) -> NightFacts:
    settings = backups_of(world)
    parameters = {"dry_run": dry_run, "wait_minutes": wait_minutes}
    async with change(world, "nightly-backup", parameters, dry_run=dry_run, wait_minutes=wait_minutes) as night:
        plan = await preflight(world)
        places = await places_of(world, settings)
        swept: tuple[str, ...] = ()
        if dry_run:
            databases = [await examined(plan, access) for access in plan.databases]
        else:
            with workshop(settings) as work:
                swept = await sweep(places)
                async with bench(settings, plan.tools, work) as on:
                    swept += on.scratch.swept if isinstance(on, Bench) else ()
                    databases = [await back_up(plan, access, places, on, work) for access in plan.databases]
        prunings = await prune(places, settings.every_hours, databases, night.lock, dry_run=dry_run)
        replaced = await drop_replaced(world, places, databases, night.lock, dry_run=dry_run)
        night.after |= {**_outcome(databases, prunings), "replaced": replaced.dropped}
    return NightFacts(dt.datetime.now(dt.UTC), dry_run, tuple(databases), prunings, swept, str(plan.tools), replaced)


def _outcome(databases: Sequence[DatabaseNight], prunings: Sequence[Pruning]) -> dict[str, object]:
    """The night in the words of its record."""
    made = {each.database: each.set.id if each.set else f"no new set: {each.problem}" for each in databases}
    return {"sets": made, "pruned": {each.store: each.removed for each in prunings}}
