"""Which roles the database knows by itself, and which it would not let in."""

import re
from collections.abc import Sequence

from psycopg import sql

from atomops.administration.user_table import UserTable
from atomops.facts.user_role import KnownRoles
from atomops.probes.postgres.connect import Session

_MOST_ROLES = 100
_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_ENUM = """
    SELECT format('enum %%s', format_type(atttypid, NULL)) AS source, array_agg(enumlabel::text ORDER BY enumsortorder)
    FROM pg_attribute JOIN pg_enum ON enumtypid = atttypid
    WHERE attrelid = %s::oid AND attname = %s
    GROUP BY atttypid
"""
# Only constraints on that column alone: their expression can be tried for another value without any row.
_CONSTRAINTS = """
    SELECT conname::text, pg_get_expr(conbin, conrelid), format_type(atttypid, atttypmod)
    FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND conkey = ARRAY[attnum]
    WHERE conrelid = %s::oid AND attname = %s AND contype = 'c'
    ORDER BY conname
"""


async def known_roles(session: Session, table: UserTable) -> tuple[KnownRoles, ...]:
    """Every role that somebody knows: the profile, an enum, the application's own roles, and those in use."""
    users = table.users
    found = [KnownRoles(f"profile {table.profile}", users.roles)]
    for source, labels in await (await session.execute(_ENUM, [table.oid, users.role])).fetchall():
        found.append(KnownRoles(str(source), tuple(labels) if isinstance(labels, list) else (), binding=True))
    custom = users.custom_roles
    if custom and await _is_there(session, custom.table, custom.column):
        named = sql.SQL("SELECT DISTINCT {}::text FROM {} ORDER BY 1 LIMIT {}").format(
            sql.Identifier(custom.column), sql.Identifier(*custom.table.split(".")), sql.Literal(_MOST_ROLES)
        )
        found.append(KnownRoles(f"table {custom.table}", await _texts(session, named)))
    in_use = sql.SQL("SELECT DISTINCT {0}::text FROM {1} WHERE {0} IS NOT NULL ORDER BY 1 LIMIT {2}").format(
        sql.Identifier(users.role), table.identifier, sql.Literal(_MOST_ROLES)
    )
    found.append(KnownRoles("in use", await _texts(session, in_use)))
    return tuple(found)


async def _is_there(session: Session, table: str, column: str) -> bool:
    asked = """
        SELECT count(*) FROM pg_attribute
        WHERE attrelid = to_regclass(%s) AND attname = %s AND has_column_privilege(attrelid, attnum, 'SELECT')
    """
    named = sql.Identifier(*table.split(".")).as_string(None)
    row = await (await session.execute(asked, [named, column])).fetchone()
    return bool(row and row[0])


async def _texts(session: Session, statement: sql.Composed) -> tuple[str, ...]:
    rows = await (await session.execute(statement)).fetchall()
    return tuple(str(row[0]) for row in rows if row[0] is not None)


async def constraints(session: Session, table: UserTable, role: str) -> tuple[tuple[KnownRoles, ...], tuple[str, ...]]:
    """The roles that check constraints name and allow, and the constraints that would not let this one in.

    The server itself tries them, on a row of nothing else; no text of theirs is interpreted here.
    """
    rows = await (await session.execute(_CONSTRAINTS, [table.oid, table.users.role])).fetchall()
    known, broken = [], []
    for name, expression, kind in rows:
        source = f"check constraint {name}"
        named = [text.replace("''", "'") for text in _LITERAL.findall(str(expression))]
        allowed = await _allowed(session, table, str(expression), str(kind), [*named, role])
        known.append(KnownRoles(source, tuple(each for each in dict.fromkeys(named) if each in allowed)))
        broken += [] if role in allowed else [f"the {source}"]
    return tuple(known), tuple(broken)


async def _allowed(
    session: Session, table: UserTable, expression: str, kind: str, roles: Sequence[str]
) -> tuple[str, ...]:
    asked = sql.SQL(
        "SELECT tried_role FROM"
        " (SELECT one AS tried_role, CAST(one AS {}) AS {} FROM unnest({}::text[]) AS one) AS tried"
        " WHERE ({}) IS NOT FALSE"
    ).format(
        sql.SQL(kind),  # this and the expression are the catalogue's own texts
        sql.Identifier(table.users.role),
        sql.Literal(list(roles)),
        sql.SQL(expression),
    )
    return await _texts(session, asked)
