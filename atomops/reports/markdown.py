"""The report as markdown for a Prefect artifact. Whatever a server said stays text: it makes no link, image or cell."""

import re
from collections.abc import Iterator

from atomops.reports import charts, phrases
from atomops.reports.report import Report
from atomops.verdict import Evidence, Finding

_SPECIAL = re.compile(r"([\\`*_\[\]|~#!$])")
_MOST_TEXT = 500  # characters of one piece of text


def markdown(report: Report) -> str:
    """Verdict, changes, what to do, what was acknowledged, trends, what passed, what was not checked: in that order."""
    parts = (_verdict, _changes, _to_do, _acknowledged, _trends, _passed, _not_checked, _run)
    return "\n".join(line for part in parts for line in part(report)) + "\n"


def escape(text: str) -> str:
    """The text as markdown that shows exactly it, on one line."""
    line = " ".join(text.split())
    shown = line if len(line) <= _MOST_TEXT else line[:_MOST_TEXT] + "…"
    entities = shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # a colon before // would make a link of an address by itself in the UI's dialect
    return _SPECIAL.sub(r"\\\1", entities).replace("://", "&#58;//").replace("www.", "www&#46;").replace("@", "&#64;")


def _verdict(report: Report) -> Iterator[str]:
    yield f"# {phrases.SYMBOLS[report.level]} {report.level} · grade {report.grade}"
    yield ""
    yield f"**{escape(report.summary)}**"
    yield ""
    yield f"{escape(report.flow)} of **{escape(report.target)}**, {phrases.took(report)}"


def _changes(report: Report) -> Iterator[str]:
    yield "\n## Since the last report"
    for label, codes in phrases.changes(report):
        yield f"- **{label}**: {escape(codes)}"


def _to_do(report: Report) -> Iterator[str]:
    yield "\n## What to do"
    if not report.to_do:
        yield "Nothing."
    for finding, others in report.to_do:
        yield from _finding(finding, others)


def _finding(finding: Finding, others: tuple[str, ...]) -> Iterator[str]:
    yield f"\n### {phrases.SYMBOLS[finding.level]} {escape(finding.code)}: {escape(finding.summary)}"
    yield ""
    if finding.action:
        yield f"➜ **{escape(finding.action)}**"
        yield ""
    yield f"{escape(finding.section)}; {escape(phrases.threshold(finding))}; runbook: `{finding.runbook}`"
    if others:
        yield ""
        yield f"For the same reason {phrases.others(others)}."
    if finding.evidence and finding.evidence.rows:
        yield ""
        yield from _table(finding.evidence)


def _table(evidence: Evidence) -> Iterator[str]:
    yield f"| {' | '.join(map(escape, evidence.columns))} |"
    yield f"|{'---|' * len(evidence.columns)}"
    for row in evidence.rows:
        yield f"| {' | '.join(map(escape, row))} |"


def _acknowledged(report: Report) -> Iterator[str]:
    if report.acknowledged:
        yield "\n## Acknowledged"
    for finding in report.acknowledged:
        if finding.acknowledged:
            why = f"{escape(finding.acknowledged.reason)}, until {escape(finding.acknowledged.until)}"
            yield f"- {phrases.SYMBOLS[finding.level]} {escape(finding.code)}: {escape(finding.summary)} ({why})"


def _trends(report: Report) -> Iterator[str]:
    if not report.trends:
        return
    yield "\n## Trends\n"
    yield "| | | last |"
    yield "|---|---|---|"
    for name, points in sorted(report.trends.items()):
        yield f"| {escape(name)} | ![]({charts.data_uri(points)}) | {escape(phrases.extent(name, points))} |"


def _passed(report: Report) -> Iterator[str]:
    yield f"\n<details><summary>{len(report.passed)} checks passed</summary>\n"
    for section in report.sections:
        lines = [finding for finding in report.passed if finding.section == section]
        if lines:
            yield f"\n**{escape(section)}**\n"
        for finding in lines:
            yield f"- {escape(finding.code)}: {escape(finding.summary)}"
    yield "\n</details>"


def _not_checked(report: Report) -> Iterator[str]:
    if report.not_checked:
        yield "\n## Not checked\n"
    for gap in report.not_checked:
        yield f"- {escape(gap.section)}: {escape(gap.reason)}"


def _run(report: Report) -> Iterator[str]:
    versions = ", ".join(f"{name} {number}" for name, number in report.run.versions.items())
    yield f"\n---\nmade on {escape(report.run.host)} with {escape(versions)}, flow run {escape(report.run.flow_run_id)}"
