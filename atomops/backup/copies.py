"""Copies on a server that is set apart for proofs: whose each one is, and what proofs that were killed have left there.

A proof holds a session that bears the name of its copy for as long as it runs, so a copy without one is nobody's. A
role that was made for a proof says so in its comment.
"""

import contextlib
import secrets

import psycopg
from psycopg import errors, sql

from atomops.backup.access import who_we_are
from atomops.probes.postgres.connect import Session

PREFIX = "atomops_proof_"
_NAME = f"^{PREFIX}[0-9a-f]{{8}}$"
_NOBODYS = """
    SELECT copy.datname FROM pg_database AS copy
    WHERE copy.datname ~ %(name)s AND pg_has_role('pg_read_all_stats', 'USAGE') AND NOT EXISTS
          (SELECT FROM pg_stat_activity AS used WHERE copy.datname IN (used.application_name, used.datname))
    ORDER BY copy.datname
"""
_ROLES = """
    SELECT rolname FROM pg_roles
    WHERE shobj_description(oid, 'pg_authid') ~ %(name)s AND pg_has_role('pg_read_all_stats', 'USAGE') AND NOT EXISTS
          (SELECT FROM pg_stat_activity WHERE application_name ~ %(name)s AND application_name <> %(own)s)
"""


def new_name() -> str:
    """The name of a copy, and of the session that is to be held while it is used."""
    return f"{PREFIX}{secrets.token_hex(4)}"


async def explain(own: Session, name: str) -> None:
    """Whoever comes upon the copy reads what it is."""
    told = f"a proof of Atom Ops on {who_we_are()}; when nobody is connected, the next proof removes it"
    await own.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(told)))


async def create_role(own: Session, role: str, copy: str, *, is_superuser: bool) -> None:
    """It is there, without login. Only a superuser may own an event trigger or a foreign-data wrapper."""
    attributes = sql.SQL("SUPERUSER" if is_superuser else "NOSUPERUSER")
    names = {"role": sql.Identifier(role), "copy": sql.Literal(copy), "attributes": attributes}
    with contextlib.suppress(errors.DuplicateObject, errors.ReservedName):
        async with own.transaction():
            await own.execute(sql.SQL("CREATE ROLE {role} NOLOGIN {attributes}").format(**names))
            await own.execute(sql.SQL("COMMENT ON ROLE {role} IS {copy}").format(**names))


async def remove(own: Session, name: str) -> None:
    """The copy is gone, and so are the roles that were made for proofs, unless another one is still running."""
    await own.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    await _remove_roles(own, name)


async def sweep(own: Session) -> tuple[str, ...]:
    """The copies that nobody uses any more, removed with their roles, and named. What cannot be removed stays."""
    gone = []
    with contextlib.suppress(psycopg.Error):
        for (name,) in await (await own.execute(_NOBODYS, {"name": _NAME})).fetchall():
            with contextlib.suppress(psycopg.Error):  # somebody looks at it after all
                await own.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(str(name))))
                gone.append(str(name))
        await _remove_roles(own, "")
    return tuple(gone)


async def _remove_roles(own: Session, name: str) -> None:
    for (role,) in await (await own.execute(_ROLES, {"name": _NAME, "own": name})).fetchall():
        with contextlib.suppress(psycopg.Error):  # somebody has given it something meanwhile
            await own.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(str(role))))
