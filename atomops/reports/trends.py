"""Values worth following: the last report's series, and this report's point."""

import math
from collections.abc import Iterable, Iterator, Mapping

from atomops.reports.report import Point, Report
from atomops.verdict import Finding

_MOST_POINTS = 60  # two months of mornings
_OF = " of "  # between a trend and what a series beside it is of: "drill.seconds of /backups/atom"


def trends(
    findings: Iterable[Finding], names: Mapping[str, str], previous: Report | None, at: str
) -> dict[str, tuple[Point, ...]]:
    """The series of `names` (by code), at most 60 points each; one that no check follows any more ends.

    Where a finding knows the past itself, its points are the series.

    A value that was not seen, or is no number, adds no point: JSON could not hold it. Series beside a trend go on as
    long as its finding names them, or names none.
    """
    earlier = previous.trends if previous else {}
    findings = tuple(findings)
    whole = {names[each.code]: each.points for each in findings if each.code in names and each.points}
    named = [pair for finding in findings if finding.code in names for pair in _values(finding, names[finding.code])]
    now = {name: ((at, float(value)),) for name, value in named if value is not None and math.isfinite(value)}
    beside = {name for name, _ in named if name != trend_of(name)}
    waiting = set(names.values()) - {trend_of(name) for name in beside}
    every = dict.fromkeys([*names.values(), *beside, *(name for name in earlier if trend_of(name) in waiting)])
    series = {name: whole.get(name) or (*earlier.get(name, ()), *now.get(name, ())) for name in every}
    return {name: points[-_MOST_POINTS:] for name, points in series.items() if points}


def trend_of(name: str) -> str:
    """The trend that a series belongs to: itself, or the one that it stands beside."""
    return name.partition(_OF)[0]


def _values(finding: Finding, name: str) -> Iterator[tuple[str, float | None]]:
    yield name, finding.observed
    yield from ((f"{name}{_OF}{what}", value) for what, value in finding.series.items())
