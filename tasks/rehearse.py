"""Rehearse a migration on a restored copy."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from atomops.backup.prove import Bench
from atomops.facts.migration import Rehearsal
from atomops.migration.look import Look
from atomops.migration.order import Order
from atomops.migration.rehearse import rehearse as rehearse_on
from atomops.verdict import Unseen
from tasks.fresh_backup import Held


@task(task_run_name="rehearse", cache_policy=NO_CACHE)
async def rehearse(seen: Look, order: Order, held: Held | Unseen, on: Bench | Unseen) -> Rehearsal | Unseen | None:
    """How it went there, or why it could not be tried; None when nobody wanted it. Raises Astray."""
    if not order.rehearse:
        return None
    for missing in (held, on):
        if isinstance(missing, Unseen):
            return Unseen(f"it was not rehearsed: {missing.reason}", missing.action)
    if isinstance(held, Unseen) or isinstance(on, Unseen):
        return None
    chosen = (held.store, held.backup_set)
    return await rehearse_on(seen.facts, seen.alembic, chosen, on, downgrade=order.rehearse_downgrade)
