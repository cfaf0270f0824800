"""What a checklist said of many targets: one line each."""

from dataclasses import dataclass

from pydantic import AwareDatetime

from atomops.verdict import Level


@dataclass(frozen=True)
class TargetLook:
    """One target. `new` are the codes that are new or worse since its last report; `seconds` is wall time.

    Without a report of its own it is UNKNOWN, the reason is its summary, and its grade is empty.
    """

    target: str
    level: Level
    grade: str
    summary: str
    seconds: float
    new: tuple[str, ...] = ()
    action: str = ""

    @property
    def has_report(self) -> bool:
        """It was looked at, whatever was seen."""
        return bool(self.grade)


@dataclass(frozen=True)
class FleetFacts:
    """Every chosen target, the worst first."""

    at: AwareDatetime
    checklist: str
    looks: tuple[TargetLook, ...]

    def of(self, *levels: Level) -> tuple[TargetLook, ...]:
        """Those that are at one of these levels."""
        return tuple(look for look in self.looks if look.level in levels)


def worst_first(looks: list[TargetLook]) -> tuple[TargetLook, ...]:
    """By level, then those with something new, then by name."""
    return tuple(sorted(looks, key=lambda look: (-look.level.rank, not look.new, look.target)))
