"""What is there to vacuum: the server, its relations with our rights to them, and the disks that FULL would fill."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from atomops.backup.access import Access, changing
from atomops.change.session import changing_session
from atomops.errors import NotThere, PermanentError
from atomops.facts.vacuum import Relation, TableState
from atomops.inventory import Host, Target
from atomops.plans.vacuum import MAINTAIN_SINCE, Options, Wish, obstacle, steps
from atomops.plans.vacuum_choice import choose
from atomops.probes import capacity
from atomops.probes.attempt import attempt
from atomops.probes.postgres.application import recognise
from atomops.probes.postgres.connect import Session
from atomops.profiles import candidates
from atomops.profiles.profile import Profile
from atomops.vacuum.watch import question
from atomops.verdict import Unseen

LOOK_SECONDS = 60
_OWN = "pg_has_role(own.relowner, 'USAGE')"
_MAINTAIN = "has_table_privilege(own.oid, 'MAINTAIN')"  # an owner has it too, unless it was revoked
_SERVER = """
    SELECT current_user::text, pg_is_in_recovery(), current_setting('server_version'), current_schemas(false)::text[]
"""
_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Server:
    """Where we are, as whom. `path` are the schemas in which names without one are looked for."""

    role: str
    version: int
    told_version: str
    path: tuple[str, ...]


async def server_of(session: Session, access: Access) -> Server:
    """The server that is to be vacuumed. Raises PermanentError for a standby, where nobody can."""
    row = await (await session.execute(_SERVER)).fetchone()
    role, is_standby, told, path = row or ("", False, "", [])
    if is_standby:
        action = "let changes.dsn name the primary: what is vacuumed there reaches every standby"
        raise PermanentError(f"{access.address} is a standby, where nothing can be vacuumed", action=action)
    schemas = tuple(map(str, path)) if isinstance(path, list) else ()
    return Server(str(role), session.info.server_version, str(told), schemas)


async def default_tables(session: Session, target: Target) -> tuple[str, ...]:
    """The tables that the profile names. Raises NotThere when it names none, or none of its tables is there."""
    profile = await recognise(session, candidates(target.profile))
    if not isinstance(profile, Profile):
        raise NotThere(profile.reason, action=f"{profile.action}; or name the tables in `tables`")
    if not profile.vacuum:
        action = 'give it vacuum = ["..."], or name the tables in `tables`'
        raise NotThere(f"the profile {profile.name} names no tables to vacuum", action=action)
    return profile.vacuum


async def relations_of(session: Session) -> tuple[Relation, ...]:
    """Every relation of the database."""
    right = _MAINTAIN if session.info.server_version >= MAINTAIN_SINCE else _OWN
    async with session.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(question("relations", right=right))
        rows = await cursor.fetchall()
    own = TableState.__dataclass_fields__.keys()
    return tuple(
        Relation(
            **{name: value for name, value in row.items() if name not in own},
            state=TableState(**{name: value for name, value in row.items() if name in own}),
        )
        for row in rows
    )


async def disks_of(
    target: Target, access: Access, session: Session, locations: Iterable[str]
) -> Mapping[str, tuple[str, float | Unseen]]:
    """For each folder of a tablespace ("" is the data directory) the folder's name, and how much its disk has free."""
    folders = {location: location or await _data_directory(session) for location in set(locations)}
    there = [folder for folder in folders.values() if isinstance(folder, str)]
    free = await _free(target, access, there) if there else {}
    return {
        location: ("the server's disk", folder)
        if isinstance(folder, Unseen)
        else (f"the disk of {folder}", free[folder])
        for location, folder in folders.items()
    }


async def _data_directory(session: Session) -> str | Unseen:
    """Only members of pg_read_all_settings may know it."""
    asked = """
        SELECT CASE WHEN pg_has_role('pg_read_all_settings', 'usage') THEN current_setting('data_directory') END,
               current_user::text
    """
    row = await (await session.execute(asked)).fetchone()
    if row is None or row[0] is None:
        reason = "the server's disk is not known: the role may not see data_directory"
        return Unseen(reason, f'GRANT pg_read_all_settings TO "{row[1] if row else ""}";')
    return str(row[0])


async def _free(target: Target, access: Access, folders: Sequence[str]) -> dict[str, float | Unseen]:
    """By folder, asked of the node exporter that the inventory names, else of this machine if the server is on it."""
    host = target.host or Host(paths=(Path("/"),))
    if host.instance is None and not _is_here(access):
        unknown = Unseen("the disks of the database's server are not known here", "set host.instance in the inventory")
        return dict.fromkeys(folders, unknown)
    paths = tuple(Path(folder) for folder in folders)
    seen = await attempt(capacity.look(target.model_copy(update={"host": host.model_copy(update={"paths": paths})})))
    if isinstance(seen, Unseen):
        return dict.fromkeys(folders, seen)
    available = {each.mount: each.available for each in seen.file_systems}
    return {each.path: each.mount if isinstance(each.mount, Unseen) else available[each.mount] for each in seen.paths}


def _is_here(access: Access) -> bool:
    host = str(conninfo_to_dict(access.conninfo).get("host", ""))
    return not host or host.startswith("/") or host in _LOCAL


async def reach(target: Target) -> tuple[Unseen, ...]:
    """Which of the default tables our role may not vacuum, or are not there, each with what would help."""
    access = changing(target)
    async with changing_session(access, target.changes, statement_timeout=LOOK_SECONDS) as session:
        server = await server_of(session, access)
        relations = await relations_of(session)
        chosen = choose(Wish(), await default_tables(session, target), relations, server.path)
    planned = steps(chosen.relations, relations, Options(), server.version)
    found = [*chosen.refused, *(obstacle(step, server.role, server.version, None) for step in planned)]
    return tuple(Unseen(each.reason, each.action) for each in found if each)
