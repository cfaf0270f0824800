"""Migrate the database itself."""

import time

from prefect import task
from prefect.cache_policies import NO_CACHE

from atomops.facts.migration import Execution, Rehearsal
from atomops.facts.settling import SettlingFacts
from atomops.inventory import Target
from atomops.migration import scripts
from atomops.migration.execute import Executed, execute, take_back
from atomops.migration.look import Look
from atomops.migration.order import Order
from atomops.plans.migration import restore_command
from atomops.verdict import Unseen
from tasks.fresh_backup import Held
from tasks.progress import shown_progress
from tasks.settle import look_before, settle, what_is_worse

WHAT = "migrate-database"
_USUAL_SECONDS = 60  # of a migration that was not rehearsed


@task(task_run_name="migrate", cache_policy=NO_CACHE)
async def migrate(target: Target, seen: Look, order: Order, held: Held) -> Executed:
    """What came of it, and of going back when it failed. Raises what keeps it from beginning."""
    started, rehearsal = time.monotonic(), seen.facts.rehearsal
    expected = rehearsal.seconds if isinstance(rehearsal, Rehearsal) else _USUAL_SECONDS

    async def measure() -> float:
        return (time.monotonic() - started) / max(1, expected)

    restore = restore_command(target.name, held.backup_set.id)
    async with shown_progress(f"{WHAT}-{target.name}", f"Migrating to {seen.facts.target}", measure):
        return await execute(target, seen, order, restore)


async def migrate_and_settle(
    target: Target, seen: Look, order: Order, held: Held
) -> tuple[Execution, SettlingFacts | None]:
    """The migration, and how the application does afterwards; taken back, where that is safe, when it does worse."""
    earlier = await look_before(target)
    done = await migrate(target, seen, order, held)
    settled = None
    if done.execution.is_well and (target.app or target.logs or target.prometheus):
        seconds = target.changes.settle if order.settle_seconds is None else order.settle_seconds
        settled = await settle(WHAT, target, earlier, seconds)
        worse = what_is_worse(target, settled)
        if worse:
            done = await take_back(seen, done, restore_command(target.name, held.backup_set.id), worse)
    _remember(target, seen, done.execution)
    return done.execution, settled


def _remember(target: Target, seen: Look, done: Execution) -> None:
    """The scripts that the database has run now, as they are."""
    if not isinstance(done.revisions, Unseen) and done.is_well:
        now = seen.history.until(done.revisions)
        scripts.remember(target, (each for each in seen.history.by_id.values() if each.id in now))
