"""What is counted while a log is read. Times are seconds since 1970."""

from collections import Counter
from dataclasses import dataclass, field

from atomops.probes.logs.lines import ErrorRecord

MOST_GROUPS = 1_000  # so that memory and report stay small however wildly the errors differ

Key = tuple[str, str | None, str]


@dataclass
class Group:
    """Error records that tell the same story."""

    level: str
    code: str | None
    pattern: str
    sample: str
    logger: str | None
    first: float
    last: float
    count: int = 0

    @property
    def key(self) -> Key:
        """The code tells a group from others; without one the masked text does."""
        return self.level, self.code, "" if self.code else self.pattern


@dataclass
class Tally:
    """The counts of one reader.

    `furthest` is the latest time of all, `newest` the latest that is not in the future. `levelled` counts lines that
    bear a level, at the end of the log only.
    """

    lines: int = 0
    bytes: int = 0
    not_json: int = 0
    unreadable: int = 0
    undated: int = 0
    ungrouped: int = 0
    levelled: int = 0
    newest: float | None = None
    furthest: float | None = None
    totals: Counter[str] = field(default_factory=Counter)
    groups: dict[Key, Group] = field(default_factory=dict)

    def see(self, moment: float, now: float) -> None:
        """A record of that time exists."""
        self.furthest = max(moment, self.furthest or moment)
        if moment <= now:
            self.newest = max(moment, self.newest or moment)

    def add(self, record: ErrorRecord, moment: float) -> None:
        """One more error, in its group; beyond the most groups it is only counted."""
        self.totals[record.written] += 1
        code = record.code
        key = (record.severity, code, "" if code else record.pattern)
        group = self.groups.get(key)
        if group is None:
            if len(self.groups) >= MOST_GROUPS:
                self.ungrouped += 1
                return
            group = Group(record.severity, code, record.pattern, record.sample, record.logger, moment, moment)
            self.groups[key] = group
        group.count += 1
        group.first = min(group.first, moment)
        group.last = max(group.last, moment)
