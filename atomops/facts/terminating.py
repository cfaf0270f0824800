"""Sessions that are open and do nothing: which there are, what they hold, and what became of them."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from pydantic import AwareDatetime

from atomops.verdict import Unseen


class Fate(StrEnum):
    """What became of one session."""

    PLANNED = "planned"
    TERMINATED = "terminated"
    SPARED = "spared"
    GONE = "gone by itself"
    FORBIDDEN = "no right"
    STAYED = "still there"


@dataclass(frozen=True)
class IdleSession:
    """A session over its limit. `seconds` is how long it has been in its state; literals in `query` are masked.

    `relations` are tables that it has locked, `blocks` the backends that wait for it.
    """

    pid: int
    backend_start: AwareDatetime
    role: str
    application: str
    client: str
    state: str
    state_change: AwareDatetime
    seconds: float
    transaction_seconds: float | None
    query: str
    locks: int
    relations: str
    blocks: tuple[int, ...]
    is_superuser: bool
    is_monitor: bool
    is_ours: bool
    may_signal: bool

    @property
    def in_transaction(self) -> bool:
        """Whether it holds a transaction open, and with it locks and dead rows."""
        return self.state.startswith("idle in transaction")

    @property
    def label(self) -> str:
        """The session as a person would name it."""
        return f"pid {self.pid} ({self.role}, {self.application or 'unnamed application'}, {self.client})"


@dataclass(frozen=True)
class SessionOutcome:
    """One session, what is executed for it, and what came of that."""

    session: IdleSession
    fate: Fate
    statement: str
    reason: str = ""
    action: str = ""


@dataclass(frozen=True)
class PreparedLeft:
    """A prepared transaction: no session that could be terminated, and it holds its locks."""

    gid: str
    owner: str
    prepared: dt.datetime
    seconds: float


@dataclass(frozen=True)
class TerminationFacts:
    """The whole run. `left_out` are numbers of sessions by why they are let alone, `more` those beyond `most`.

    `hidden` is why the states of other sessions cannot be seen.
    """

    at: AwareDatetime
    dry_run: bool
    where: str
    role: str
    asked: str
    outcomes: tuple[SessionOutcome, ...]
    left_out: tuple[tuple[str, int], ...] = ()
    more: int = 0
    hidden: Unseen | None = None
    prepared: tuple[PreparedLeft, ...] | Unseen = ()

    def of(self, *fates: Fate) -> tuple[SessionOutcome, ...]:
        """The outcomes that ended so."""
        return tuple(each for each in self.outcomes if each.fate in fates)
