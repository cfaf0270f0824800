"""The way back of the guide's Configuration Backup."""

import datetime as dt
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.facts.configuration_restore import ConfigurationRestoreFacts, Fate
from atomops.inventory import Target
from atomops.parameters import Backup, ItemName, TargetName
from atomops.probes.parts import CONFIGURATION_RESTORE
from tasks.change import change
from tasks.judge import judge
from tasks.probe import outcome_of
from tasks.publish import final_state, publish
from tasks.restore_configuration import apply, look
from tasks.target import load_target

PARTS = (CONFIGURATION_RESTORE,)


@flow(name="restore-config", flow_run_name="restore-config-{target}")
async def restore_config(  # noqa: PLR0913 - each is a field of the run form
    target: TargetName = "production",
    *,
    backup: Backup = "latest",
    objects: tuple[ItemName, ...] = (),
    take_over: bool = False,
    without_lock: bool = False,
    dry_run: bool = True,
) -> State[Any]:
    """Put objects and files of a backup of the configuration back, in the order of need. Nothing is deleted.

    Kubernetes objects by server-side apply as "atomops"; files whole or not at all, the former one kept beside.
    Nothing is restarted. Runbook: docs/runbook/restore-config.md

    Args:
        target: The installation, as the inventory calls it.
        backup: latest (the newest that was read again), before:TIME, or a set's name.
        objects: Only these, such as ConfigMap/atom-config or /etc/atom/atom.env. Without any: everything of the set.
        take_over: Change fields that somebody else manages too, such as kubectl or helm. Else such an object is told.
        without_lock: Only when the database is away and cannot hold the lock: others may change the target meanwhile.
        dry_run: Only show what every object and file would become.
    """
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    asked = {"backup": backup, "objects": objects, "take_over": take_over, "without_lock": without_lock}
    is_missing = CONFIGURATION_RESTORE.missing(world)
    outcomes = [] if is_missing else [await outcome_of("the restore", _restore(world, asked, dry_run=dry_run))]
    report = await judge("restore-config", world, PARTS, outcomes, started_at)
    return final_state(await publish(report, world, outcomes))


async def _restore(world: Target, asked: dict[str, Any], *, dry_run: bool) -> ConfigurationRestoreFacts:
    locked = not asked["without_lock"]
    async with change(world, "restore-config", asked | {"dry_run": dry_run}, dry_run=dry_run, locked=locked) as it:
        chosen = await look(world, asked["backup"], asked["objects"], take_over=asked["take_over"])
        it.plan, it.before["set"] = chosen.plan, chosen.manifest.id
        if dry_run:
            return chosen.facts(chosen.restorations, dry_run=True)
        facts = chosen.facts(await apply(chosen), dry_run=False)
        it.after |= {each.name: f"{each.deed}: {each.fate}" for each in facts.restorations}
        failed = facts.of(Fate.FAILED, Fate.NOT_REACHED)
        it.result = f"failed: {len(failed)} of {len(facts.restorations)}" if failed else it.result
        return facts
