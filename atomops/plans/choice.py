"""Which backup set is meant: the newest proven one, a named one, or the newest before a moment. Pure."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from atomops.facts.backup import BackupSet, Listing, Result

LATEST, PREVIOUS, BEFORE = "latest", "previous", "before:"


@dataclass(frozen=True)
class Choice:
    """A set and the number of the store that it is taken from; or why there is none."""

    set: BackupSet | None = None
    store: int = 0
    why_not: str = ""


def choose(wanted: str, database: str, listings: Sequence[Listing], timezone: str) -> Choice:
    """The set of that database that `wanted` means; of equal ones the first store's.

    "latest" is the newest that was restored before; "before:TIME" the newest earlier one that was not found to be
    damaged, where a TIME without an offset is one of the target's `timezone`; anything else is an id.
    """
    there = [
        (each, number) for number, listing in enumerate(listings) for each in listing.sets if each.database == database
    ]
    if not there:
        return Choice(why_not=f"there is no backup set of {database}")
    if wanted == LATEST:
        return _newest([pair for pair in there if pair[0].is_proven], f"no backup set of {database} is proven")
    if wanted.startswith(BEFORE):
        return _before(wanted.removeprefix(BEFORE), there, timezone)
    named = [pair for pair in there if pair[0].id == wanted]
    newest = max(there, key=lambda pair: pair[0].at)[0].id
    return _newest(named, f"no backup set of {database} is called {wanted}; the newest is {newest}")


def _before(time: str, there: Sequence[tuple[BackupSet, int]], timezone: str) -> Choice:
    try:
        limit = dt.datetime.fromisoformat(time)
    except ValueError:
        return Choice(why_not=f"{time!r} is no time such as 2026-11-25T14:00 or 2026-11-25T13:00Z")
    if limit.tzinfo is None:
        limit = limit.replace(tzinfo=ZoneInfo(timezone))
    sound = [pair for pair in there if pair[0].at < limit and not _is_disproven(pair[0])]
    oldest = min(each.at for each, _ in there)
    return _newest(sound, f"no sound backup set is older than {limit:%Y-%m-%d %H:%M %Z}; the oldest is of {oldest}")


def _is_disproven(each: BackupSet) -> bool:
    return each.proof is not None and each.proof.result is Result.FAILED


def _newest(pairs: Sequence[tuple[BackupSet, int]], why_not: str) -> Choice:
    """A set that is proven in one store and not in another is taken from the first."""
    if not pairs:
        return Choice(why_not=why_not)
    chosen, store = max(pairs, key=lambda pair: (pair[0].at, pair[0].is_proven, -pair[1]))
    return Choice(chosen, store)
