"""Dump a database into a set that nobody can list yet."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.runtime import task_run
from prefect.tasks import Task, exponential_backoff

from atomops.backup.access import Access
from atomops.backup.making import Draft, SetInTheMaking
from atomops.backup.places import Place
from atomops.backup.preflight import Obstructed, Plan, examine
from atomops.errors import AtomOpsError, is_temporary
from atomops.facts.nightly import DatabaseNight
from atomops.stores.store import Store
from atomops.verdict import Unseen
from tasks.progress import shown_progress

_RETRIES = 2


def may_be_repeated(_task: Task[..., object], _run: TaskRun, state: State[object]) -> bool:
    """A failed dump leaves nothing behind, so whatever may pass by itself is tried again."""
    error = state.data
    return isinstance(error, Exception) and is_temporary(error)


@task(
    task_run_name="dump-{access.database}",
    cache_policy=NO_CACHE,
    retries=_RETRIES,
    retry_delay_seconds=exponential_backoff(10),
    retry_jitter_factor=0.5,
    retry_condition_fn=may_be_repeated,
)
async def dump(plan: Plan, access: Access, stores: Sequence[Store], work: Path, expected: int) -> Draft:
    """A whole set, ready to be published.

    The last attempt dumps one table after another: several at once fail when somebody waits to alter one of them.
    Raises Obstructed when our role may not read everything, and what `SetInTheMaking.make` raises.
    """
    await examine(plan, access)
    jobs = 1 if task_run.run_count > _RETRIES else plan.settings.jobs
    key = f"nightly-backup-{plan.target}-dump"
    making = SetInTheMaking(plan, access, stores, work)

    async def measure() -> float:
        return await asyncio.to_thread(making.written) / max(1, expected)

    async with shown_progress(key, f"Dumping {access.database}", measure):
        return await making.make(jobs=jobs)


def expected_bytes(access: Access, places: Sequence[Place]) -> int:
    """How large the dump is going to be, for its progress: as the last one; of a first one nobody knows."""
    return next((size for place in places for size in place.earlier_bytes(access.database)), 1 << 30)


async def examined(plan: Plan, access: Access) -> DatabaseNight:
    """Whether the database could be dumped, without doing it."""
    try:
        await examine(plan, access)
    except AtomOpsError as error:
        return what_went_wrong(access, error)
    return DatabaseNight(access.database)


def what_went_wrong(access: Access, error: Exception) -> DatabaseNight:
    """A database without a new set, and everything that is known of why."""
    if isinstance(error, AtomOpsError):
        problem = Unseen(error.what, error.action)
    else:
        problem = Unseen(f"the dump itself failed: {type(error).__name__}: {error}", "report this as a bug of Atom Ops")
    obstacles = error.obstacles if isinstance(error, Obstructed) else ()
    return DatabaseNight(access.database, problem=problem, obstacles=obstacles)
