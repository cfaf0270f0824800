"""Whether a set can be restored into the live server, found out before anything is made there."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from atomops.backup.access import Access
from atomops.change.lock import SPACE, apart_from
from atomops.facts.backup import Manifest, Obstacle
from atomops.humane import size
from atomops.inventory import Changes
from atomops.probes.postgres.connect import Session
from atomops.restore.choosing import Programs
from atomops.restore.databases import Live, left_over
from atomops.restore.sessions import restoring_session

ROOM = 1.3  # times the original's size: the copy, its write-ahead log, and sorting for its indexes
_LOCAL = ("localhost", "127.0.0.1", "::1")
_LOOK_SECONDS = 30
_ANYBODY = frozenset({"pg_database_owner"})  # nobody is a member, whoever owns the database is
_SCHEMA = """
    SELECT has_database_privilege(current_database(), 'CREATE'), EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)
"""
_FOLDER = """
    SELECT pg_has_role('pg_read_all_settings', 'USAGE'),
           (SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname = %s)
"""
_ME = "SELECT rolname::text, rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user"
_ROLES = """
    SELECT wanted, rolname IS NOT NULL,
           CASE WHEN rolname IS NULL THEN false
           ELSE pg_has_role(wanted, 'USAGE') AND pg_has_role(wanted, {set_role}) END
    FROM unnest(%s::text[]) AS wanted LEFT JOIN pg_roles ON rolname = wanted ORDER BY 1
"""
_SET_ROLE_SINCE = 160_000  # PostgreSQL's version number; before, every member may become the role
_EXTENSIONS = """
    SELECT wanted, available.name IS NOT NULL, coalesce((SELECT (to_jsonb(version) ->> 'trusted')::bool
        FROM pg_available_extension_versions AS version
        WHERE version.name = wanted AND version.version = available.default_version), false)
    FROM unnest(%s::text[]) AS wanted LEFT JOIN pg_available_extensions AS available ON available.name = wanted
