"""Which index one could try for a table that is read from end to end. Pure; nothing of it is ever executed."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from atomops.facts.tuning import Column, ScannedTable, SlowStatement
from atomops.plans.vacuum import quoted

_FEW = 10  # distinct values: an index on such a column finds too much to be worth its writes
_COMPARED = r'(?<![\w"])"?{}"?\s*(?:=|<>|<=|>=|<|>|\bIN\b|\bLIKE\b|\bBETWEEN\b)'


@dataclass(frozen=True)
class Candidate:
    """An index to try, for the sake of statements that took so many seconds."""

    table: str
    column: str
    statement: str
    seconds: float
    because: str


def candidates(tables: Iterable[ScannedTable], statements: Sequence[SlowStatement]) -> tuple[Candidate, ...]:
    """Columns of scanned tables that slow statements compare and no index begins with; the most time first."""
    found = [
        candidate
        for table in tables
        for column in table.columns
        if not column.leads_index and not _is_coarse(column)
        for candidate in [_candidate(table, column, statements)]
        if candidate
    ]
    return tuple(sorted(found, key=lambda each: -each.seconds))


def _is_coarse(column: Column) -> bool:
    return column.distinct is not None and 0 <= column.distinct <= _FEW


def _candidate(table: ScannedTable, column: Column, statements: Sequence[SlowStatement]) -> Candidate | None:
    named = re.compile(rf'(?<![\w])"?{re.escape(table.name)}"?(?![\w])', re.IGNORECASE)
    compared = re.compile(_COMPARED.format(re.escape(column.name)), re.IGNORECASE)
    using = [each for each in statements if named.search(each.text) and compared.search(each.text)]
    if not using:
        return None
    text = f"CREATE INDEX CONCURRENTLY ON {quoted(table.schema)}.{quoted(table.name)} ({quoted(column.name)});"
    return Candidate(table.label, column.name, text, sum(each.total for each in using), using[0].query)
