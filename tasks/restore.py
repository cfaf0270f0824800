"""Restore a set into a database beside the live one."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from atomops.errors import AtomOpsError
from atomops.facts.restore import Copy
from atomops.inventory import Target
from atomops.restore.copying import Restoring
from atomops.restore.planning import FromSet, RestorePlan, Wanted, plan_restore
from atomops.restore.recovery import finish_killed
from tasks.probe import may_succeed_next_time
from tasks.progress import shown_progress


@task(
    task_run_name="plan",
    cache_policy=NO_CACHE,
    retries=1,
    retry_delay_seconds=5,
    retry_condition_fn=may_succeed_next_time,
)
async def plan(target: Target, wanted: Wanted) -> RestorePlan:
    """The set, the steps, and all that stands in the way. Raises what `plan_restore` raises."""
    return await plan_restore(target, wanted)


@task(task_run_name="finish", cache_policy=NO_CACHE)
async def finish(target: Target) -> tuple[str, ...]:
    """What a killed restore has left is brought back, and told. Never raises: what could not be is told as well.

    A restore may be all that helps an application that does not become ready; how it ran before stays in the journal.
    """
    try:
        return await finish_killed(target)
    except AtomOpsError as error:
        return (f"the restore that was killed before could not be finished: {error}",)


@task(
    task_run_name="restore-{restoring.source.set.id}",
    cache_policy=NO_CACHE,
    retries=1,
    retry_delay_seconds=10,
    retry_condition_fn=may_succeed_next_time,
)
async def restore(restoring: Restoring) -> Copy:
    """The restored copy, compared with its manifest. Raises what `Restoring.make` raises."""
    source, target = restoring.source.set.id, restoring.plan.target.name
    async with shown_progress(f"restore-database-{target}-copy", f"Restoring {source}", restoring.written):
        return await restoring.make()


@contextlib.asynccontextmanager
async def copy_beside(plan: RestorePlan, source: FromSet, work: Path) -> AsyncIterator[Copy]:
    """The copy for the block; afterwards it is gone, unless it has become the live database."""
    restoring = Restoring(plan, source, work)
    async with restoring.removed():
        yield await restore(restoring)
