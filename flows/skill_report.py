"""The guide's Viewing Skill Execution Logs, as one report."""

import datetime as dt
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.parameters import Asked, Shown, TargetName, Window
from atomops.probes.parts import SKILLS
from tasks.judge import judge
from tasks.probe import look_at
from tasks.publish import final_state, publish
from tasks.target import load_target

PARTS = (SKILLS,)


@flow(name="skill-report", flow_run_name="skill-report-{target}")
async def skill_report(
    target: TargetName = "production",
    skill: Asked = "",
    hours: Window = 24,
    limit: Shown = 20,
) -> State[Any]:
    """Look at executions of skills, how many succeed, and how they fail.

    Nothing is changed.
    Runbook: docs/runbook/skill-report.md

    Args:
        target: The installation to look at, as the inventory calls it.
        skill: The id or the name of the one skill whose newest executions are shown. Empty: of all.
        hours: How far back executions count.
        limit: Rows that a table shows at most.
    """
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    outcomes = await look_at([SKILLS.asking(skill=skill, hours=hours, limit=limit)], world)
    report = await judge("skill-report", world, PARTS, outcomes, started_at)
    return final_state(await publish(report, world, outcomes))
