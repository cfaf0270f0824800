"""See to a proven backup that is young enough to go back to: one that is there, or a new one."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomops.backup.access import Access, backups_of
from atomops.backup.places import Place, places_of, sweep
from atomops.backup.preflight import Plan
from atomops.backup.prove import Bench
from atomops.errors import NotThere
from atomops.facts.backup import BackupSet
from atomops.facts.migration import BackupUsed
from atomops.facts.nightly import Stored
from atomops.inventory import Target
from atomops.migration.look import Look
from atomops.plans.migration import age_hours, fits, newest_proven
from atomops.stores.store import Store
from atomops.verdict import Unseen
from tasks.back_up import back_up
from tasks.preflight import preflight


@dataclass(frozen=True)
class Held:
    """A proven set and the store that it lies in; `used` is what a report says of it."""

    used: BackupUsed
    store: Store
    backup_set: BackupSet


async def fresh_backup(target: Target, seen: Look, on: Bench | Unseen, work: Path, *, only_look: bool) -> Held | Unseen:
    """A proven set of the database at its revision of now, young enough for the inventory; made, if there is none.

    Whoever only looks gets the youngest one there is, however old. Raises what `preflight` raises.
    """
    settings, database = backups_of(target), seen.alembic.access.database
    current = seen.facts.current if isinstance(seen.facts.current, tuple) else ()
    places = await places_of(target, settings)
    found = _newest(places, database, current)
    if found is not None and (only_look or found.used.age_hours <= seen.alembic.settings.backup_hours):
        return found
    if only_look:
        return Unseen(f"no proven set of {database} at this revision is there", "a real run makes one: nightly-backup")
    plan = await preflight(target)
    await sweep(places)
    made = await back_up(plan, _access(plan, database), places, on, work)
    if made.set is None:
        problem = made.problem or Unseen("")
        return Unseen(f"no backup could be made: {problem.reason}", problem.action)
    held = _newest(await places_of(target, settings), database, current, only=made.set.id)
    return held or _not_proven(made.set.id, made.stored)


def _not_proven(set_id: str, stored: Iterable[Stored]) -> Unseen:
    problems = [each.problem.reason for each in stored if each.problem]
    proofs = [each.proof.sentence for each in stored if each.proof]
    return Unseen(f"the new set {set_id} is not proven: {'; '.join([*problems, *proofs])}", "see nightly-backup")


def _newest(places: Iterable[Place], database: str, current: Sequence[str], only: str = "") -> Held | None:
    """The youngest set that fits, of whichever store."""
    now, found = dt.datetime.now(dt.UTC), list[Held]()
    for place in places:
        sets = () if isinstance(place.before, Unseen) else place.before.sets
        fitting = (each for each in sets if fits(each, tuple(current)) and only in {"", each.id})
        newest = newest_proven(fitting, database)
        if newest is not None:
            used = BackupUsed(newest.id, newest.at, place.store.name, age_hours(newest, now), is_new=bool(only))
            found.append(Held(used, place.store, newest))
    return max(found, key=lambda held: held.backup_set.at, default=None)


def _access(plan: Plan, database: str) -> Access:
    for access in plan.databases:
        if access.database == database:
            return access
    action = "add it to backups.databases"
    raise NotThere(f"the database {database} is not among those that are backed up", action=action)
