"""The guide's End-of-Day Checklist (daily, 18:00)."""

import datetime as dt
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.parameters import TargetName
from atomops.probes.parts import END_OF_DAY
from tasks.judge import judge
from tasks.probe import look_at
from tasks.publish import final_state, publish
from tasks.punctuality import stale
from tasks.target import load_target

PARTS = END_OF_DAY


@flow(name="end-of-day-checklist", flow_run_name="end-of-day-checklist-{target}")
async def end_of_day_checklist(target: TargetName = "production", stale_after_hours: float = 1) -> State[Any]:
    """Look at the day's alerts, the backups, replaced databases and the room that is left, before the night.

    Every part is looked at beside the others and waits for none of them. Nothing is changed.
    Runbook: docs/runbook/end-of-day-checklist.md

    Args:
        target: The installation to look at, as the inventory calls it.
        stale_after_hours: A run that begins later than this after its time ends as STALE instead of passing for it.
    """
    late = stale("end-of-day-checklist", stale_after_hours)
    if late is not None:
        return late
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    outcomes = await look_at(PARTS, world)
    report = await judge("end-of-day-checklist", world, PARTS, outcomes, started_at)
    return final_state(await publish(report, world, outcomes))
