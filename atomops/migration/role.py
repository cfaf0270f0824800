"""The role that migrates, as the database knows it, made again on the server of the rehearsal.

So that a right that is missing is missing there too, and names are looked for in the same schemas.
"""

from dataclasses import dataclass

import psycopg
from psycopg import errors, sql

from atomops.backup.access import Access
from atomops.backup.scratch import Scratch, session
from atomops.migration.session import looking
from atomops.probes.postgres.connect import Session

_QUOTED_LISTS = {"search_path", "local_preload_libraries", "session_preload_libraries", "temp_tablespaces"}
_ROLE = """
    SELECT current_user::text, rolsuper, pg_get_userbyid(datdba)::text,
           has_database_privilege(current_database(), 'CREATE'),
           ARRAY(SELECT each.rolname::text FROM pg_roles AS each
                 WHERE pg_has_role(current_user, each.oid, 'MEMBER') AND each.rolname <> current_user
                   AND each.rolname !~ '^pg_' AND NOT pg_roles.rolsuper)
    FROM pg_roles, pg_database
    WHERE pg_roles.rolname = current_user AND datname = current_database()
"""
_SETTINGS = "SELECT name, setting FROM pg_settings WHERE source IN ('database', 'user', 'database user')"


@dataclass(frozen=True)
class Role:
    """Who migrates: what it is a member of, who owns the database, and the settings that its sessions begin with."""

    name: str
    is_superuser: bool
    owner: str
    may_create: bool
    member_of: tuple[str, ...]
    settings: tuple[tuple[str, str], ...]


async def role_of(access: Access) -> Role:
    """The role of that access. Raises what connecting raises."""
    async with looking(access) as there:
        row = await (await there.execute(_ROLE)).fetchone()
        settings = await (await there.execute(_SETTINGS)).fetchall()
    name, is_superuser, owner, may_create, member_of = row or ("", False, "", False, [])
    groups = tuple(map(str, member_of)) if isinstance(member_of, list) else ()
    told = tuple((str(key), str(value)) for key, value in settings)
    return Role(str(name), bool(is_superuser), str(owner), bool(may_create), groups, told)


async def made_alike(role: Role, scratch: Scratch, copy: Access) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The settings by which a session in the copy becomes that role, and notes on what differs.

    On a server that is not our own no roles are made: there it is the superuser who rehearses.
    """
    async with session(copy) as own:
        await _settle(own, role, copy.database)
        if role.is_superuser:
            return (), ()
        if not scratch.is_own:
            return (), ("it was rehearsed as superuser: whether the role may do it is not known",)
        for name in (role.name, role.owner, *role.member_of):
            await _made(own, sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))
        for group in role.member_of:
            await _made(own, sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(role.name)))
        database, me = sql.Identifier(copy.database), sql.Identifier(role.name)
        await own.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, sql.Identifier(role.owner)))
        if role.may_create:
            await own.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, me))
    return (f"role={_escaped(role.name)}",), ()


async def _settle(own: Session, role: Role, database: str) -> None:
    for name, value in role.settings:
        written = sql.SQL(value) if name in _QUOTED_LISTS else sql.Literal(value)
        setting = sql.SQL("ALTER DATABASE {} SET {} TO {}").format(
            sql.Identifier(database), sql.Identifier(name), written
        )
        await _made(own, setting)


async def _made(own: Session, statement: sql.Composed) -> None:
    """Unless it is there already, or this server knows no such thing."""
    try:
        await own.execute(statement)
    except (errors.DuplicateObject, errors.UndefinedObject, errors.InvalidParameterValue, errors.ReservedName):
        return
    except psycopg.Error as error:  # a circular grant, which the original cannot have either
        if not isinstance(error, errors.InvalidGrantOperation):
            raise


def _escaped(value: str) -> str:
    """As PGOPTIONS wants it."""
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
