"""Values worth following: the last report's series, and this report's point."""

import math
from collections.abc import Iterable, Mapping

from atomops.reports.report import Point, Report
from atomops.verdict import Finding

_MOST_POINTS = 60  # two months of mornings


def trends(
    findings: Iterable[Finding], names: Mapping[str, str], previous: Report | None, at: str
) -> dict[str, tuple[Point, ...]]:
    """The series of `names` (by code), at most 60 points each; one that no check follows any more ends.

    A value that was not seen, or is no number, adds no point: JSON could not hold it.
    """
    earlier = previous.trends if previous else {}
    now = {
        names[finding.code]: ((at, float(finding.observed)),)
        for finding in findings
        if finding.code in names and finding.observed is not None and math.isfinite(finding.observed)
    }
    series = {name: (*earlier.get(name, ()), *now.get(name, ())) for name in names.values()}
    return {name: points[-_MOST_POINTS:] for name, points in series.items() if points}
