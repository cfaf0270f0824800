"""The guide's Restore from Backup, rehearsed every week: what has never been restored in earnest is a hope."""

import datetime as dt
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.backup.access import backups_of
from atomops.backup.making import workshop
from atomops.facts.drill import DrillFacts
from atomops.inventory import Target
from atomops.parameters import Name, TargetName, WaitMinutes
from atomops.probes.parts import DRILL
from tasks.change import change
from tasks.drill import clear, drilled_at, plan, try_every
from tasks.judge import judge
from tasks.probe import outcome_of
from tasks.publish import final_state, publish
from tasks.punctuality import done_since
from tasks.target import load_target

PARTS = (DRILL,)


@flow(name="restore-drill", flow_run_name="restore-drill-{target}")
async def restore_drill(
    target: TargetName = "production",
    *,
    database: Name | None = None,
    dry_run: bool = False,
    wait_minutes: WaitMinutes = 0,
) -> State[Any]:
    """Restore the newest set of every store from that very store, compare every row, time it, and remove it again.

    Nothing live is changed, so it need not be a dry run: the copies are made on a scratch server, or in databases of
    their own beside the live one (`backups.drill_on`). The report says how quickly everything could be back.
    Runbook: docs/runbook/restore-drill.md

    Args:
        target: The installation, as the inventory calls it.
        database: Only this one; default: every database that is backed up.
        dry_run: Only say which sets would be restored, from where, and on which server.
        wait_minutes: So long another change of the target may still take; then this one gives up, naming it.
    """
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    late = done_since("restore-drill", drilled_at(world))
    if late is not None:
        return late
    outcome = await outcome_of("the drill", _drill(world, database, dry_run=dry_run, wait_minutes=wait_minutes))
    report = await judge("restore-drill", world, PARTS, [outcome], started_at)
    return final_state(await publish(report, world, [outcome]))


async def _drill(world: Target, database: str | None, *, dry_run: bool, wait_minutes: float) -> DrillFacts:
    parameters = {"database": database, "wait_minutes": wait_minutes}
    async with change(world, "restore-drill", parameters, dry_run=dry_run, wait_minutes=wait_minutes) as it:
        planned = await plan(world, database)
        it.plan = planned.lines
        if dry_run:
            return planned.facts(dry_run=True)
        with workshop(backups_of(world)) as work:
            cleared = await clear(planned)
            trials, swept = await try_every(planned, work)
        it.after |= {"restored": [each.set.id for each in trials if each.set and each.is_restored]}
        return planned.facts(trials, cleared=(*cleared, *swept))
