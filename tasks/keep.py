"""Keep a set: from now on it is listed in every store that takes it."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from atomops.backup.making import Draft
from atomops.backup.places import Place
from atomops.backup.places import keep as keep_in_places
from atomops.facts.nightly import Stored


@task(task_run_name="keep-{draft.manifest.database}", cache_policy=NO_CACHE)
async def keep(draft: Draft, places: Sequence[Place]) -> tuple[Stored, ...]:
    """What became of the set in each store. Never raises: a store that fails is told, and the others are used."""
    return await keep_in_places(draft, places)
