"""What the stores of a target's backups hold, as the end-of-day checklist judges it."""

import datetime as dt
from dataclasses import dataclass

from pydantic import AwareDatetime

from atomops.facts.backup import Proof, Result, Unreadable
from atomops.verdict import Unseen


@dataclass(frozen=True)
class SetSeen:
    """One backup set in short: a manifest may list thousands of tables."""

    id: str
    database: str
    at: AwareDatetime
    bytes: int
    proof: Proof | None = None

    @property
    def is_proven(self) -> bool:
        """Whether its newest proof is a restore."""
        return self.proof is not None and self.proof.result is Result.RESTORED


@dataclass(frozen=True)
class Reread:
    """A set whose every byte was to be read again; `problems` are file by file."""

    id: str
    files: int
    bytes: int
    problems: tuple[str, ...] | Unseen


@dataclass(frozen=True)
class PlainDump:
    """A file that the guide's own script wrote. `at` is the time in its name, read in the target's zone.

    `problem` is empty when the file is whole, which is less than that it restores. `is_public`: any user may read it.
    """

    path: str
    at: AwareDatetime
    bytes: int
    is_public: bool
    problem: str | Unseen


@dataclass(frozen=True)
class PlainDumps:
    """All such files of a folder, counted; the newest ones read."""

    number: int = 0
    bytes: int = 0
    newest: tuple[PlainDump, ...] = ()


@dataclass(frozen=True)
class StoreSeen:
    """One store: its sets (newest first), or why they cannot be listed. `plain` is None where no such file can be."""

    store: str
    sets: tuple[SetSeen, ...] | Unseen
    unreadable: tuple[Unreadable, ...] = ()
    reread: tuple[Reread, ...] = ()
    plain: PlainDumps | Unseen | None = None


@dataclass(frozen=True)
class Series:
    """The sets of one database in one store, newest first."""

    store: str
    database: str
    sets: tuple[SetSeen, ...]

    @property
    def newest(self) -> SetSeen | None:
        """The last set, proven or not."""
        return next(iter(self.sets), None)

    @property
    def proven(self) -> SetSeen | None:
        """The last set that has been restored."""
        return next((each for each in self.sets if each.is_proven), None)


@dataclass(frozen=True)
class BackupFacts:
    """Every store of a target. `databases` are those that should be in each of them."""

    at: AwareDatetime
    every_hours: float
    databases: tuple[str, ...]
    stores: tuple[StoreSeen, ...]

    @property
    def series(self) -> tuple[Series, ...]:
        """What each listed store holds of each database; a set dated in the future stands for no night."""
        return tuple(
            Series(store.store, database, self._sets(store.sets, database))
            for store in self.stores
            if not isinstance(store.sets, Unseen)
            for database in self.databases
        )

    def _sets(self, sets: tuple[SetSeen, ...], database: str) -> tuple[SetSeen, ...]:
        return tuple(each for each in sets if each.database == database and each.at <= self.at)

    def intervals(self, at: dt.datetime) -> float:
        """How many times the time between two backups has passed since."""
        return (self.at - at) / dt.timedelta(hours=self.every_hours)
