"""What came of a backup of the configuration: what was found, kept, proven and pruned, and what has changed."""

from dataclasses import dataclass

from pydantic import AwareDatetime

from atomops.facts.configuration import Difference, NotTaken, Why
from atomops.facts.nightly import Pruning, Stored
from atomops.verdict import Unseen


@dataclass(frozen=True)
class Taken:
    """One object or file of the set, in short."""

    name: str
    place: str
    bytes: int
    is_secret: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ConfigurationFacts:
    """The whole run. `dry_run`: only looked at. `recipients` is how many can read it, 0 where it is not encrypted."""

    at: AwareDatetime
    dry_run: bool
    runtime: str
    set_id: str
    recipients: int
    taken: tuple[Taken, ...]
    not_taken: tuple[NotTaken, ...]
    compared_with: str
    differences: tuple[Difference, ...] | Unseen
    stored: tuple[Stored, ...] = ()
    prunings: tuple[Pruning, ...] = ()
    swept: tuple[str, ...] = ()

    def without(self, *why: Why) -> tuple[NotTaken, ...]:
        """What is not in the set for one of these reasons."""
        return tuple(each for each in self.not_taken if each.why in why)


@dataclass(frozen=True)
class ConfigurationReach:
    """What a look at everything came to, for the doctor: each gap is what would not be in a set."""

    items: int
    gaps: tuple[Unseen, ...]


@dataclass(frozen=True)
class NewestConfiguration:
    """The newest set of the configuration in one store, or that there is none, or why nobody knows."""

    store: str
    newest: AwareDatetime | Unseen | None
    is_complete: bool = True
    is_proven: bool = True


@dataclass(frozen=True)
class ConfigurationAge:
    """The newest sets in every store, as the end-of-day checklist judges them."""

    at: AwareDatetime
    every_hours: float
    stores: tuple[NewestConfiguration, ...]
