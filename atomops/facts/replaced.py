"""The databases that restores have replaced and that are kept, and what became of those whose time had come."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import AwareDatetime

from atomops.facts.restore import Replaced
from atomops.verdict import Unseen


@dataclass(frozen=True)
class CopyLeft:
    """A copy that a restore is making, or has left when it was killed. `bytes` None where our role may not see it."""

    name: str
    of: str
    at: AwareDatetime
    bytes: int | None


@dataclass(frozen=True)
class ReplacedFacts:
    """All of a server that bear our mark: what is kept, the next one to go first, and copies.

    `unreadable` bear a mark that nobody understands: they are never dropped.
    """

    at: AwareDatetime
    target: str
    databases: tuple[Replaced, ...] = ()
    copies: tuple[CopyLeft, ...] = ()
    unreadable: tuple[str, ...] = ()

    def previous(self) -> Mapping[str, str]:
        """By live database the one that `backup=previous` goes back to: that which was replaced last."""
        replaced = [each for each in self.databases if each.kind == "replaced"]
        oldest = dt.datetime.min.replace(tzinfo=dt.UTC)
        return {each.of: each.name for each in sorted(replaced, key=lambda each: each.at or oldest)}


@dataclass(frozen=True)
class Dropping:
    """What became of those whose time had come. `held_back` says why nothing was even tried.

    `failed` are those that could not be dropped, and why; `problem` says why nobody could look for them.
    """

    due: tuple[Replaced, ...] = ()
    dropped: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    held_back: str = ""
    problem: Unseen | None = None
