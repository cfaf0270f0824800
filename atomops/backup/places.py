"""The stores of a target with their rules: where a draft is kept, and what killed runs have left is swept."""

import asyncio
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomops.backup.making import Draft
from atomops.errors import AtomOpsError
from atomops.facts.backup import Listing, Manifest
from atomops.facts.nightly import Stored
from atomops.inventory import Backups, BackupStore, Target
from atomops.stores.choose import store_of
from atomops.stores.local import LocalStore
from atomops.stores.store import Store
from atomops.threads import beside
from atomops.verdict import Unseen


@dataclass(frozen=True)
class Place:
    """A store with its rules, and what it held before the run; or why that could not be seen."""

    store: Store
    rules: BackupStore
    before: Listing | Unseen

    def earlier_bytes(self, database: str) -> tuple[int, ...]:
        """The sizes of the sets of that database, the newest first."""
        listed = () if isinstance(self.before, Unseen) else self.before.sets
        return tuple(each.manifest.bytes for each in listed if each.manifest.database == database)


async def places_of(target: Target, settings: Backups, space: str = "") -> list[Place]:
    """Every store of the target, the first one first, looked at side by side. `space`: another than its databases'."""
    within, name = settings.look_deadline, target.name + space
    return list(await asyncio.gather(*(_place(each, name, within) for each in settings.every_store)))


async def _place(rules: BackupStore, target: str, within: float) -> Place:
    """A store that hangs, such as a dead network share, keeps nobody waiting for ever."""
    store = store_of(rules, target)
    try:
        async with asyncio.timeout(within):
            return Place(store, rules, await beside(store.listing))
    except AtomOpsError as error:
        return Place(store, rules, Unseen(error.what, error.action))
    except TimeoutError:
        reason = f"the store {store.name} did not answer within {within:g} s"
        return Place(store, rules, Unseen(reason, "is it mounted? is the network up? see backups.look_deadline"))


async def sweep(places: Iterable[Place]) -> tuple[str, ...]:
    """What killed runs have left half-written, removed: who holds the lock of the target knows that none is at work.

    A store that does not answer is passed over here; what is to be kept there tells of it.
    """
    answers = await asyncio.gather(*map(_sweep, places))
    return tuple(name for names in answers for name in names)


async def _sweep(place: Place) -> tuple[str, ...]:
    try:
        return await beside(lambda: place.store.sweep(dt.timedelta(0)))
    except AtomOpsError:
        return ()


async def keep(draft: Draft, places: Sequence[Place]) -> tuple[Stored, ...]:
    """The set lies in every store that takes it; one that fails keeps the others from nothing."""
    kept: list[Stored] = []
    for place in places:
        problem = await _publish(place.store, files_of(draft, places), draft.manifest)
        kept.append(Stored(place.store.name, problem, earlier_bytes=place.earlier_bytes(draft.manifest.database)))
    return tuple(kept)


def files_of(draft: Draft, places: Iterable[Place]) -> Path:
    """Where the stored files are at hand: publishing into a folder is the rename of the draft's own."""
    if draft.folder.exists():
        return draft.folder
    folders = [place.store.folder(draft.manifest.id) for place in places if isinstance(place.store, LocalStore)]
    return next((folder for folder in folders if folder.exists()), draft.folder)


def plain_files_of(draft: Draft, places: Iterable[Place]) -> Path:
    """Where the files lie as pg_restore reads them, which are the stored ones unless they are encrypted."""
    return draft.plain if draft.plain.exists() else files_of(draft, places)


async def _publish(store: Store, folder: Path, manifest: Manifest) -> Unseen | None:
    try:
        await beside(lambda: store.publish(folder, manifest))
    except AtomOpsError as error:
        return Unseen(error.what, error.action)
    except OSError as error:
        return Unseen(f"the store {store.name} failed ({error.strerror or error})", "look at that disk")
    return None
