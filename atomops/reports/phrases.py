"""Words that every drawing of a report shares."""

from collections.abc import Mapping, Sequence
from functools import cache

from atomops.humane import plural, quantity
from atomops.profiles import AUTO, candidates
from atomops.questions import question_checks
from atomops.registry import checks
from atomops.reports import charts
from atomops.reports.report import Point, Report
from atomops.reports.strings import one_line
from atomops.reports.trends import trend_of
from atomops.verdict import Finding, Level

SYMBOLS = {Level.OK: "🟢", Level.WARNING: "🟡", Level.UNKNOWN: "🟣", Level.CRITICAL: "🔴"}
_MOST_CODES = 12  # in a row; the findings themselves follow
_LONGEST_TITLE = 36  # characters that fit into a chart


def threshold(finding: Finding) -> str:
    """What was observed, against which limit, and where the limit comes from."""
    source = f" ({finding.source})" if finding.source else ""
    if finding.unit == "failures":
        return f"must not fail{source}"
    bounds = [
        f"{name} {_relation(finding)} {quantity(bound, finding.unit)}"
        for name, bound in (("warning", finding.warning), ("critical", finding.critical))
        if bound is not None
    ]
    seen = "not observed" if finding.observed is None else f"observed {quantity(finding.observed, finding.unit)}"
    return "; ".join([seen, *bounds]) + (source if bounds else "")


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
    lines = [(label, _listed(codes)) for label, codes in told if codes]
    if report.changes.unchanged:
        lines.append(("unchanged", plural(report.changes.unchanged, "check")))
    return lines or [("first report", "nothing to compare with yet")]


def _listed(codes: Sequence[str]) -> str:
    more = [f"and {len(codes) - _MOST_CODES} more"] if len(codes) > _MOST_CODES else []
    return ", ".join([*codes[:_MOST_CODES], *more])


def move(report: Report, finding: Finding) -> str:
    """How the finding has moved since the last report: new, worse, better, or nothing."""
    moves = {"new": report.changes.new, "worse": report.changes.worse, "better": report.changes.better}
    return next((label for label, codes in moves.items() if finding.code in codes), "")


def passed(report: Report) -> list[tuple[str, int, int]]:
    """For every section how many of its checks are well, and how many there are."""
    counted = [(section, [each for each in report.findings if each.section == section]) for section in report.sections]
    return [(section, sum(each.level is Level.OK for each in found), len(found)) for section, found in counted]


def last(trend: str, points: Sequence[Point]) -> str:
    """The newest value of a trend, in the unit of its check."""
    return quantity(points[-1][1], _unit(trend))


def extent(trend: str, points: Sequence[Point]) -> str:
    """The lowest and the highest value of a trend, in units of their own; nothing where they look alike."""
    unit = _unit(trend)
    low, high = (quantity(bound([value for _, value in points]), unit) for bound in (min, max))
    return f"{low.removesuffix(f' {unit}')} to {high.removesuffix(f' {unit}')}" if low != high else ""


def chart(trend: str, points: Sequence[Point]) -> str:
    """The trend as a picture, for the `src` of an image."""
    return charts.data_uri(one_line(trend, _LONGEST_TITLE), points, last(trend, points), extent(trend, points))


def _unit(trend: str) -> str:
    return _units().get(trend_of(trend), "")


@cache
def _units() -> Mapping[str, str]:
    """By trend. A report's trends carry no unit; checks of a profile of one's own are not known here."""
    every = (*checks(), *question_checks(candidates(AUTO)))
    return {check.trend: check.unit for check in every if check.trend}


def others(codes: Sequence[str]) -> str:
    """The checks that say the same as the finding that they stand beside."""
    verb = "says" if len(codes) == 1 else "say"
    return f"{plural(len(codes), 'check')} more {verb} the same: {_listed(codes)}"


def took(report: Report) -> str:
    """When it was made, and how long that took."""
    seconds = (report.finished_at - report.started_at).total_seconds()
    length = f"took {seconds:.1f} s" if seconds >= 1 else "took less than a second"
    return f"{report.started_at:%Y-%m-%d %H:%M:%S} UTC, {length}"


def made(report: Report) -> str:
    """Where, by what, and in which run."""
    versions = "".join(f", {name} {number}" for name, number in report.run.versions.items())
    run = f"; flow run {report.run.flow_run_id}" if report.run.flow_run_id else ""
    return one_line(f"Made on {report.run.host}{versions}{run}", 500)
