"""Which stores a command about backups is to look at, and with which secrets."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from atomops.errors import AtomOpsError, NotThere
from atomops.facts.backup import BackupSet, Listing
from atomops.inventory import Backups, BackupStore, Target, load_inventory
from atomops.probes.backups import configured
from atomops.stores.choose import CONFIGURATION, store_of
from atomops.stores.store import Store

DATABASE, CONFIGURATIONS = "database", "configuration"
SPACES = {DATABASE: "", CONFIGURATIONS: CONFIGURATION}
_OTHER_PARTS = ("app", "redis", "prometheus", "logs", "host", "runtime", "migrations")


@dataclass(frozen=True)
class Listed:
    """A store and what it lists, or why it cannot."""

    settings: BackupStore
    store: Store | None
    listing: Listing
    error: AtomOpsError | None = None
    kind: str = DATABASE


@dataclass(frozen=True)
class Found:
    """A set, and the store that it was found in."""

    store: Store
    backup_set: BackupSet


def load(name: str, *, with_database: bool = False) -> tuple[Target, Backups]:
    """The target with the secrets of its backups alone: on the day of a restore the others may be out of reach.

    Only who locks the target needs those of its database. Raises InventoryError, NotThere and SecretError.
    """
    inventory = load_inventory()
    whole = inventory.target(name, read=lambda reference: reference)
    configured(whole)
    others = _OTHER_PARTS if with_database else (*_OTHER_PARTS, "postgres")
    narrow = inventory.targets[name].model_copy(update=dict.fromkeys(others))
    if '"block:' in narrow.model_dump_json():
        from tasks.target import load_target  # noqa: PLC0415 - 2 s, and a Prefect server, that only blocks need

        target = asyncio.run(load_target(name))
    else:
        target = inventory.model_copy(update={"targets": {name: narrow}}).target(name)
    return target, configured(target)


def chosen(backups: Backups, name: str | None) -> tuple[BackupStore, ...]:
    """The store of that name, or all. Raises NotThere with a suggestion."""
    every = {each.store: each for each in backups.every_store}
    if name is None:
        return tuple(every.values())
    if name not in every:
        close = get_close_matches(name, every, n=1, cutoff=0) or list(every)
        raise NotThere(f"the inventory has no store {name!r}", action=f"did you mean {close[0]!r}?")
    return (every[name],)


def listed(target: Target, stores: tuple[BackupStore, ...], kind: str = DATABASE) -> Iterator[Listed]:
    """Each store with its sets of that kind; one that cannot be reached does not keep the others from being listed."""
    for settings in stores:
        try:
            store = store_of(settings, target.name + SPACES[kind])
            yield Listed(settings, store, store.listing(), kind=kind)
        except AtomOpsError as error:
            yield Listed(settings, None, Listing(settings.store), error, kind)


def listed_both(target: Target, stores: tuple[BackupStore, ...]) -> Iterator[Listed]:
    """Each store with its sets of databases; then those with sets of the configuration, or that cannot tell."""
    yield from listed(target, stores)
    for look in listed(target, stores, CONFIGURATIONS):
        if look.listing.sets or look.listing.unreadable:
            yield look


def find(looks: list[Listed], set_id: str) -> list[Found]:
    """The set in every store that has it. Raises NotThere, or what kept us from looking for it."""
    found = [Found(look.store, each) for look in looks if look.store for each in look.listing.sets if each.id == set_id]
    if found:
        return found
    for look in looks:
        for odd in look.listing.unreadable:
            if odd.name == set_id:
                raise NotThere(f"{set_id} in {look.listing.store} cannot be read: {odd.reason}")
    for look in looks:
        if look.error:
            raise look.error
    close = get_close_matches(set_id, [each.id for look in looks for each in look.listing.sets], n=1)
    action = f"did you mean {close[0]!r}?" if close else "see: atomops backups list"
    raise NotThere(f"no store has a set {set_id!r}", action=action)
