"""Restart the application, and bring it back when that goes wrong."""

import time

from prefect import task
from prefect.cache_policies import NO_CACHE

from atomops.change import restarting
from atomops.change.restarting import Restarted, TakenBack
from atomops.errors import AtomOpsError
from atomops.facts.runtime import Running
from atomops.inventory import Target
from atomops.runtimes.runtime import Runtime
from atomops.verdict import Unseen
from tasks.probe import may_succeed_next_time
from tasks.progress import shown_progress


@task(
    task_run_name="describe",
    cache_policy=NO_CACHE,
    retries=1,
    retry_delay_seconds=1,
    retry_condition_fn=may_succeed_next_time,
)
async def describe(runtime: Runtime) -> Running:
    """What runs now. Raises what the runtime raises."""
    return await runtime.describe()


async def looked(runtime: Runtime) -> Running | Unseen:
    """What runs now, or why nobody knows."""
    try:
        return await describe(runtime)
    except AtomOpsError as error:
        return Unseen(error.what, error.action)


@task(task_run_name="restart", cache_policy=NO_CACHE)
async def restart(target: Target, runtime: Runtime) -> Restarted:
    """Every instance is a new one and ready, or the result says why not. Never repeated by itself."""
    begun, within = time.monotonic(), getattr(target.runtime, "within", 0) + target.changes.ready_within

    async def measure() -> float:
        return (time.monotonic() - begun) / within

    async with shown_progress(f"restart-service-{target.name}-restart", f"Restarting {runtime.name}", measure):
        return await restarting.restart(target, runtime)


@task(task_run_name="take-back", cache_policy=NO_CACHE)
async def take_back(target: Target, runtime: Runtime, before: Running, *, undo: bool) -> TakenBack:
    """What taking it back came to: `undo` goes to the earlier revision, else what ran is only started. Never raises."""
    return await restarting.take_back(target, runtime, before, undo=undo)
