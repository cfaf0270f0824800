"""The guide's Checking Agent Status, as one report."""

import datetime as dt
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.parameters import Asked, Shown, TargetName, Window
from atomops.probes.parts import AGENTS
from tasks.judge import judge
from tasks.probe import look_at
from tasks.publish import final_state, publish
from tasks.target import load_target

PARTS = (AGENTS,)


@flow(name="agent-report", flow_run_name="agent-report-{target}")
async def agent_report(
    target: TargetName = "production",
    agent: Asked = "",
    hours: Window = 24,
    limit: Shown = 20,
) -> State[Any]:
    """Look at agents, how they perform, and how they fail.

    Nothing is changed.
    Runbook: docs/runbook/agent-report.md

    Args:
        target: The installation to look at, as the inventory calls it.
        agent: The id or the name of one agent, whose newest executions are shown too. Empty: of none.
        hours: How far back executions count.
        limit: Rows that a table shows at most.
    """
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    outcomes = await look_at([AGENTS.asking(agent=agent, hours=hours, limit=limit)], world)
    report = await judge("agent-report", world, PARTS, outcomes, started_at)
    return final_state(await publish(report, world, outcomes))
