"""The guide's Managing User Permissions, as one report."""

import datetime as dt
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.parameters import Asked, Shown, TargetName
from atomops.probes.parts import USERS
from tasks.judge import judge
from tasks.probe import look_at
from tasks.publish import final_state, publish
from tasks.target import load_target

PARTS = (USERS,)


@flow(name="user-report", flow_run_name="user-report-{target}")
async def user_report(
    target: TargetName = "production",
    user: Asked = "",
    limit: Shown = 50,
) -> State[Any]:
    """Look at users, their roles, and the privileged ones among them. The report holds personal data.

    Nothing is changed.
    Runbook: docs/runbook/user-report.md

    Args:
        target: The installation to look at, as the inventory calls it.
        user: The id, name or e-mail address of one user, whose permissions are shown too. Empty: of none.
        limit: Rows that a table shows at most.
    """
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    outcomes = await look_at([USERS.asking(user=user, limit=limit)], world)
    report = await judge("user-report", world, PARTS, outcomes, started_at)
    return final_state(await publish(report, world, outcomes))
