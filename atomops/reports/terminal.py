"""The report for a terminal: verdict, what changed, what to do, then the rest in brief."""

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from atomops.reports import charts, phrases
from atomops.reports.report import Report
from atomops.reports.terminal_table import Fitted
from atomops.verdict import Finding, Level

COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.UNKNOWN: "magenta", Level.CRITICAL: "red"}
_MOST_TRENDS = 12
_INDENT = 10  # the longest level and a space


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
            yield _indented(Fitted(finding.evidence))


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
        table.add_row(Text(section, colour), Text(f"{well}/{of}"), Text(_informs(findings), "dim"))
    yield Text("\npassed", "bold")
    yield table


def _informs(findings: list[Finding]) -> str:
    """The first passed finding that is not merely "it answers": what somebody would like to know by the way."""
    told = [finding.summary for finding in findings if finding.level is Level.OK and finding.unit != "failures"]
    return told[0] if told else ""


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
