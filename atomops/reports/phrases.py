"""Words that every drawing of a report shares."""

from collections.abc import Sequence

from atomops.humane import plural, quantity
from atomops.registry import checks
from atomops.reports.report import Point, Report
from atomops.verdict import Finding, Level

SYMBOLS = {Level.OK: "🟢", Level.WARNING: "🟡", Level.UNKNOWN: "⚪", Level.CRITICAL: "🔴"}


def threshold(finding: Finding) -> str:
    """What was observed, against which limit, and where the limit comes from."""
    if finding.unit == "failures":
        return f"must not fail ({finding.source})"
    bounds = [
        f"{name} {_relation(finding)} {quantity(bound, finding.unit)}"
        for name, bound in (("warning", finding.warning), ("critical", finding.critical))
        if bound is not None
    ]
    observed = (
        f"observed {quantity(finding.observed, finding.unit)}" if finding.observed is not None else "not observed"
    )
    source = f" ({finding.source})" if finding.source and bounds else ""
    return "; ".join([observed, *bounds]) + source


def _relation(finding: Finding) -> str:
    """Which way is worse: told by the order of the bounds, or by the verdict where there is only one."""
    if finding.warning is not None and finding.critical is not None:
        return "below" if finding.critical < finding.warning else "from"
    bound = finding.warning if finding.critical is None else finding.critical
    if bound is None or finding.observed is None:
        return "from"
    return "below" if (finding.observed >= bound) is (finding.level is Level.OK) else "from"


def changes(report: Report) -> list[tuple[str, str]]:
    """What has changed since the last report: a label and the codes; a single line when there is none."""
    told = [
        ("new", report.changes.new),
        ("worse", report.changes.worse),
        ("better", report.changes.better),
        ("resolved", report.changes.resolved),
    ]
    lines = [(label, ", ".join(codes)) for label, codes in told if codes]
    if report.changes.unchanged:
        lines.append(("unchanged", f"{report.changes.unchanged} checks"))
    return lines or [("first report", "nothing to compare with yet")]


def extent(trend: str, points: Sequence[Point]) -> str:
    """The last value of a trend and the range it came from, in the unit of its check."""
    values = [value for _, value in points]
    if not values:
        return ""
    unit = next((check.unit for check in checks() if check.trend == trend), "")
    last, low, high = (quantity(value, unit) for value in (values[-1], min(values), max(values)))
    return f"{last} (from {low} to {high} in {plural(len(values), 'report')})"


def others(codes: Sequence[str]) -> str:
    """The checks that say the same as the finding that they stand beside."""
    verb = "is" if len(codes) == 1 else "are"
    return f"{plural(len(codes), 'check')} more {verb} unknown: {', '.join(codes)}"


def took(report: Report) -> str:
    """When it was made, and how long that took."""
    seconds = (report.finished_at - report.started_at).total_seconds()
    return f"{report.started_at:%Y-%m-%d %H:%M:%S} UTC, took {seconds:.1f} s"
