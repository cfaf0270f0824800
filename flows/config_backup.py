"""The guide's Configuration Backup (nightly, after the database)."""

import datetime as dt
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.facts.configuration_backup import ConfigurationFacts
from atomops.inventory import Target
from atomops.parameters import TargetName
from atomops.probes.parts import CONFIGURATION
from tasks.change import change
from tasks.judge import judge
from tasks.probe import outcome_of
from tasks.publish import final_state, publish
from tasks.punctuality import stale
from tasks.save_configuration import collect, save, would_prune
from tasks.target import load_target

PARTS = (CONFIGURATION,)


@flow(name="config-backup", flow_run_name="config-backup-{target}")
async def config_backup(target: TargetName = "production", *, dry_run: bool = False) -> State[Any]:
    """Back up what the application is configured by: objects, files, secrets; and say what has changed.

    Secrets are encrypted, or not written at all. What we may not read is told, and the rest is kept all the same.
    Runbook: docs/runbook/config-backup.md

    Args:
        target: The installation, as the inventory calls it.
        dry_run: Only say what would be written, what has changed, and what would be pruned.
    """
    late = stale("config-backup", 12)
    if late is not None:
        return late
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    outcomes = (
        [] if CONFIGURATION.missing(world) else [await outcome_of("the backup", _back_up(world, dry_run=dry_run))]
    )
    report = await judge("config-backup", world, PARTS, outcomes, started_at)
    return final_state(await publish(report, world, outcomes))


async def _back_up(world: Target, *, dry_run: bool) -> ConfigurationFacts:
    async with change(world, "config-backup", {"dry_run": dry_run}, dry_run=dry_run) as it:
        prepared = await collect(world, dry_run=dry_run)
        it.plan = prepared.plan
        if dry_run:
            return await would_prune(prepared, it.lock)
        facts = await save(prepared, it.lock)
        it.before["set"], it.after["set"] = facts.compared_with, facts.set_id
        it.after["incomplete"] = [each.name for each in facts.not_taken]
        return facts
