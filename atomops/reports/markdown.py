"""The report as markdown for a Prefect artifact, in the order in which somebody woken at night wants it."""

from collections.abc import Iterable, Iterator
from html import escape as escape_html

from atomops.humane import plural
from atomops.reports import phrases
from atomops.reports.markdown_text import MOST_TEXT, escape, fence
from atomops.reports.report import Report
from atomops.reports.strings import one_line
from atomops.verdict import Evidence, Finding

_MOST_ROWS = 20  # of evidence
_CHARTS_A_ROW = 3


def markdown(report: Report) -> str:
    """Verdict, changes, what to do, what was acknowledged, trends, what was seen, passed and not checked, the run.

    Whatever a server said stays text; the pictures are data URIs, and nothing is loaded from anywhere.
    """
    parts = (_verdict, _changes, _to_do, _acknowledged, _trends, _shown, _passed, _not_checked, _run)
    return "\n\n".join(block for part in parts for block in part(report)) + "\n"


def _verdict(report: Report) -> Iterator[str]:
    yield f"# {phrases.SYMBOLS[report.level]} {report.level} · grade {escape(report.grade)}"
    yield f"**{escape(report.summary)}**"
    yield f"{escape(report.flow)} of **{escape(report.target)}**, {phrases.took(report)}"


def _changes(report: Report) -> Iterator[str]:
    yield "## Since the last report"
    yield _list(f"**{label}**: {escape(codes)}" for label, codes in phrases.changes(report))


def _to_do(report: Report) -> Iterator[str]:
    yield "## What to do"
    if not report.to_do:
        yield "Nothing."
    for finding, others in report.to_do:
        yield from _finding(finding, others, phrases.move(report, finding))


def _finding(finding: Finding, others: tuple[str, ...], move: str) -> Iterator[str]:
    moved = f" · **{move}**" if move else ""
    yield f"### {phrases.SYMBOLS[finding.level]} {escape(finding.summary)}"
    yield f"{finding.level} · **{escape(finding.code)}** · {escape(finding.section)}{moved}"
    if finding.evidence and finding.evidence.columns and finding.evidence.rows:
        yield from _table(finding.evidence, len(finding.evidence.rows) if finding.listing else _MOST_ROWS)
    if others:
        yield f"And {escape(phrases.others(others))}"
    threshold = f"Threshold: {escape(phrases.threshold(finding))}"
    yield f"{threshold}  \nNext:\n{fence(finding.action)}" if finding.action else threshold
    if finding.runbook:
        yield f"Runbook: {escape(finding.runbook)}"


def _table(evidence: Evidence, most: int) -> Iterator[str]:
    rows = [_row(map(escape, row)) for row in evidence.rows[:most]]
    yield "\n".join([_row(map(escape, evidence.columns)), _row("---" for _ in evidence.columns), *rows])
    if len(evidence.rows) > most:
        yield f"and {plural(len(evidence.rows) - most, 'row')} more"


def _acknowledged(report: Report) -> Iterator[str]:
    if report.acknowledged:
        yield "## Acknowledged"
        yield _list(map(_known, report.acknowledged))


def _known(finding: Finding) -> str:
    said = f"{phrases.SYMBOLS[finding.level]} **{escape(finding.code)}**: {escape(finding.summary)}"
    known = finding.acknowledged
    return f"{said}; known until {escape(known.until)}: {escape(known.reason)}" if known else said


def _trends(report: Report) -> Iterator[str]:
    """Three charts in a row of a table: in a paragraph the UI would put each on a line of its own."""
    images = [_image(name, phrases.chart(name, points)) for name, points in sorted(report.trends.items()) if points]
    if not images:
        return
    yield "## Trends"
    rows = [_row(images[start : start + _CHARTS_A_ROW]) for start in range(0, len(images), _CHARTS_A_ROW)]
    yield "\n".join([_row([""] * _CHARTS_A_ROW), _row(["---"] * _CHARTS_A_ROW), *rows])


def _image(name: str, source: str) -> str:
    return f'<img src="{source}" alt="{_html(name).replace("|", "&#124;")}">'


def _shown(report: Report) -> Iterator[str]:
    if report.shown:
        yield "## What was seen"
    for finding, evidence in report.shown:
        yield f"**{escape(finding.section)}**: {escape(finding.summary)}"
        yield from _table(evidence, _most(finding, evidence))


def _most(finding: Finding, evidence: Evidence) -> int:
    """All of a plan, since one that is cut is none, and of a listing, which is as long as its reader wished."""
    return len(evidence.rows) if finding.listing or finding.unit == "failures" else _MOST_ROWS


def _passed(report: Report) -> Iterator[str]:
    """Folded, as one block of HTML without an empty line: the older of the two Prefect UIs folds nothing else."""
    counted = ", ".join(f"{_html(section)} {well}/{of}" for section, well, of in phrases.passed(report))
    lines = [f"<details><summary>{plural(len(report.passed), 'check')} passed ({counted})</summary><ul>"]
    lines += [f"<li>{_html(each.section)} · {_html(each.code)}: {_html(each.summary)}</li>" for each in report.passed]
    yield "\n".join([*lines, "</ul></details>"])


def _html(text: str) -> str:
    return escape_html(one_line(text, MOST_TEXT))


def _not_checked(report: Report) -> Iterator[str]:
    if report.not_checked:
        yield "## Not checked"
        yield _list(f"**{escape(gap.section)}**: {escape(gap.reason)}" for gap in report.not_checked)


def _run(report: Report) -> Iterator[str]:
    yield f"---\n\n{escape(phrases.made(report))}"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
