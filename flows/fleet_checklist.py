"""A checklist of the guide for many targets side by side."""

import datetime as dt
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.inventory import load_inventory
from atomops.parameters import AtOnce, ChecklistName, TargetPattern, TargetSeconds
from atomops.plans.fleet import choose
from tasks.fleet import Round, history_of
from tasks.publish import final_state, publish_fleet
from tasks.punctuality import stale


@flow(name="fleet-checklist", flow_run_name="fleet-checklist-{checklist}")
async def fleet_checklist(
    targets: tuple[TargetPattern, ...] = ("*",),
    *,
    checklist: ChecklistName = "morning",
    at_once: AtOnce = 8,
    within: TargetSeconds = 180,
    stale_after_hours: float = 1,
) -> State[Any]:
    """Look at many targets as their checklist does, a bounded number at once, and say which are the worst.

    Each target gets its own report. One that cannot be looked at is UNKNOWN with the reason, and harms no other.
    Nothing is changed. Runbook: docs/runbook/fleet-checklist.md

    Args:
        targets: Names of the inventory, or patterns such as berlin-*; all of them by default.
        checklist: Which one: that of the morning, or that of the end of the day.
        at_once: Targets that are looked at side by side.
        within: Seconds that a part of one target may take.
        stale_after_hours: A run that begins later than this after its time ends as STALE instead of passing for it.
    """
    late = stale("fleet-checklist", stale_after_hours)
    if late is not None:
        return late
    started_at = dt.datetime.now(dt.UTC)
    inventory = load_inventory()
    names = choose(targets, inventory.targets)
    seen = await Round(inventory, checklist, at_once, within).of(names)
    report = await publish_fleet("fleet-checklist", seen, history_of(inventory, names), started_at)
    return final_state(report)
