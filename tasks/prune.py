"""Prune the stores, each by its own rules."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from atomops.backup.places import Place
from atomops.backup.prune import held_back
from atomops.backup.prune import prune as prune_place
from atomops.change.lock import Lock
from atomops.facts.nightly import DatabaseNight, Pruning


@task(task_run_name="prune", cache_policy=NO_CACHE)
async def prune(
    places: Sequence[Place], every_hours: float, databases: Sequence[DatabaseNight], lock: Lock, *, dry_run: bool
) -> tuple[Pruning, ...]:
    """What went from each store. Nothing goes from one in which a new set of this night is not proven."""
    night = tuple(databases)
    prunings = []
    for place in places:
        why_not = "" if dry_run else held_back(place.store.name, night)
        prunings.append(await prune_place(place, every_hours, lock, why_not=why_not, dry_run=dry_run))
    return tuple(prunings)
