"""Whether a backup can be made at all, found out before anything is written."""

from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage

import psycopg

from atomops.backup.access import Access, access_of, backups_of, in_database, reading
from atomops.backup.encryption import validate_recipients
from atomops.change.lock import MAINTENANCE
from atomops.errors import AccessDenied, AtomOpsError, NotThere
from atomops.facts.backup import Obstacle
from atomops.inventory import Backups, Postgres, Target
from atomops.probes.contents import obstacles
from atomops.probes.postgres.connect import Session
from atomops.probes.postgres.session import connection_error, read_only_session
from atomops.scratch.installations import Installation, client_for, installations, server_for, shared_codec
from atomops.verdict import Unseen

EVERY = "*"
_DATABASES = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname"
_SHOWN = 3  # obstacles in the error's own sentence; the report shows them all


class Obstructed(AccessDenied):
    """Our role may not read everything: half a backup is none. Carries each obstacle with its remedy."""

    def __init__(self, access: Access, found: tuple[Obstacle, ...]) -> None:
        shown = "; ".join(f"{each.thing}: {each.reason}" for each in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        remedies = " ".join(dict.fromkeys(each.remedy for each in found[:_SHOWN]))
        super().__init__(f"{access.address} cannot be dumped whole: {shown}{more}", action=remedies)
        self.obstacles = found


@dataclass(frozen=True)
class Tools:
    """The programs that dump, those that restore (None: nothing here can), and the compression that both know."""

    client: Installation
    server: Installation | None
    codec: str

    def __str__(self) -> str:
        restoring = f"; restoring with {self.server}" if self.server else ""
        return f"PostgreSQL {self.client}, {self.codec}{restoring}"


@dataclass(frozen=True)
class Plan:
    """What is to be backed up, and with what. `server_version` is PostgreSQL's number, such as 170010."""

    target: str
    settings: Backups
    reading: Postgres
    databases: tuple[Access, ...]
    tools: Tools
    server_version: int

    def session_settings(self, access: Access) -> Postgres:
        """How our own sessions read that database."""
        return in_database(self.reading, access)


async def plan_backup(target: Target) -> Plan:
    """The databases that are there and the programs that fit them.

    Raises NotThere (no database of that name, no pg_dump, or only older ones), InventoryError for a recipient that is
    none, and whatever connecting raises.
    """
    settings, access = backups_of(target), access_of(target)
    if settings.recipients:
        validate_recipients(settings.recipients)
    names = settings.databases or (access.database,)
    version, there = await _look(reading(target), access)
    wanted = list(dict.fromkeys(database for name in names for database in _named(name, there)))
    tools = await tools_for(settings, version // 10_000)
    return Plan(target.name, settings, reading(target), tuple(access.to(name) for name in wanted), tools, version)


async def examine(plan: Plan, access: Access) -> None:
    """Our role can read everything of that database. Raises Obstructed naming each grant that is missing."""
    async with read_only_session(plan.session_settings(access)) as session:
        found = await _asked(session, access)
    if found:
        raise Obstructed(access, found)


async def reach(target: Target) -> tuple[Unseen, ...]:
    """What stands in the way of a backup, without making one: grants, and programs to restore with.

    Raises what `plan_backup` raises.
    """
    plan = await plan_backup(target)
    found: list[Unseen] = []
    for access in plan.databases:
        async with read_only_session(plan.session_settings(access)) as session:
            hidden = await _asked(session, access)
        found += (Unseen(f"{access.database}: {each.thing}: {each.reason}", each.remedy) for each in hidden)
    if plan.tools.server is None and not plan.settings.scratch_dsn:
        reason = f"backups cannot be proven here: no server of PostgreSQL {plan.tools.client.major} or newer"
        found.append(Unseen(reason, f"install postgresql-{plan.tools.client.major}, or set backups.scratch_dsn"))
    return tuple(found)


async def _asked(session: Session, access: Access) -> tuple[Obstacle, ...]:
    try:
        return await obstacles(session)
    except psycopg.Error as error:
        raise connection_error(error, access.address) from None


async def _look(settings: Postgres, access: Access) -> tuple[int, list[str]]:
    """The server's version number and its databases, asked in whichever database lets us in."""
    try:
        async with read_only_session(in_database(settings, access)) as session:
            return await _databases(session)
    except (NotThere, AccessDenied):
        async with read_only_session(in_database(settings, access.to(MAINTENANCE))) as session:
            return await _databases(session)


async def _databases(session: Session) -> tuple[int, list[str]]:
    rows = await (await session.execute(_DATABASES)).fetchall()
    return session.info.server_version, [str(row[0]) for row in rows]


def _named(name: str, there: list[str]) -> list[str]:
    """That database; for "*" all, where the maintenance one is left to itself when others are there."""
    if name == EVERY:
        return [each for each in there if each != MAINTENANCE] or there
    if name not in there:
        raise NotThere(f"no database is called {name}", action=f"check backups.databases; there are {', '.join(there)}")
    return [name]


async def tools_for(settings: Backups, server_major: int) -> Tools:
    """Programs that dump a server of that version, and restore what they have dumped. Raises NotThere."""
    found = await installations(settings.postgres_bin)
    client = client_for(server_major, found)
    try:
        others = found if settings.postgres_bin is None else (*found, *await installations(None))
    except AtomOpsError:
        others = found
    server = server_for(client, others)
    return Tools(client, server, await shared_codec(client, server, settings.compression))


def free_bytes(folder: Path) -> int:
    """What an unprivileged user may still write below the folder, or below the nearest one that exists."""
    place = next(each for each in (folder, *folder.parents) if each.exists())
    return disk_usage(place).free
