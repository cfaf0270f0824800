"""What a database's schema is made of, and what alembic has written down in it. Sessions are the caller's."""

from collections.abc import Iterable
from importlib.resources import files

from psycopg import sql
from psycopg.rows import class_row

from atomops.facts.migration import TableSize, VersionTable
from atomops.probes.postgres.connect import Session

_WIDTH = """
    SELECT CASE WHEN atttypmod > 4 THEN atttypmod - 4 END FROM pg_attribute
    WHERE attrelid = to_regclass('alembic_version') AND attname = 'version_num'
"""


def _statement(name: str) -> bytes:
    return (files(__package__) / "questions" / f"{name}.sql").read_bytes()


async def catalogue(session: Session) -> dict[str, str]:
    """Every object of the schema with its definition, by kind and name."""
    rows = await (await session.execute(_statement("catalogue"))).fetchall()
    return {str(thing): str(definition) for thing, definition in rows}


async def sizes(session: Session, names: Iterable[str]) -> tuple[TableSize, ...]:
    """Those of the named tables that are there, the largest first."""
    async with session.cursor(row_factory=class_row(TableSize)) as cursor:
        await cursor.execute(_statement("sizes"), [list(names)])
        return tuple(await cursor.fetchall())


async def version_table(session: Session) -> VersionTable | None:
    """Alembic's table under its usual name; None where an application has called it otherwise, or has none."""
    row = await (await session.execute("SELECT to_regclass('alembic_version')::text")).fetchone()
    if row is None or row[0] is None:
        return None
    width = await (await session.execute(_WIDTH.encode())).fetchone()
    question = sql.SQL("SELECT version_num FROM {}").format(sql.SQL(str(row[0])))
    revisions = await (await session.execute(question)).fetchall()
    bound = width[0] if width else None
    return VersionTable(tuple(sorted(str(each[0]) for each in revisions)), None if bound is None else int(str(bound)))


async def exact_rows(session: Session, table: str) -> int | None:
    """How many rows it has, counted; None where there is no such table. The name as SQL writes it."""
    found = await (await session.execute("SELECT to_regclass(%s)::text", [table])).fetchone()
    if found is None or found[0] is None:
        return None
    counted = await (
        await session.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.SQL(str(found[0]))))
    ).fetchone()
    return int(str(counted[0])) if counted else None


async def exact_values(session: Session, column: str) -> int:
    """How many rows have a value in that column, named as the catalogue names it: schema.table.column."""
    table, _, name = column.rpartition(".")
    question = sql.SQL("SELECT count({}) FROM {}").format(sql.SQL(name), sql.SQL(table))
    counted = await (await session.execute(question)).fetchone()
    return int(str(counted[0])) if counted else 0
