"""The report for a terminal: verdict, what changed, what to do, then the rest in brief."""

import textwrap
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from atomops.reports import charts, phrases
from atomops.reports.report import Report
from atomops.verdict import Evidence, Finding, Level

COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.UNKNOWN: "magenta", Level.CRITICAL: "red"}
_MOST_ROWS = 5
_WIDEST_CELL = 60  # characters; the whole text is in the JSON and the HTML
_MOST_TRENDS = 12


def print_report(report: Report, console: Console | None = None) -> None:
    """Print it; text from servers is never read as markup."""
    (console or Console()).print(terminal(report))


def terminal(report: Report) -> RenderableType:
    """The whole report as one thing to print."""
    parts = (_verdict, _changes, _to_do, _acknowledged, _sections, _trends, _not_checked)
    return Group(*(line for part in parts for line in part(report)))


def _verdict(report: Report) -> Iterator[RenderableType]:
    colour = COLOURS[report.level]
    head = Text.assemble((f"{report.level}", f"bold {colour}"), f"   grade {report.grade}\n", (report.summary, "bold"))
    title = Text(f"{report.flow} · {report.target}")
    yield Panel(head, title=title, subtitle=Text(phrases.took(report), "dim"), border_style=colour)


def _changes(report: Report) -> Iterator[RenderableType]:
    for label, codes in phrases.changes(report):
        yield Text.assemble((f"{label:>12}  ", "bold"), codes)


def _to_do(report: Report) -> Iterator[RenderableType]:
    for finding, others in report.to_do:
        yield Text()
        yield Text.assemble(
            (f"{finding.level:<9}", f"bold {COLOURS[finding.level]}"), (finding.code, "bold"), f"  {finding.summary}"
        )
        if finding.action:
            yield Text(f"         ➜ {finding.action}", "cyan")
        yield Text(f"         {phrases.threshold(finding)}", "dim")
        if others:
            yield Text(f"         {phrases.others(others)}", "dim")
        if finding.evidence and finding.evidence.rows:
            yield _table(finding.evidence)


def _table(evidence: Evidence) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("       ")
    for column in evidence.columns:
        table.add_column(Text(column), overflow="ellipsis", no_wrap=True)
    for row in evidence.rows[:_MOST_ROWS]:
        table.add_row("", *(Text(textwrap.shorten(cell, _WIDEST_CELL, placeholder="…")) for cell in row))
    if len(evidence.rows) > _MOST_ROWS:
        table.add_row("", Text(f"and {len(evidence.rows) - _MOST_ROWS} more", "dim"))
    return table


def _acknowledged(report: Report) -> Iterator[RenderableType]:
    for finding in report.acknowledged:
        if finding.acknowledged:
            why = f"{finding.acknowledged.reason}, until {finding.acknowledged.until}"
            yield Text(f"\nacknowledged  {finding.code}  {finding.summary} ({why})", "dim")


def _sections(report: Report) -> Iterator[RenderableType]:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, pad_edge=False)
    for section in report.sections:
        findings = [finding for finding in report.findings if finding.section == section]
        passed = sum(finding.level is Level.OK for finding in findings)
        colour = COLOURS[max((finding.level for finding in findings), key=lambda level: level.rank)]
        table.add_row(Text(section, colour), f"{passed} of {len(findings)} well", Text(_informs(findings), "dim"))
    yield Text()
    yield table


def _informs(findings: list[Finding]) -> str:
    """The first passed finding that is not merely "it answers": what an SRE would like to know by the way."""
    told = [finding.summary for finding in findings if finding.level is Level.OK and finding.unit != "failures"]
    return told[0] if told else ""


def _trends(report: Report) -> Iterator[RenderableType]:
    longest = sorted(report.trends.items(), key=lambda item: -len(item[1]))
    followed = [(name, points) for name, points in longest if len(points) > 1][:_MOST_TRENDS]
    if not followed:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, pad_edge=False)
    for name, points in followed:
        table.add_row(Text(name), Text(charts.blocks(points), "blue"), Text(phrases.extent(name, points), "dim"))
    yield Text()
    yield table


def _not_checked(report: Report) -> Iterator[RenderableType]:
    if not report.not_checked:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, pad_edge=False)
    for gap in report.not_checked:
        table.add_row(Text(gap.section, "dim"), Text(gap.reason, "dim"))
    yield Text("\nnot checked", "bold")
    yield table
