"""How the database that is backed up is reached: by our own sessions, and by PostgreSQL's programs."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from atomops.errors import InventoryError, NotThere
from atomops.inventory import Backups, Postgres, Target
from atomops.probes.postgres.connect import Session
from atomops.secret import Secret

APPLICATION_NAME = "atomops-backup"
NOTICE_OUR_END = {"client_connection_check_interval": "5s"}  # or a long question goes on after a kill -9 of ours
_CLIENT_CHECK_SINCE = 140_000  # PostgreSQL's version number


@dataclass(frozen=True)
class Access:
    """One database of a server. `conninfo` holds no password, so that it may stand in a command line."""

    conninfo: str
    database: str
    password: str | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """Server and database as a person would name them."""
        parts = conninfo_to_dict(self.conninfo)
        return f"PostgreSQL {parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{self.database}"

    def to(self, database: str) -> "Access":
        """Another database of the same server."""
        return Access(make_conninfo(self.conninfo, dbname=database), database, self.password)

    def environment(self, *, server_version: int, timeout: float) -> Mapping[str, str]:
        """What PostgreSQL's programs are given besides the connection string; the password stands nowhere else.

        The server looks now and then whether we are still there, so that no backend outlives a kill -9 of ours in a
        wait for a lock.
        """
        checks = " -c client_connection_check_interval=5s" if server_version >= _CLIENT_CHECK_SINCE else ""
        settings = {
            "PGAPPNAME": APPLICATION_NAME,
            "PGCONNECT_TIMEOUT": str(max(2, round(timeout))),
            "PGOPTIONS": f"-c idle_in_transaction_session_timeout=0{checks}",
        }
        return settings | ({"PGPASSWORD": self.password} if self.password is not None else {})


def access_of(target: Target) -> Access:
    """The database of `backups.dsn`, else of `postgres.dsn`. Raises InventoryError without either."""
    return access_by(reading(target), target.name)


def changing(target: Target) -> Access:
    """The database of `postgres.dsn` through the role of `changes.dsn`, which may change it; default: its own role.

    An administrator's dsn often names another database, such as postgres: that is not the one that is meant.
    """
    changes, base = target.changes, target.postgres
    if changes.dsn is None and base is None:
        action = "add changes.dsn, or [targets.….postgres], to the inventory"
        raise InventoryError(f"the target {target.name} has no database to change", action=action)
    if changes.dsn is None:
        return access_by(reading(target), target.name)
    own = {"password": changes.password}  # copied, since validating it again would unread it
    access = access_by(Postgres(dsn=changes.dsn).model_copy(update=own), target.name)
    if base is None:
        return access
    return access.to(access_by(base, target.name).database)


def access_by(settings: Postgres, target: str) -> Access:
    """The settings as PostgreSQL's own programs take them. Raises InventoryError."""
    try:
        parts = conninfo_to_dict(settings.dsn)
    except psycopg.ProgrammingError as error:
        raise InventoryError(f"the dsn of {target} cannot be read: {error}") from None
    password = settings.password.reveal() if settings.password else os.environ.get("PGPASSWORD")
    database = str(parts.get("dbname") or parts.get("user") or "postgres")
    return Access(make_conninfo(settings.dsn, dbname=database), database, password)


def reading(target: Target) -> Postgres:
    """How our own sessions read the database: as `postgres` says, with the role and patience of `backups`, if any."""
    backups = target.backups
    dsn = backups.dsn if backups else None
    base = target.postgres or (Postgres(dsn=dsn) if dsn else None)
    if base is None:
        raise InventoryError(
            f"the target {target.name} has no database", action="add [targets.….postgres] to the inventory"
        )
    own: dict[str, str | Secret | float | None] = {"statement_timeout": backups.deadline} if backups else {}
    if backups and backups.dsn:
        own |= {"dsn": backups.dsn, "password": backups.password}
    return base.model_copy(update=own)


def backups_of(target: Target) -> Backups:
    """The target's settings for backups. Raises NotThere when it has none."""
    if target.backups is None:
        action = "add [targets.….backups] with store = a folder, or s3://bucket/prefix"
        raise NotThere(f"the target {target.name} has no backups", action=action)
    return target.backups


def in_database(settings: Postgres, access: Access) -> Postgres:
    """The same settings, for that database."""
    return settings.model_copy(update={"dsn": access.conninfo})


async def set_if_known(session: Session, wanted: Mapping[str, str]) -> None:
    """For the rest of the session; what the server's version does not have is left out."""
    question = "SELECT set_config(name, %s, false) FROM pg_settings WHERE name = %s"
    for name, value in wanted.items():
        await session.execute(question, [value, name])


def who_we_are() -> str:
    """Host and process, for whoever wonders who holds what."""
    return f"{socket.gethostname()} pid {os.getpid()}"
