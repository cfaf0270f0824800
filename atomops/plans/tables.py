"""Chosen tables of a set: which of its entries they are, and what of its contents. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from atomops.facts.backup import Contents, TableContent

_ENTRY = re.compile(r"^\d+; \d+ \d+ (?P<rest>.*)$")
_ROWS = "TABLE DATA "
_PART = r'(?:"(?:[^"]|"")+"|[^".]+)'
_QUALIFIED = re.compile(rf"(?:(?P<schema>{_PART})\.)?(?P<name>{_PART})")
_NO_LARGE_OBJECTS = TableContent(0)
_NEEDLESS = (  # other rows, and what is built upon all rows, or refers to them
    *("TABLE DATA ", "SEQUENCE SET ", "BLOB ", "BLOBS ", "BLOB METADATA ", "MATERIALIZED VIEW DATA ", "CONSTRAINT "),
    *("CHECK CONSTRAINT ", "FK CONSTRAINT ", "INDEX ", "INDEX ATTACH ", "TRIGGER ", "RULE ", "EVENT TRIGGER "),
    *("PUBLICATION ", "STATISTICS ", "POLICY ", "ROW SECURITY ", "SUBSCRIPTION ", "COMMENT ", "SECURITY LABEL "),
)


def definitions_of(contents: str) -> str:
    """The lines of an archive's table of contents that make every table, and what tables are made of."""
    return _lines(each for each in contents.splitlines() if not _rest(each).startswith(_NEEDLESS))


def rows_of(contents: str, names: Iterable[str]) -> str:
    """The lines that are the rows of these tables, whose names are as the manifest has them.

    A line ends with its owner, and quotes nothing: one may be taken too many, where a name is the beginning of another.
    """
    wanted = tuple(f"{_ROWS}{_as_listed(name)} " for name in names)
    return _lines(each for each in contents.splitlines() if _rest(each).startswith(wanted))


def _rest(line: str) -> str:
    match = _ENTRY.match(line)
    return match["rest"] if match else ""


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines if line and not line.startswith(";"))


def _as_listed(name: str) -> str:
    return re.sub(r"[\r\n]", " ", " ".join(_parts(name)))


def only(contents: Contents, names: Sequence[str]) -> Contents:
    """Nothing but these tables."""
    held = {name: content for name, content in contents.tables.items() if name in names}
    return replace(contents, tables=held, sequences={}, objects={}, large_objects=_NO_LARGE_OBJECTS, left_out={})


def full_names(tables: Sequence[str], held: Mapping[str, object]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names as the manifest has them (quoted where SQL needs it, with the schema), and those it does not have.

    A name without a schema is one of `public`, else the only one of that name.
    """
    found = {table: _full_name(table, held) for table in tables}
    known = tuple(dict.fromkeys(name for name in found.values() if name))
    return known, tuple(table for table, name in found.items() if not name)


def same_names(tables: Iterable[str]) -> tuple[str, ...]:
    """The names, without their schemas, that more than one of the tables has: one schema cannot hold them."""
    counted = Counter(_parts(table)[1] for table in tables)
    return tuple(name for name, number in counted.items() if number > 1)


def _full_name(table: str, held: Mapping[str, object]) -> str:
    schema, name = _parts(table)
    matches = {_parts(each)[0]: each for each in held if _parts(each)[1] == name}
    if schema:
        return matches.get(schema, "")
    return matches.get("public") or (next(iter(matches.values())) if len(matches) == 1 else "")


def _parts(table: str) -> tuple[str, str]:
    """Schema (or "") and name, as they are without quotes."""
    match = _QUALIFIED.fullmatch(table)
    if match is None:
        return "", table
    schema, name = match["schema"] or "", match["name"]
    return _unquoted(schema), _unquoted(name)


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
