"""From findings to a report: acknowledged, compared, graded, summed up in one sentence. Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from atomops.humane import plural
from atomops.reports.grade import grade
from atomops.reports.report import Changes, Point, Report, Run
from atomops.verdict import Acknowledgement, Finding, Gap, Level, worst

_MOST_POINTS = 60  # of a trend: two months of mornings


def build_report(  # noqa: PLR0913 - a report is what it is made of; all by keyword
    *,
    flow: str,
    target: str,
    sections: Sequence[str],
    findings: Iterable[Finding],
    gaps: Iterable[Gap],
    acknowledgements: Mapping[str, Acknowledgement],
    trends: Mapping[str, str],
    previous: Report | None,
    started_at: dt.datetime,
    finished_at: dt.datetime,
    run: Run,
) -> Report:
    """The report of findings in the order of `sections`; `trends` names the series that a code's value belongs to."""
    today = finished_at.date().isoformat()
    known = [_acknowledge(finding, acknowledgements.get(finding.code), today) for finding in findings]
    ordered = tuple(sorted(known, key=lambda finding: (_place(finding.section, sections), -finding.level.rank)))
    counting = [finding for finding in ordered if finding.acknowledged is None]
    level = worst(finding.level for finding in counting) if counting else worst(each.level for each in ordered)
    return Report(
        flow=flow,
        target=target,
        level=level,
        grade=grade([finding.level for finding in counting] or [finding.level for finding in ordered]),
        started_at=started_at,
        finished_at=finished_at,
        summary=_summary(counting, len(ordered)),
        changes=_changes(ordered, previous),
        findings=ordered,
        not_checked=tuple(sorted(dict.fromkeys(gaps), key=lambda gap: _place(gap.section, sections))),
        trends=_trends(ordered, trends, previous, stamp(finished_at)),
        run=run,
    )


def stamp(moment: dt.datetime) -> str:
    """The moment in UTC as the report writes it: 2026-11-24T09:00:03Z."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _place(section: str, sections: Sequence[str]) -> int:
    return sections.index(section) if section in sections else len(sections)


def _acknowledge(finding: Finding, acknowledgement: Acknowledgement | None, today: str) -> Finding:
    """An acknowledgement whose day has passed does not count, and the finding says so."""
    if acknowledgement is None or finding.level is Level.OK:
        return finding
    if acknowledgement.until < today:
        return replace(finding, summary=f"{finding.summary} (its acknowledgement ended on {acknowledgement.until})")
    return replace(finding, acknowledged=acknowledgement)


def _summary(findings: Sequence[Finding], total: int) -> str:
    if not total:
        return "nothing was checked"
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    told = [
        f"{counts[Level.CRITICAL]} critical" if counts[Level.CRITICAL] else "",
        f"{counts[Level.UNKNOWN]} unknown" if counts[Level.UNKNOWN] else "",
        plural(counts[Level.WARNING], "warning") if counts[Level.WARNING] else "",
    ]
    bad = [part for part in told if part]
    if not bad:
        return f"all is well in {plural(total, 'check')}"
    first = max(findings, key=lambda finding: finding.level.rank)
    listed = f"{', '.join(bad[:-1])} and {bad[-1]}" if len(bad) > 1 else bad[0]
    return f"{listed} among {plural(total, 'check')}; {first.section}: {first.summary}"


def _changes(findings: Sequence[Finding], previous: Report | None) -> Changes:
    """What was not there the last time is new; what is not there now has not been resolved by that."""
    if previous is None:
        return Changes()
    before = {finding.code: finding.level for finding in previous.findings}
    moves: dict[str, list[str]] = {"new": [], "worse": [], "better": [], "resolved": []}
    for finding in findings:
        move = _move(before.get(finding.code, Level.OK), finding.level)
        if move:
            moves[move].append(finding.code)
    changed = sum(len(codes) for codes in moves.values())
    return Changes(**{move: tuple(codes) for move, codes in moves.items()}, unchanged=len(findings) - changed)


def _move(before: Level, now: Level) -> str:
    if before is now:
        return ""
    if before is Level.OK:
        return "new"
    if now is Level.OK:
        return "resolved"
    return "worse" if now.rank > before.rank else "better"


def _trends(
    findings: Iterable[Finding], names: Mapping[str, str], previous: Report | None, moment: str
) -> dict[str, tuple[Point, ...]]:
    earlier = previous.trends if previous else {}
    series = dict(earlier)
    for finding in findings:
        name = names.get(finding.code)
        if name and finding.observed is not None:
            series[name] = (*earlier.get(name, ()), (moment, float(finding.observed)))[-_MOST_POINTS:]
    return series
