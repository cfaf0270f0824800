"""The guide's Morning Checklist (daily, 09:00)."""

import datetime as dt
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.parameters import TargetName
from atomops.probes.parts import MORNING
from tasks.judge import judge
from tasks.probe import look_at
from tasks.publish import final_state, publish
from tasks.punctuality import stale
from tasks.target import load_target

PARTS = MORNING


@flow(name="morning-checklist", flow_run_name="morning-checklist-{target}")
async def morning_checklist(target: TargetName = "production", stale_after_hours: float = 1) -> State[Any]:
    """Look at health, database, Redis, error logs, metrics, agent executions and certificate, and say how they are.

    Every part is looked at beside the others and waits for none of them. Nothing is changed.
    Runbook: docs/runbook/morning-checklist.md

    Args:
        target: The installation to look at, as the inventory calls it.
        stale_after_hours: A run that begins later than this after its time ends as STALE instead of passing for it.
    """
    late = stale("morning-checklist", stale_after_hours)
    if late is not None:
        return late
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    outcomes = await look_at(PARTS, world)
    report = await judge("morning-checklist", world, PARTS, outcomes, started_at)
    return final_state(await publish(report, world, outcomes))
