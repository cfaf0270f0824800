"""What restoring a configuration would do, object by object, and what became of it."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import AwareDatetime

from atomops.facts.configuration import Difference, NotTaken


class Deed(StrEnum):
    """What an object or file needs."""

    CREATE = "create"
    CHANGE = "change"
    NOTHING = "unchanged"
    BY_HAND = "by hand"
    UNKNOWN = "unknown"


class Fate(StrEnum):
    """What became of it."""

    PLANNED = "planned"
    DONE = "done"
    FAILED = "failed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True)
class Restoration:
    """One object or file. `stays` are values that are there and not in the set: a restore deletes nothing.

    `conflicts` say who else manages a field that differs; `former` where the file of before is kept.
    """

    name: str
    kind: str
    deed: Deed
    differences: tuple[Difference, ...] = ()
    stays: tuple[str, ...] = ()
    conflicts: str = ""
    fate: Fate = Fate.PLANNED
    reason: str = ""
    action: str = ""
    former: str = ""
    notes: tuple[str, ...] = ()
    is_of_an_absent_server: bool = False


@dataclass(frozen=True)
class ConfigurationRestoreFacts:
    """The whole run. `dry_run`: only looked at. `not_taken` is what the set never held."""

    at: AwareDatetime
    dry_run: bool
    set_id: str
    set_at: AwareDatetime
    store: str
    take_over: bool
    restorations: tuple[Restoration, ...]
    not_taken: tuple[NotTaken, ...] = ()
    notes: tuple[str, ...] = ()

    def of(self, *fates: Fate) -> tuple[Restoration, ...]:
        """Those that ended so."""
        return tuple(each for each in self.restorations if each.fate in fates)
