"""What a plain restore loses of a database: its own settings, and who may do what with it."""

import psycopg
from psycopg import errors, sql

from atomops.facts.backup import Origin
from atomops.plans.settings import Setting, setting_of
from atomops.probes.postgres.connect import Session
from atomops.restore.sessions import words

_PRIVILEGES = """
    SELECT CASE grantee WHEN 0 THEN NULL ELSE pg_get_userbyid(grantee)::text END, privilege_type, is_grantable
    FROM aclexplode(%s::aclitem[])
"""


def setting_statements(database: str, origin: Origin) -> tuple[sql.Composed, ...]:
    """One for each setting of the original's own."""
    return tuple(_set(database, setting_of(each)) for each in origin.settings)


def _set(database: str, setting: Setting) -> sql.Composed:
    whose = sql.SQL("DATABASE {}").format(sql.Identifier(database))
    if setting.role:
        whose = sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(setting.role), sql.Identifier(database))
    parameter = sql.SQL(".").join(map(sql.Identifier, setting.name.split(".")))
    values = sql.SQL(", ").join(map(sql.Literal, setting.values))
    return sql.SQL("ALTER {} SET {} TO {}").format(whose, parameter, values)


async def grant_statements(session: Session, database: str, origin: Origin) -> tuple[sql.Composed, ...]:
    """Exactly these rights; nobody has others than its owner's. None where a role of them does not exist here."""
    if not origin.grants:
        return ()
    name = sql.Identifier(database)
    try:
        rights = await (await session.execute(_PRIVILEGES, [list(origin.grants)])).fetchall()
    except errors.UndefinedObject:
        return ()
    return (sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name), *(_grant(name, *each) for each in rights))


def _grant(database: sql.Identifier, grantee: object, privilege: object, is_grantable: object) -> sql.Composed:
    to = sql.SQL("PUBLIC") if grantee is None else sql.Identifier(str(grantee))
    option = sql.SQL(" WITH GRANT OPTION") if is_grantable and grantee is not None else sql.SQL("")
    right = sql.SQL(str(privilege))  # one of PostgreSQL's own words
    return sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(right, database, to, option)


async def give_settings(session: Session, statements: tuple[sql.Composed, ...]) -> tuple[str, ...]:
    """The database has the settings; what it could not be given is told."""
    lost = []
    for statement in statements:
        try:
            await session.execute(statement)
        except psycopg.Error as error:
            lost.append(f"{statement.as_string(session)}: {words(error)}")
    return tuple(lost)
