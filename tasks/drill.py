"""Try the newest set of each store, as on the day on which it is needed."""

import datetime as dt
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from atomops.backup.prove import Bench
from atomops.drill.planning import Candidate, DrillPlan, last_drill, plan_drill
from atomops.drill.trying import Attempt, Ground, ground
from atomops.facts.drill import LIVE, Trial
from atomops.inventory import Target
from atomops.restore.recovery import clear_leftovers
from tasks.probe import may_succeed_next_time
from tasks.progress import shown_progress


@task(
    task_run_name="plan",
    cache_policy=NO_CACHE,
    retries=1,
    retry_delay_seconds=5,
    retry_condition_fn=may_succeed_next_time,
)
async def plan(target: Target, database: str | None) -> DrillPlan:
    """The sets, and where they are restored. Raises what `plan_drill` raises."""
    return await plan_drill(target, database)


async def try_every(planned: DrillPlan, work: Path) -> tuple[tuple[Trial, ...], tuple[str, ...]]:
    """What came of each set, one after another (beside each other they would take longer than on the day of need).

    And what killed runs had left on the scratch server.
    """
    async with ground(planned, work) as there:
        swept = there.on.scratch.swept if isinstance(there.on, Bench) else ()
        return tuple([await _try(planned.target.name, each, there) for each in planned.candidates]), swept


async def clear(planned: DrillPlan) -> tuple[str, ...]:
    """What drills and restores that were killed have left on the live server, removed; a scratch server is gone."""
    if planned.where != LIVE:
        return ()
    names = dict.fromkeys(each.database for each in planned.candidates)
    return tuple([gone for name in names for gone in await clear_leftovers(planned.target, name)])


def drilled_at(target: Target) -> dt.datetime | None:
    """When the last drill that history knows of was made."""
    last = last_drill(target)
    return last.at if last and not last.dry_run else None


async def _try(target: str, candidate: Candidate, there: Ground) -> Trial:
    if candidate.set is None or candidate.problem:
        return candidate.trial
    return await drill(target, candidate.set.id, candidate.place.store.name, there.attempt(candidate, candidate.set))


@task(task_run_name="restore-{set_id}", cache_policy=NO_CACHE)
async def drill(target: str, set_id: str, store: str, attempt: Attempt) -> Trial:
    """What came of one set. Never raises: what could not be tried says why."""
    what = f"Restoring {set_id} from {store}"
    async with shown_progress(f"restore-drill-{target}-restore", what, attempt.written):
        return await attempt.make()
