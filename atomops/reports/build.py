"""From findings to a report: acknowledged, compared, graded, summed up in one sentence. Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from atomops.reports.changes import changes
from atomops.reports.grade import grade
from atomops.reports.report import Report, Run, stamp
from atomops.reports.strings import clean
from atomops.reports.summary import sentence
from atomops.reports.trends import trends as followed
from atomops.verdict import Acknowledgement, Finding, Gap, Level, worst


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
    """The report of findings in the order of `sections`, in text that is safe to print, store and encode.

    Its level and grade are those of the findings that nobody has acknowledged; where there is none of them nothing is
    known. `trends` names the series that a code's value belongs to. Times must be aware.
    """
    today = finished_at.astimezone(dt.UTC).date().isoformat()
    known = [_acknowledge(finding, acknowledgements.get(finding.code), today) for finding in findings]
    ordered = tuple(sorted(known, key=lambda finding: (_place(finding.section, sections), -finding.level.rank)))
    counting = [finding for finding in ordered if finding.acknowledged is None]
    report = Report(
        flow=flow,
        target=target,
        level=worst(finding.level for finding in counting),
        grade=grade([finding.level for finding in counting], of=len(ordered)),
        started_at=started_at,
        finished_at=finished_at,
        summary=sentence(counting, len(ordered)),
        changes=changes(ordered, previous),
        findings=ordered,
        not_checked=tuple(sorted(dict.fromkeys(gaps), key=lambda gap: _place(gap.section, sections))),
        trends=followed(ordered, trends, previous, stamp(finished_at)),
        run=run,
    )
    return clean(report)


def _place(section: str, sections: Sequence[str]) -> int:
    return sections.index(section) if section in sections else len(sections)


def _acknowledge(finding: Finding, acknowledgement: Acknowledgement | None, today: str) -> Finding:
    """An acknowledgement whose day (UTC) has passed does not count, and the finding says so."""
    if acknowledgement is None or finding.level is Level.OK:
        return finding
    if acknowledgement.until < today:
        return replace(finding, summary=f"{finding.summary} (its acknowledgement ended on {acknowledgement.until})")
    return replace(finding, acknowledged=acknowledgement)
