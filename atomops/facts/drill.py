"""What came of a drill: the newest set of every store, restored from that very store, compared and timed."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import AwareDatetime

from atomops.facts.restore import Source
from atomops.verdict import Unseen

SCRATCH, LIVE = "scratch", "live"
REMEMBERED = 8  # drills that the promise rests on, about two months of Sundays


@dataclass(frozen=True)
class Trial:
    """The newest set of one database in one store. `seconds` by step; a set of None: the store has none.

    `failure` disproves the set; `problem` says why nobody knows: the store is missing, or what it takes to restore.
    """

    store: str
    database: str
    set: Source | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    tables: int = 0
    rows: int = 0
    failure: str = ""
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problem: Unseen | None = None

    @property
    def is_restored(self) -> bool:
        """Whether it has been brought back, every row equal."""
        return self.set is not None and bool(self.seconds) and not self.failure and self.problem is None

    @property
    def total(self) -> float:
        """All its steps together, in seconds."""
        return sum(self.seconds.values())

    @property
    def rate(self) -> float:
        """Bytes of the original a second."""
        return self.set.origin_bytes / self.total if self.set and self.total else 0


@dataclass(frozen=True)
class Past:
    """How long an earlier drill took: every database from the slowest store, and from each. In seconds."""

    at: AwareDatetime
    where: str
    seconds: float
    stores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class DrillFacts:
    """A whole drill. `dry_run`: only looked at. `is_whole`: of every database.

    `where` it was restored, and `server` in words; `not_live` says why not on the live server, where that was wanted.
    `earlier` are the drills before this one, the newest last.
    """

    at: AwareDatetime
    dry_run: bool
    where: str
    server: str
    every_hours: float
    trials: tuple[Trial, ...]
    is_whole: bool = True
    not_live: Unseen | None = None
    cleared: tuple[str, ...] = ()
    earlier: tuple[Past, ...] = ()

    @property
    def stores(self) -> Mapping[str, float]:
        """How long every database takes from each store that gave them all back, one after another. In seconds."""
        names = dict.fromkeys(each.store for each in self.trials)
        by_store = {name: [each for each in self.trials if each.store == name] for name in names}
        return {
            name: sum(each.total for each in trials)
            for name, trials in by_store.items()
            if all(each.is_restored for each in trials)
        }

    @property
    def past(self) -> tuple[Past, ...]:
        """The earlier drills and this one, if it was of every database, and some store gave them all back."""
        if self.dry_run or not self.is_whole or not self.stores:
            return self.earlier
        mine = Past(self.at, self.where, max(self.stores.values()), self.stores)
        return (*self.earlier, mine)[-REMEMBERED:]

    @property
    def promise(self) -> Past | None:
        """The slowest of the last drills that were restored where this one was."""
        alike = [each for each in self.past if each.where == self.where]
        return max(alike, key=lambda each: each.seconds, default=None)

    def intervals(self, at: dt.datetime) -> float:
        """How many times the time between two backups has passed since."""
        return (self.at - at) / dt.timedelta(hours=self.every_hours)
