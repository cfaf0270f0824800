"""The stores of a target's backups: what they list, the newest sets read again, and the guide's own files."""

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from psycopg.conninfo import conninfo_to_dict

from atomops.errors import AtomOpsError, InventoryError, NotThere, TimedOut
from atomops.facts.backup import BackupSet, Listing
from atomops.facts.backup_stores import BackupFacts, PlainDumps, Reread, SetSeen, StoreSeen
from atomops.inventory import Backups, BackupStore, Target
from atomops.probes import plain_dumps
from atomops.stores.checksums import verify
from atomops.stores.choose import store_of
from atomops.stores.store import Store
from atomops.threads import beside
from atomops.verdict import Unseen

EVERY_DATABASE = "*"
_S3 = "s3://"
_GRACE = 5  # seconds that the reading may take to notice that its time is over


async def look(target: Target) -> BackupFacts:
    """Every store, side by side; one that cannot be seen is unseen by itself. Raises NotThere and InventoryError.

    The newest set of each database is read again, byte by byte, within `backups.look_deadline`.
    """
    return await _look(target, read_again=True)


async def reach(target: Target) -> BackupFacts:
    """The same without reading a set again: whether the stores answer, and what they list."""
    return await _look(target, read_again=False)


def expected_databases(target: Target) -> tuple[str, ...]:
    """The names of the inventory, "*" among them for all; else the database of the dsn. Raises InventoryError."""
    backups = configured(target)
    if backups.databases:
        return backups.databases
    dsn = backups.dsn or (target.postgres.dsn if target.postgres else "")
    try:
        parts = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError as error:
        raise InventoryError(f"the dsn of the backups is not valid: {error}", action="check backups.dsn") from None
    name = parts.get("dbname") or parts.get("user")
    if not name:
        raise InventoryError(
            f"the inventory does not say which databases of {target.name} are backed up",
            action='add [targets.….postgres] with a dsn, or name them: backups.databases = ["…"], or ["*"] for all',
        )
    return (str(name),)


def configured(target: Target) -> Backups:
    """The target's backups. Raises NotThere when it has none."""
    if target.backups is None:
        raise NotThere(f"the target {target.name} has no backups", action="add [targets.….backups] to the inventory")
    return target.backups


def plain_folder(settings: BackupStore) -> Path | None:
    """Where the guide's own files would lie beside our sets: the store's own folder, if it is one."""
    return None if settings.store.startswith(_S3) else Path(settings.store)


async def _look(target: Target, *, read_again: bool) -> BackupFacts:
    backups, databases = configured(target), expected_databases(target)
    at = dt.datetime.now(dt.UTC)
    over = time.monotonic() + backups.look_deadline
    looks = (_watched(each, target, databases, over, read_again=read_again) for each in backups.every_store)
    stores = await asyncio.gather(*looks)
    seen = {each.database for store in stores if not isinstance(store.sets, Unseen) for each in store.sets}
    every = tuple(sorted(seen)) if EVERY_DATABASE in databases else databases
    return BackupFacts(at, backups.every_hours, every, tuple(stores))


async def _watched(
    settings: BackupStore, target: Target, databases: Sequence[str], over: float, *, read_again: bool
) -> StoreSeen:
    """A store that hangs is left to itself: it must not keep the others, nor the report, from being told."""
    left = over - time.monotonic() + _GRACE
    try:
        async with asyncio.timeout(left):
            return await beside(
                lambda: _look_at(settings, target, databases, lambda: time.monotonic() > over, read_again=read_again)
            )
    except TimeoutError:
        reason = f"the store {settings.store} did not answer within {left:.0f} s"
        return StoreSeen(settings.store, Unseen(reason, "is it mounted? is the network up? see backups.look_deadline"))


def _look_at(
    settings: BackupStore, target: Target, databases: Sequence[str], stop: Callable[[], bool], *, read_again: bool
) -> StoreSeen:
    plain = _plain(settings, target, stop) if read_again else None
    try:
        store = store_of(settings, target.name)
        listing = store.listing()
    except AtomOpsError as error:
        return StoreSeen(settings.store, Unseen(error.what, error.action), plain=plain)
    chosen = _newest(listing, databases) if read_again else []
    return StoreSeen(
        settings.store,
        tuple(map(_in_short, listing.sets)),
        listing.unreadable,
        tuple(_read_again(store, each, stop) for each in chosen),
        plain,
    )


def _plain(settings: BackupStore, target: Target, stop: Callable[[], bool]) -> PlainDumps | Unseen | None:
    folder = plain_folder(settings)
    return plain_dumps.look(folder, ZoneInfo(target.timezone), stop=stop) if folder else None


def _newest(listing: Listing, databases: Sequence[str]) -> list[BackupSet]:
    """The newest set of each database that is to be there; a date in the future is a wrong one."""
    now = dt.datetime.now(dt.UTC)
    newest = {each.database: each for each in reversed(listing.sets) if each.at <= now}
    return [each for name, each in newest.items() if name in databases or EVERY_DATABASE in databases]


def _read_again(store: Store, each: BackupSet, stop: Callable[[], bool]) -> Reread:
    try:
        problems: tuple[str, ...] | Unseen = verify(store, each.manifest, stop=stop)
    except TimedOut as error:
        problems = Unseen(error.what, f"{error.action}, or raise backups.look_deadline")
    except AtomOpsError as error:
        problems = Unseen(error.what, error.action)
    return Reread(each.id, len(each.manifest.files), each.manifest.bytes, problems)


def _in_short(each: BackupSet) -> SetSeen:
    return SetSeen(each.id, each.database, each.at, each.manifest.bytes, each.proof)
