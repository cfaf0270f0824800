"""Back one database up: dumped, kept in every store, and proven."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from atomops.backup.access import Access, backups_of
from atomops.backup.places import Place, places_of
from atomops.backup.preflight import Plan
from atomops.backup.prove import Bench
from atomops.backup.proving import bench
from atomops.facts.nightly import DatabaseNight, SetInShort
from atomops.inventory import Target
from atomops.verdict import Unseen
from tasks.dump import dump, expected_bytes, what_went_wrong
from tasks.keep import keep
from tasks.preflight import preflight
from tasks.prove import prove


async def back_up(plan: Plan, access: Access, places: Sequence[Place], on: Bench | Unseen, work: Path) -> DatabaseNight:
    """One database; whatever goes wrong with it is told, and stops no other.

    A dump that was torn by what was dropped under it is made again, once; the first set stays, as disproven.
    """
    first = await _back_up_once(plan, access, places, on, work)
    if first.set is None or not first.is_torn:
        return first
    return replace(await _back_up_once(plan, access, places, on, work), torn=first.set.id)


async def _back_up_once(
    plan: Plan, access: Access, places: Sequence[Place], on: Bench | Unseen, work: Path
) -> DatabaseNight:
    try:
        draft = await dump(plan, access, [place.store for place in places], work, expected_bytes(access, places))
    except Exception as error:  # noqa: BLE001 - the next database must be backed up all the same
        return what_went_wrong(access, error)
    kept = await keep(draft, places)
    proven = await prove(draft, kept, places, on)
    return DatabaseNight(access.database, SetInShort.of(draft.manifest), stored=proven)


async def back_up_alone(world: Target, database: str, work: Path) -> DatabaseNight:
    """A set of that database as the night makes it, before a change of it. Raises what the preflight raises."""
    settings = backups_of(world)
    plan = await preflight(world)
    places = await places_of(world, settings)
    async with bench(settings, plan.tools, work) as on:
        return await back_up(plan, plan.databases[0].to(database), places, on, work)
