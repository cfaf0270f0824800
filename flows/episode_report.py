"""The guide's Managing Episodic Memory, as one report."""

import datetime as dt
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.parameters import Age, Shown, TargetName
from atomops.probes.parts import EPISODES
from tasks.judge import judge
from tasks.probe import look_at
from tasks.publish import final_state, publish
from tasks.target import load_target

PARTS = (EPISODES,)


@flow(name="episode-report", flow_run_name="episode-report-{target}")
async def episode_report(
    target: TargetName = "production",
    older_than_days: Age = 30,
    limit: Shown = 20,
) -> State[Any]:
    """Look at the episodic memory: what is ready for consolidation, what is left over, and what it takes.

    Nothing is changed.
    Runbook: docs/runbook/episode-report.md

    Args:
        target: The installation to look at, as the inventory calls it.
        older_than_days: Episodes from this age on can be consolidated.
        limit: Rows that a table shows at most.
    """
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    outcomes = await look_at([EPISODES.asking(older_than_days=older_than_days, limit=limit)], world)
    report = await judge("episode-report", world, PARTS, outcomes, started_at)
    return final_state(await publish(report, world, outcomes))
