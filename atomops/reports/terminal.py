"""The report for a terminal: verdict, what changed, what to do, then the rest in brief."""

from collections.abc import Iterator
from itertools import groupby

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from atomops.reports import charts, phrases
from atomops.reports.report import Report
from atomops.reports.summary import informing
from atomops.reports.terminal_table import Fitted
from atomops.verdict import Evidence, Finding, Level

COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.UNKNOWN: "magenta", Level.CRITICAL: "red"}
_MOST_TRENDS = 12
_OF_A_STEP = 2  # columns: what it does, and the exact statement or command
_INDENT = 10  # the longest level and a space


def print_report(report: Report, console: Console | None = None) -> None:
    """Print it; text from servers is never read as markup."""
    (console or Console()).print(terminal(report))


def terminal(report: Report) -> RenderableType:
    """The whole report as one thing to print."""
    parts = (_verdict, _changes, _to_do, _done, _listings, _acknowledged, _sections, _trends, _not_checked)
    return Group(*(line for part in parts for line in part(report)))


def _verdict(report: Report) -> Iterator[RenderableType]:
    colour = COLOURS[report.level]
    head = Text.assemble((f"{report.level}", f"bold {colour}"), f"   grade {report.grade}\n", (report.summary, "bold"))
    title = Text(f"{report.flow} · {report.target}")
    yield Panel(head, title=title, subtitle=Text(phrases.took(report), "dim"), border_style=colour)


def _changes(report: Report) -> Iterator[RenderableType]:
    table = _columns()
    for label, codes in phrases.changes(report):
        table.add_row(Text(f"{label:>{_INDENT}}", "bold"), Text(codes))
    yield table


def _to_do(report: Report) -> Iterator[RenderableType]:
    for finding, others in report.to_do:
        yield Text()
        yield _headline(finding, phrases.move(report, finding))
        if finding.action:
            yield _indented(Text.assemble(("➜ ", "bold"), finding.action, style="cyan"))
        yield _indented(Text(phrases.threshold(finding), "dim"))
        yield _indented(Text(finding.runbook, "dim"))
        if others:
            yield _indented(Text(phrases.others(others), "dim"))
        if finding.evidence and finding.evidence.rows:
            yield _indented(_rows(finding, finding.evidence))


def _rows(finding: Finding, evidence: Evidence) -> RenderableType:
    """A listing is as long as its reader wished."""
    return Fitted(evidence, len(evidence.rows)) if finding.listing else Fitted(evidence)


def _done(report: Report) -> Iterator[RenderableType]:
    """What was done, or would be, step by step: of the flows that change something."""
    for finding, evidence in report.shown:
        if finding.unit == "failures":
            yield Text()
            yield _headline(finding, "")
            yield from map(_indented, _steps(evidence) if len(evidence.columns) == _OF_A_STEP else [Fitted(evidence)])


def _steps(evidence: Evidence) -> Iterator[RenderableType]:
    """Whole, however long they are: a plan that is cut is none."""
    for number, (what, rows) in enumerate(groupby(evidence.rows, key=lambda row: row[0]), 1):
        exactly = [(f"\n{row[1]}", "dim") for row in rows if row[1]]
        table = _columns()
        table.add_column()
        table.add_column(overflow="fold")
        table.add_row(Text(f"{number:>2}"), Text.assemble(what, *exactly))
        yield table


def _listings(report: Report) -> Iterator[RenderableType]:
    """What the reader of a report came for, however well all is."""
    for finding, evidence in report.shown:
        if finding.listing:
            yield Text()
            yield _headline(finding, "")
            yield Padding(_rows(finding, evidence), (0, 0, 0, 2))


def _headline(finding: Finding, move: str) -> RenderableType:
    table = _columns()
    moved = (f"  {move}", "bold cyan") if move else ""
    said = Text.assemble((finding.code, "bold"), moved, f"  {finding.summary}")
    table.add_row(Text(f"{finding.level:<{_INDENT - 2}}", f"bold {COLOURS[finding.level]}"), said)
    return table


def _acknowledged(report: Report) -> Iterator[RenderableType]:
    if not report.acknowledged:
        return
    table = _columns()
    for finding in report.acknowledged:
        known = finding.acknowledged
        why = f" (known until {known.until}: {known.reason})" if known else ""
        table.add_row(Text(finding.code, "dim"), Text(f"{finding.level}: {finding.summary}{why}", "dim"))
    yield Text("\nacknowledged", "bold")
    yield table


def _sections(report: Report) -> Iterator[RenderableType]:
    table = _columns()
    for section, well, of in phrases.passed(report):
        findings = [finding for finding in report.findings if finding.section == section]
        colour = COLOURS[max((finding.level for finding in findings), key=lambda level: level.rank)]
        told = informing(findings)
        table.add_row(Text(section, colour), Text(f"{well}/{of}"), Text(told.summary if told else "", "dim"))
    yield Text("\npassed", "bold")
    yield table


def _trends(report: Report) -> Iterator[RenderableType]:
    longest = sorted(report.trends.items(), key=lambda item: -len(item[1]))
    followed = [(name, points) for name, points in longest if len(points) > 1][:_MOST_TRENDS]
    if not followed:
        return
    table = _columns()
    for name, points in followed:
        told = (Text(phrases.last(name, points)), Text(phrases.extent(name, points), "dim"))
        table.add_row(Text(name), Text(charts.blocks(points), "blue"), *told)
    yield Text("\ntrends", "bold")
    yield table


def _not_checked(report: Report) -> Iterator[RenderableType]:
    if not report.not_checked:
        return
    table = _columns()
    for gap in report.not_checked:
        table.add_row(Text(gap.section, "dim"), Text(gap.reason, "dim"))
    yield Text("\nnot checked", "bold")
    yield table


def _columns() -> Table:
    return Table(box=None, padding=(0, 2, 0, 0), show_header=False, pad_edge=False)


def _indented(what: RenderableType) -> Padding:
    return Padding(what, (0, 0, 0, _INDENT))
