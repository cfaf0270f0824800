"""What is usual for somebody, told by their own hours: a steady scheduler is, a jump is not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from atomops.facts.executions import Hour, Usual

_SPREADS = 6  # robust standard deviations above the median
_NORMAL = 1.4826  # times the median absolute deviation is the standard deviation of what is normally distributed
_BUSY = 0.99  # the quantile of the hours: three hours of a fortnight are busier


@dataclass(frozen=True)
class Judged:
    """An hour beside what is usual. `limit` is the number from which on it is unusual; `basis` says why that."""

    hour: Hour
    limit: float
    median: float | None
    basis: str

    @property
    def is_unusual(self) -> bool:
        """Whether the hour reaches its limit."""
        return self.hour.executions >= self.limit


def judge(hour: Hour, usual: Usual) -> Judged:
    """Against the own baseline where there is enough of it, else against the fixed limit.

    The limit of the baseline is the largest of: `times` its busiest hours but one in a hundred, six robust standard
    deviations above its median, and `at_least`. Hours without executions count as 0.
    """
    if hour.oldest < usual.baseline_hours:
        basis = f"{hour.oldest} h of history are too few (of {usual.baseline_hours}): the fixed limit"
        return Judged(hour, max(usual.fixed, usual.at_least), None, basis)
    hours = sorted([*hour.before, *([0] * (hour.oldest - len(hour.before)))])
    middle, busy = median(hours), quantile(hours, _BUSY)
    spread = _NORMAL * median(abs(each - middle) for each in hours)
    limit = max(usual.times * busy, middle + _SPREADS * spread, usual.at_least)
    basis = f"own baseline of {hour.oldest} h: median {middle:g}, busy hours {busy:g}"
    return Judged(hour, limit, middle, basis)


def quantile(ordered: Sequence[int], share: float) -> int:
    """The value that `share` of the ordered values do not exceed; the nearest rank."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
