"""What exactly is in a database: every row counted and hashed, in the session's own snapshot.

The questions are packaged .sql files. A fingerprint is the sum over all rows of a hash of the row, so that the order of
rows does not matter and equal rows do not cancel each other. Names come quoted, with their schema.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, TypeVar

from psycopg import errors, sql
from psycopg.rows import class_row, dict_row

from atomops.facts.backup import Obstacle, Origin, SequenceValue, TableContent
from atomops.probes.postgres.connect import Session

RECORD, TEXT = "record", "text"
_PLAIN_TEXT = {  # so that a value reads the same in every session, on every server
    "search_path": "",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "row_security": "off",
    "xmloption": "content",
}
_HASHED = {
    RECORD: "hash_record_extended(ROW({columns}), 0)",
    TEXT: "('x' || left(md5(ROW({columns})::text), 16))::bit(64)::bigint",  # the same in every version
}
_HASH_RECORDS_SINCE = 140_000  # PostgreSQL's version number
_LARGE_OBJECTS = """
    SELECT (SELECT count(*) FROM pg_largeobject_metadata),
           sum(('x' || left(md5(ROW(loid, pageno, data)::text), 16))::bit(64)::bigint)
    FROM pg_largeobject
"""
Row = TypeVar("Row")


@dataclass(frozen=True)
class Table:
    """A table whose rows a dump holds; `counts_for` names the partitioned table that they are counted for, if any.

    `columns` are quoted and sorted by name. `condition` is a WHERE clause, or "". `bytes` is the size without indexes.
    """

    name: str
    counts_for: str | None
    columns: Sequence[str]
    by_text: bool
    condition: str
    is_unlogged: bool
    bytes: int


def statement(name: str) -> str:
    """The packaged question of that name."""
    return (files(__package__) / "questions" / f"{name}.sql").read_text(encoding="utf-8")


async def obstacles(session: Session) -> tuple[Obstacle, ...]:
    """Everything that our role may not read, each with the statement that would let it."""
    return await _rows(session, "obstacles", Obstacle)


async def tables(session: Session) -> tuple[Table, ...]:
    """Every table that can be counted, the largest first; on a standby not the unlogged ones."""
    found = await _rows(session, "tables", Table)
    on_standby = await _value(session, "SELECT pg_is_in_recovery()")
    return tuple(table for table in found if not (table.is_unlogged and on_standby))


async def origin(session: Session, address: str) -> Origin:
    """The database as a whole."""
    async with session.cursor(row_factory=dict_row) as cursor:
        row = await (await cursor.execute(statement("origin").encode())).fetchone() or {}
    lists = {name: tuple(value) for name, value in row.items() if isinstance(value, list)}
    return Origin(**{**row, **lists, "address": address, "migration": await _migration(session)})


async def surroundings(session: Session) -> dict[str, Any]:
    """Sequences, objects by kind, and what is left out, as `Contents` names them."""
    return {
        "sequences": await sequences(session),
        "objects": dict(await _tuples(session, "objects")),
        "left_out": dict(await _tuples(session, "left_out")),
    }


async def sequences(session: Session) -> dict[str, SequenceValue]:
    """Where each of them is now, whatever the session's snapshot."""
    return {name: SequenceValue(*rest) for name, *rest in await _tuples(session, "sequences")}


async def settle(session: Session) -> None:
    """From now on values read as they do in every other settled session."""
    for name, value in _PLAIN_TEXT.items():
        await session.execute("SELECT set_config(%s, %s, false)", [name, value])


async def content(session: Session, table: Table, method: str) -> TableContent:
    """Rows and fingerprint of one table, by that method where its types allow it, else by text.

    Inside a transaction it needs savepoints of its own for that; `settle` must have been called.
    """
    if method == RECORD and not table.by_text and table.columns and session.info.server_version >= _HASH_RECORDS_SINCE:
        try:
            async with session.transaction():
                return await _content(session, table, RECORD)
        except (errors.UndefinedFunction, errors.UndefinedObject):  # a type without a hash, of an extension perhaps
            pass
    return await _content(session, table, TEXT)


async def large_objects(session: Session) -> TableContent:
    """How many there are, and what is in them. Only a superuser can always read that: else without a fingerprint."""
    try:
        async with session.transaction():
            number, total = await _row(session, _LARGE_OBJECTS)
    except errors.InsufficientPrivilege:
        return TableContent(await _value(session, "SELECT count(*) FROM pg_largeobject_metadata"))
    return TableContent(number, str(total or 0), TEXT)


def summed(counted: Mapping[str, tuple[Table, TableContent]]) -> dict[str, TableContent]:
    """Contents by name, those of partitions added up where they count for their ancestor."""
    total: dict[str, TableContent] = {}
    for name, (table, found) in sorted(counted.items()):
        key = table.counts_for or name
        total[key] = _plus(total[key], found) if key in total else found
    return total


def _plus(one: TableContent, other: TableContent) -> TableContent:
    together = str(int(one.fingerprint) + int(other.fingerprint))
    return TableContent(one.rows + other.rows, together, one.method if one.method == other.method else TEXT)


async def _content(session: Session, table: Table, method: str) -> TableContent:
    hashed = _HASHED[method].format(columns=", ".join(f"t.{column}" for column in table.columns))
    question = f"SELECT count(*), sum({hashed}) FROM ONLY {table.name} AS t {table.condition}"  # noqa: S608 - quoted by format('%I')
    rows, total = await _row(session, question)
    return TableContent(rows, str(total or 0), method)


async def _migration(session: Session) -> str:
    found = await _value(session, "SELECT to_regclass('alembic_version')::text")
    if found is None:
        return ""
    revisions = await session.execute(sql.SQL("SELECT version_num FROM {}").format(sql.SQL(found)))
    return ", ".join(sorted(str(row[0]) for row in await revisions.fetchall()))


async def _rows(session: Session, name: str, kind: type[Row]) -> tuple[Row, ...]:
    async with session.cursor(row_factory=class_row(kind)) as cursor:
        await cursor.execute(statement(name).encode())
        return tuple(await cursor.fetchall())


async def _tuples(session: Session, name: str) -> list[tuple[Any, ...]]:
    return await (await session.execute(statement(name).encode())).fetchall()


async def _row(session: Session, question: str) -> tuple[Any, ...]:
    row = await (await session.execute(question.encode())).fetchone()
    return row or ()


async def _value(session: Session, question: str) -> Any:  # noqa: ANN401 - of whatever type the question asks for
    return (await _row(session, question))[0]