"""
_UNENDABLE = """
    SELECT DISTINCT rolname::text, rolsuper FROM pg_stat_activity JOIN pg_roles ON pg_roles.oid = usesysid
    WHERE datname = %s AND pid <> pg_backend_pid()
      AND (rolsuper OR NOT (pg_has_role(usesysid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE')))
      AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    ORDER BY 1
"""
_ELSEWHERE = """
    SELECT 'the prepared transaction ' || gid, format('COMMIT PREPARED %%L, or ROLLBACK PREPARED %%L', gid, gid)
    FROM pg_prepared_xacts WHERE database = %(name)s
"""
_OUR_LOCK = """
    SELECT usename::text FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND classid = %s AND database = (SELECT oid FROM pg_database WHERE datname = %s)
"""
_FOLLOWERS = """
    SELECT 'the replication slot ' || slot_name FROM pg_replication_slots WHERE database = %(name)s
    UNION ALL SELECT 'the subscription ' || subname FROM pg_subscription
        JOIN pg_database ON pg_database.oid = subdbid WHERE datname = %(name)s
"""


async def obstacles(
    session: Session, manifest: Manifest, live: Live | None, swapped: Live | None, target: str
) -> tuple[Obstacle, ...]:
    """All that stands in the way, each with the statement that removes it. Reads only.

    `live` is what the copy is made beside, `swapped` what it is to be exchanged with, if anything.
    """
    me, is_superuser, may_create = await _one(session, _ME)
    found = [each async for each in _missing(session, manifest, live, is_superuser=bool(is_superuser))]
    found += _versions(session.info.server_version, manifest)
    found += await _disk(session, manifest, live, target)
    if not is_superuser and not may_create:
        reason = "our role may not create databases"
        found.append(Obstacle(str(me), reason, f'ALTER ROLE "{me}" CREATEDB'))
    return (*found, *(await exchange_obstacles(session, swapped)))


async def exchange_obstacles(session: Session, live: Live | None) -> tuple[Obstacle, ...]:
    """What would keep the live database from being renamed."""
    if live is None:
        return ()
    (me, is_superuser, may_create), found = await _one(session, _ME), list[Obstacle]()
    owned = await _one(session, "SELECT pg_has_role(%s, 'USAGE')", live.owner)
    if not is_superuser and not (owned[0] and may_create):
        remedy = f'GRANT "{live.owner}" TO "{me}"; ALTER ROLE "{me}" CREATEDB'
        found.append(Obstacle(live.name, "only its owner, who may create databases, may rename it", remedy))
    for user, is_super in await _rows(session, _UNENDABLE, live.name):
        ending = "set changes.dsn to a superuser" if is_super else f'GRANT pg_signal_backend TO "{me}"'
        found.append(Obstacle(f"a session of {user}", "our role may not end it", ending))
    for thing, how in await _rows(session, _ELSEWHERE, {"name": live.name}):
        found.append(Obstacle(str(thing), "a database with one cannot be renamed", str(how)))
    for (user,) in await _rows(session, _OUR_LOCK, SPACE, live.name):
        remedy = f'GRANT CONNECT ON DATABASE {apart_from(live.name)} TO "{user}"'
        found.append(Obstacle("the lock of this change", f"it is held in {live.name} itself", remedy))
    return tuple(found)


async def schema_obstacles(live: Access, changes: Changes, schema: str, programs: Programs) -> list[Obstacle]:
    """What would keep chosen tables from the live database."""
    found = []
    if programs.goes_on:
        reason = f"{programs.installation} cannot restore all or nothing into an older server"
        remedy = "set backups.postgres_bin to programs of the server's version, and take another backup"
        found.append(Obstacle("pg_restore", reason, remedy))
    async with restoring_session(live, changes, seconds=_LOOK_SECONDS) as session:
        may, there = await _one(session, _SCHEMA, schema)
    if not may:
        found.append(Obstacle(live.database, "our role may not create a schema", "GRANT CREATE ON DATABASE to it"))
    if there:
        remedy = f'DROP SCHEMA "{schema}" CASCADE, or ALTER SCHEMA "{schema}" RENAME TO ...'
        found.append(Obstacle(f"the schema {schema}", "an earlier restore of this set has made it", remedy))
    return found


async def missing_tablespaces(session: Session, manifest: Manifest) -> tuple[str, ...]:
    """Those of the original's server that this one does not have."""
    here = {str(name) for (name,) in await _rows(session, "SELECT spcname::text FROM pg_tablespace")}
    return tuple(each.partition(": ")[0] for each in manifest.origin.tablespaces if each.partition(": ")[0] not in here)


async def followers(session: Session, live: Live) -> tuple[str, ...]:
    """What follows the live database's inner number, not its name, and so stays with the replaced one."""
    return tuple(str(thing) for (thing,) in await _rows(session, _FOLLOWERS, {"name": live.name}))


async def _missing(
    session: Session, manifest: Manifest, live: Live | None, *, is_superuser: bool
) -> AsyncIterator[Obstacle]:
    origin = manifest.origin
    may_become = "'SET'" if session.info.server_version >= _SET_ROLE_SINCE else "'MEMBER'"
    owner = live.owner if live else origin.owner
    roles, owners = {*origin.roles, owner} - {""}, {*origin.owners, owner} - _ANYBODY
    for role, exists, is_member in await _rows(session, _ROLES.format(set_role=may_become), sorted(roles)):
        if not exists:
            remedy = f'CREATE ROLE "{role}"; the set\'s roles.sql has it as it was'
            yield Obstacle(f"the role {role}", "the set needs it, and the server does not have it", remedy)
        elif not is_superuser and not is_member and role in owners:
            remedy = f'GRANT "{role}" TO CURRENT_USER'
            yield Obstacle(f"the role {role}", "our role may not give it what it owned", remedy)
    for extension, exists, is_trusted in await _rows(session, _EXTENSIONS, list(origin.extensions)):
        if not exists:
            remedy = f"install the package of {extension} {origin.extensions[str(extension)]} on the server"
            yield Obstacle(f"the extension {extension}", "the server has no files of it", remedy)
        elif not (is_superuser or is_trusted or extension == "plpgsql"):
            yield Obstacle(
                f"the extension {extension}", "only a superuser may create it", "set changes.dsn to a superuser"
            )


def _versions(server_version: int, manifest: Manifest) -> Iterator[Obstacle]:
    here, there = server_version // 10_000, manifest.origin.major
    if here < there:
        reason = f"it was dumped from PostgreSQL {there}, the server is {here}"
        yield Obstacle(manifest.id, reason, f"restore it into PostgreSQL {there} or newer")


async def _disk(session: Session, manifest: Manifest, live: Live | None, target: str) -> list[Obstacle]:
    """Only of a server on this machine whose folder we may know; else nobody can tell from here.

    What a killed restore has left is gone before anything is made.
    """
    folder = await data_folder(session, live.tablespace if live else "")
    if folder is None:
        return []
    wanted = manifest.origin.bytes * ROOM
    left = await left_over(session, live.name, target) if live else ()
    free = shutil.disk_usage(folder).free + sum(each.bytes or 0 for each in left)
    if free >= wanted:
        return []
    reason = f"a restore needs about {size(wanted)}, {size(free)} are free there"
    return [Obstacle(f"the disk of {folder}", reason, "free some space, or enlarge that disk")]


async def data_folder(session: Session, tablespace: str) -> Path | None:
    """Where the server keeps that tablespace, when it runs on this machine and we may know."""
    host = str(conninfo_to_dict(session.info.dsn).get("host") or session.info.host or "")
    if host not in _LOCAL and not host.startswith("/"):
        return None
    may, folder = await _one(session, _FOLDER, tablespace)
    if not may:
        return None
    if not folder:
        (folder,) = await _one(session, "SELECT current_setting('data_directory')")
    place = Path(str(folder))
    return next((each for each in (place, *place.parents) if _is_seen(each)), None)


def _is_seen(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


async def _one(session: Session, statement: str, *values: object) -> tuple[object, ...]:
    return await (await session.execute(statement.encode(), values)).fetchone() or ()


async def _rows(session: Session, statement: str, *values: object) -> list[tuple[object, ...]]:
    given = values[0] if values and isinstance(values[0], dict) else values
    return await (await session.execute(statement.encode(), given)).fetchall()
