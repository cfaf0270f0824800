"""Indexes, keys and sequences."""

from atomops.facts.postgres import Index, PostgresFacts, Table
from atomops.humane import plural, size, span
from atomops.registry import check
from atomops.verdict import Evidence, Reading, known

SECTION = "Database"
_MOST_ROWS = 10
_FEW_ROWS = 5
_LARGE_TABLE = 10_000  # rows; below that a sequential scan is the right plan


@check("PG-INDEX-INVALID", section=SECTION, critical=1, unit="indexes", source="check_pgactivity")
def invalid_indexes(seen: PostgresFacts) -> Reading:
    """An invalid index costs every write and serves no read; a unique one guards nothing."""
    return _indexes(known(seen.invalid_indexes), "invalid index", "(those being built do not count)")


@check("PG-INDEX-UNUSED", section=SECTION, unit="indexes", source="PgHero")
def unused_indexes(seen: PostgresFacts) -> Reading:
    """An index of 10 MiB or more that no scan has used since the statistics began; replicas may use it."""
    return _indexes(known(seen.unused_indexes), "index", "of 10 MiB or more that nobody has used")


@check("PG-INDEX-DUPLICATE", section=SECTION, unit="indexes", source="PgHero")
def duplicate_indexes(seen: PostgresFacts) -> Reading:
    """Two indexes with the same definition: one of them is only work."""
    return _indexes(known(seen.duplicate_indexes), "group", "of indexes with the same definition")


@check("PG-FOREIGN-KEY-NO-INDEX", section=SECTION, unit="foreign keys", source="PgHero")
def foreign_keys_without_index(seen: PostgresFacts) -> Reading:
    """Deleting a referenced row reads the whole referencing table when its columns have no index."""
    keys = known(seen.foreign_keys)
    rows = ((key.table, key.columns, key.name) for key in keys[:_MOST_ROWS])
    return Reading(
        len(keys),
        f"{plural(len(keys), 'foreign key')} without an index",
        action=keys[0].statement if keys else "",
        evidence=Evidence.of(("table", "columns", "foreign key"), rows),
    )


@check("PG-SEQUENTIAL-SCANS", section=SECTION, unit="tables", source="operations guide (missing indexes)")
def sequential_scans(seen: PostgresFacts) -> Reading:
    """Large tables that are mostly read from end to end may lack an index."""
    scanned = [table for table in known(seen.tables) if _is_scanned(table)]
    scanned.sort(key=lambda table: table.sequential_rows, reverse=True)
    rows = (
        (table.label, f"{table.sequential_scans:,}", f"{table.index_scans:,}", f"{table.sequential_rows:,}")
        for table in scanned[:_MOST_ROWS]
    )
    return Reading(
        len(scanned),
        f"{plural(len(scanned), 'large table')} read mostly by sequential scans",
        action="find the statement in PG-STATEMENTS-SLOW and EXPLAIN it" if scanned else "",
        evidence=Evidence.of(("table", "sequential scans", "index scans", "rows read"), rows),
    )


@check("PG-SEQUENCE-EXHAUSTION", section=SECTION, warning=85, critical=95, unit="%", source="check_postgres")
def sequence_exhaustion(seen: PostgresFacts) -> Reading:
    """At its end a sequence, or the integer key that it feeds, refuses every insert."""
    sequences = known(seen.sequences)
    if not sequences:
        return Reading(0, "there are no sequences")
    fullest = max(sequences, key=lambda sequence: sequence.used_percent)
    rows = (
        (each.name, each.column, f"{each.last_value:,}", f"{each.maximum:,}", f"{each.used_percent:.1f} %")
        for each in sequences[:_MOST_ROWS]
    )
    return Reading(
        fullest.used_percent,
        f"the fullest of {plural(len(sequences), 'sequence')}, {fullest.name}, has used {fullest.used_percent:.1f} %",
        action=f"plan ALTER TABLE ... ALTER COLUMN ... TYPE bigint for {fullest.column or fullest.name}",
        evidence=Evidence.of(("sequence", "column", "last value", "end", "used"), rows),
    )


@check("PG-STATEMENTS-SLOW", section=SECTION, warning=1, unit="s", source="operations guide (slow queries)")
def slow_statements(seen: PostgresFacts) -> Reading:
    """The statement with the highest mean time, of those that ran at least three times."""
    statements = known(seen.statements)
    if not statements:
        return Reading(0, "no statement has run three times yet")
    slowest = statements[0]
    rows = (
        (span(each.mean), span(each.maximum), f"{each.calls:,}", span(each.total), each.query)
        for each in statements[:_FEW_ROWS]
    )
    return Reading(
        slowest.mean,
        f"the slowest statement takes {span(slowest.mean)} on average ({slowest.calls:,} calls)",
        action="EXPLAIN (ANALYZE, BUFFERS) it with typical values",
        evidence=Evidence.of(("mean", "longest", "calls", "total", "statement"), rows),
    )


def _indexes(indexes: tuple[Index, ...], noun: str, quality: str) -> Reading:
    rows = ((f"{index.schema}.{index.table}", index.name, size(index.size)) for index in indexes[:_MOST_ROWS])
    return Reading(
        len(indexes),
        f"{plural(len(indexes), noun)} {quality}",
        action=indexes[0].statement if indexes else "",
        evidence=Evidence.of(("table", "index", "size (estimated)"), rows),
    )


def _is_scanned(table: Table) -> bool:
    return (
        table.live_rows >= _LARGE_TABLE
        and table.sequential_scans > table.index_scans
        and table.sequential_rows >= 10 * table.live_rows
    )
