"""Drop the databases that restores have replaced, once they were kept for long enough."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from atomops.backup.places import Place
from atomops.backup.prune import held_back
from atomops.change.lock import Lock
from atomops.facts.nightly import DatabaseNight
from atomops.facts.replaced import Dropping
from atomops.inventory import Target
from atomops.restore.dropping import drop_due


@task(task_run_name="drop-replaced", cache_policy=NO_CACHE)
async def drop_replaced(
    target: Target, places: Sequence[Place], databases: Sequence[DatabaseNight], lock: Lock, *, dry_run: bool
) -> Dropping:
    """What became of those whose time has come. All stay after a night whose sets are not proven in every store."""
    night = tuple(databases)
    reasons = [] if dry_run else [held_back(place.store.name, night) for place in places]
    return await drop_due(target, None if dry_run else lock, why_not=next(filter(None, reasons), ""))
