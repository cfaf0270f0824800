"""What VACUUM and ANALYZE keep in order."""

from atomops.facts.postgres import Database, PostgresFacts, Table
from atomops.humane import plural, size, span
from atomops.registry import check
from atomops.verdict import Evidence, Reading, known

SECTION = "Database"
_DAY = 86_400
_MOST_ROWS = 10
_FEW_ROWS = 1_000
_FEW_DEAD_ROWS = 10_000  # below that a ratio says nothing
_MANY_DEAD_PERCENT = 10


@check(
    "PG-XID-AGE",
    section=SECTION,
    warning=300e6,
    critical=1.3e9,
    unit="transactions",
    source="CloudNativePG / check_postgres",
    trend="postgres.xid_age",
)
def transaction_id_age(seen: PostgresFacts) -> Reading:
    """PostgreSQL refuses writes near 2^31; the critical level leaves days to act, not minutes."""
    return _oldest_database(
        {database: database.xid_age for database in known(seen.databases)}, "transactions", "VACUUM (FREEZE)"
    )


@check(
    "PG-MULTIXACT-AGE",
    section=SECTION,
    warning=600e6,
    critical=1.3e9,
    unit="multixacts",
    source="CloudNativePG / check_postgres",
)
def multixact_age(seen: PostgresFacts) -> Reading:
    """Row locks shared by several transactions are numbered too, and their numbers run out the same way."""
    return _oldest_database(
        {database: database.multixact_age for database in known(seen.databases)}, "multixacts", "VACUUM (FREEZE)"
    )


@check("PG-DEAD-TUPLES", section=SECTION, warning=1, unit="tables", source="awesome-prometheus-alerts")
def dead_tuples(seen: PostgresFacts) -> Reading:
    """Dead rows make every scan longer; a table is counted from 10,000 dead rows and 10 % on (estimated)."""
    bloated = sorted(
        (
            table
            for table in known(seen.tables)
            if table.dead_rows > _FEW_DEAD_ROWS and _dead_percent(table) >= _MANY_DEAD_PERCENT
        ),
        key=lambda table: table.dead_rows,
        reverse=True,
    )
    rows = ((table.label, f"{table.dead_rows:,}", f"{_dead_percent(table):.0f} %") for table in bloated[:_MOST_ROWS])
    return Reading(
        len(bloated),
        f"{plural(len(bloated), 'table')} with many dead rows (estimated)",
        action=f"VACUUM (ANALYZE) {bloated[0].label};" if bloated else "",
        evidence=Evidence.of(("table", "dead rows", "of all"), rows),
    )


@check("PG-VACUUM-AGE", section=SECTION, warning=7, critical=30, unit="days", source="check_postgres")
def vacuum_age(seen: PostgresFacts) -> Reading:
    """A table with over 1,000 dead rows that is not vacuumed grows; smaller ones autovacuum leaves alone on purpose."""
    dirty = [table for table in known(seen.tables) if table.dead_rows > _FEW_ROWS]
    return _neglected({table: table.vacuum_age for table in dirty}, seen.server.uptime, "vacuumed", "VACUUM (ANALYZE)")


@check("PG-ANALYZE-AGE", section=SECTION, warning=7, critical=30, unit="days", source="check_postgres")
def analyze_age(seen: PostgresFacts) -> Reading:
    """Without fresh statistics the planner guesses; tables with fewer than 1,000 writes do not count."""
    written = [table for table in known(seen.tables) if table.writes > _FEW_ROWS]
    return _neglected({table: table.analyze_age for table in written}, seen.server.uptime, "analysed", "ANALYZE")


@check("PG-TABLES-TOP", section=SECTION, unit="rows", source="operations guide", trend="postgres.rows")
def top_tables(seen: PostgresFacts) -> Reading:
    """The largest tables by their estimated rows, as the guide lists them."""
    tables = sorted(known(seen.tables), key=lambda table: table.live_rows, reverse=True)
    total = sum(table.live_rows for table in tables)
    rows = ((table.label, f"{table.live_rows:,}", size(table.size)) for table in tables[:_MOST_ROWS])
    return Reading(
        total,
        f"{plural(len(tables), 'table')} with about {total:,} rows (estimated)",
        evidence=Evidence.of(("table", "rows (estimated)", "size (estimated)"), rows),
    )


def _oldest_database(ages: dict[Database, int], things: str, remedy: str) -> Reading:
    oldest = max(ages, key=lambda database: ages[database])
    rows = sorted(((database.name, f"{age:,}") for database, age in ages.items()), key=lambda row: row[0])
    return Reading(
        ages[oldest],
        f"{oldest.name} is {ages[oldest]:,} {things} old",
        action=f"{remedy} the oldest tables of {oldest.name}; look for what holds xmin back",
        evidence=Evidence.of(("database", "age"), rows),
    )


def _dead_percent(table: Table) -> float:
    return 100 * table.dead_rows / max(1, table.live_rows + table.dead_rows)


def _neglected(ages: dict[Table, float | None], uptime: float, done: str, remedy: str) -> Reading:
    """The longest time since it was done. "Never" counts as the server's uptime: it is at least that long."""
    if not ages:
        return Reading(0, f"no table has enough changes to be {done}")
    since = {table: uptime if age is None else age for table, age in ages.items()}
    longest_first = sorted(since, key=lambda table: since[table], reverse=True)
    worst = longest_first[0]
    told = {table: "never" if age is None else f"{span(age)} ago" for table, age in ages.items()}
    rows = ((table.label, told[table], f"{table.writes:,}") for table in longest_first[:_MOST_ROWS])
    return Reading(
        since[worst] / _DAY,
        f"of {plural(len(ages), 'table')} with changes, {worst.label} waits the longest: {done} {told[worst]}",
        action=f"{remedy} {worst.label}; and look at autovacuum's settings",
        evidence=Evidence.of(("table", f"last {done}", "writes"), rows),
    )
