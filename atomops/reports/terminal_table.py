"""Evidence as a table that fits the terminal: cells are cut, and the last columns go, before anything wraps."""

from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from atomops.verdict import Evidence

_MOST_ROWS = 5
_GAP = 2  # between columns
_NARROWEST, _WIDEST = 12, 48  # characters of a column; the whole text is in the JSON and the HTML


@dataclass(frozen=True)
class Fitted:
    """The first rows and columns of evidence, as wide as the console allows; says how much was left out."""

    evidence: Evidence
    most_rows: int = _MOST_ROWS

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table, and a line about what is not in it."""
        rows = self.evidence.rows[: self.most_rows]
        lines = [tuple(" ".join(cell.split()) for cell in line) for line in (self.evidence.columns, *rows)]
        widths = _fit([max(map(cell_len, column)) for column in zip(*lines, strict=False)], options.max_width)
        table = Table(box=None, padding=(0, _GAP, 0, 0), header_style="dim", pad_edge=False)
        for column, width in zip(lines[0], widths, strict=False):
            table.add_column(Text(column), width=width, no_wrap=True, overflow="ellipsis")
        for line in lines[1:]:
            table.add_row(*map(Text, line[: len(widths)]))
        yield table
        left_out = _left_out(len(self.evidence.rows) - len(rows), len(self.evidence.columns) - len(widths))
        if left_out:
            yield Text(left_out, "dim")


def _fit(widths: list[int], most: int) -> list[int]:
    """The widest column gives way first, then the last columns do; the first one stays."""
    fitted = [min(width, _WIDEST) for width in widths]
    while sum(fitted) + _GAP * len(fitted) > most and len(fitted) > 1:
        widest = max(range(len(fitted)), key=fitted.__getitem__)
        if fitted[widest] > _NARROWEST:
            fitted[widest] -= 1
        else:
            fitted.pop()
    return fitted


def _left_out(rows: int, columns: int) -> str:
    told = [
        f"{number} more {noun}{'s' * (number > 1)}" for number, noun in ((rows, "row"), (columns, "column")) if number
    ]
    return f"and {' and '.join(told)}" if told else ""
