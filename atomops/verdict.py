"""How a number becomes OK, WARNING, CRITICAL or UNKNOWN: measured, judged and phrased apart."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeVar

T = TypeVar("T")
NOT_REPORTED = {"reported": False}  # of a field: it is on its way to somewhere else in the report


class Level(StrEnum):
    """The four verdicts. Unknown is a verdict of its own, worse than a warning, and never OK."""

    OK = "OK"
    WARNING = "WARNING"
    UNKNOWN = "UNKNOWN"
    CRITICAL = "CRITICAL"

    @property
    def rank(self) -> int:
        """0 for OK up to 3 for CRITICAL; UNKNOWN ranks between WARNING and CRITICAL."""
        return list(Level).index(self)


def worst(levels: Iterable[Level]) -> Level:
    """The level of a whole is the level of its worst part; nothing at all is UNKNOWN."""
    return max(levels, key=lambda level: level.rank, default=Level.UNKNOWN)


@dataclass(frozen=True)
class Limit:
    """From where on a value is bad. Without both bounds every known value is OK: it is information.

    `worse="higher"`: bad at or above the bound. `worse="lower"`: bad below it.
    """

    warning: float | None = None
    critical: float | None = None
    worse: Literal["higher", "lower"] = "higher"

    def __post_init__(self) -> None:
        """Raise ValueError when the critical bound would be reached before the warning."""
        if self.warning is None or self.critical is None:
            return
        in_order = self.warning <= self.critical if self.worse == "higher" else self.warning >= self.critical
        if not in_order:
            message = (
                f"critical {self.critical:g} is reached before warning {self.warning:g}; {self.worse} is worse here"
            )
            raise ValueError(message)

    def judge(self, value: float | None) -> Level:
        """A worse value never gets a better level; a missing or NaN value is UNKNOWN."""
        if value is None or math.isnan(value):
            return Level.UNKNOWN
        if self._reached(value, self.critical):
            return Level.CRITICAL
        return Level.WARNING if self._reached(value, self.warning) else Level.OK

    def _reached(self, value: float, bound: float | None) -> bool:
        if bound is None:
            return False
        return value >= bound if self.worse == "higher" else value < bound


@dataclass(frozen=True)
class Evidence:
    """The rows behind a reading, already turned into text for people."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> "Evidence":
        """Rows of any values; None becomes an empty cell."""
        return cls(tuple(columns), tuple(tuple("" if cell is None else str(cell) for cell in row) for row in rows))


@dataclass(frozen=True)
class Reading:
    """What a check read: one number for the limit, one sentence for people. A value of None is UNKNOWN.

    `series` are values that are followed beside the check's own trend, by what they are of: a store, a database.
    `points` are the trend itself, where what was asked knows the past: times ("...Z") and values, the oldest first.
    """

    value: float | None
    summary: str
    action: str = ""
    evidence: Evidence | None = None
    series: Mapping[str, float] = field(default_factory=dict)
    points: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Unseen:
    """Why something could not be looked at, and the statement or setting that would let us."""

    reason: str
    action: str = ""


class NotSeen(Exception):
    """A check reached for a part of its facts that the probe could not see."""

    def __init__(self, unseen: Unseen) -> None:
        super().__init__(unseen.reason)
        self.unseen = unseen


def known(part: T | Unseen) -> T:
    """The part itself; an unseen part ends the check as UNKNOWN, with the reason the probe gave."""
    if isinstance(part, Unseen):
        raise NotSeen(part)
    return part


@dataclass(frozen=True)
class Acknowledgement:
    """Somebody has decided to live with a finding until a day (ISO date, inclusive)."""

    reason: str
    until: str


@dataclass(frozen=True)
class Finding:
    """A judged fact, ready to be reported. `listing`: its rows are what the reader came for, however well all is."""

    code: str
    section: str
    level: Level
    summary: str
    observed: float | None = None
    unit: str = ""
    warning: float | None = None
    critical: float | None = None
    source: str = ""
    evidence: Evidence | None = None
    action: str = ""
    runbook: str = ""
    acknowledged: Acknowledgement | None = None
    listing: bool = field(default=False, metadata=NOT_REPORTED)
    series: Mapping[str, float] = field(default_factory=dict, metadata=NOT_REPORTED)
    points: tuple[tuple[str, float], ...] = field(default=(), metadata=NOT_REPORTED)


@dataclass(frozen=True)
class Gap:
    """A section or part that was not checked at all, and why."""

    section: str
    reason: str
