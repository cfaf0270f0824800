"""The guide's Security Operations (daily, 07:00)."""

import datetime as dt
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.parameters import TargetName
from atomops.probes.parts import ACCESS, CERTIFICATES, EXECUTIONS, LOGINS, REDIS_ACCESS
from tasks.judge import judge
from tasks.probe import look_at
from tasks.publish import final_state, publish
from tasks.punctuality import stale
from tasks.target import load_target

PARTS = (CERTIFICATES, EXECUTIONS, LOGINS, ACCESS, REDIS_ACCESS)


@flow(name="security-audit", flow_run_name="security-audit-{target}")
async def security_audit(target: TargetName = "production", stale_after_hours: float = 1) -> State[Any]:
    """Look at certificates, unusual executions, failed logins, and who may do what in PostgreSQL and Redis.

    Every part is looked at beside the others and waits for none of them. Nothing is changed.
    Runbook: docs/runbook/security-audit.md

    Args:
        target: The installation to look at, as the inventory calls it.
        stale_after_hours: A run that begins later than this after its time ends as STALE instead of passing for it.
    """
    late = stale("security-audit", stale_after_hours)
    if late is not None:
        return late
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    outcomes = await look_at(PARTS, world)
    report = await judge("security-audit", world, PARTS, outcomes, started_at)
    return final_state(await publish(report, world, outcomes))
