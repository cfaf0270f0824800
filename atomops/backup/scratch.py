"""A server on which a set can be restored without harm: of our own for the moment, or one that is set apart for it."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from atomops.backup import copies
from atomops.backup.access import Access, set_if_known
from atomops.backup.preflight import Tools
from atomops.errors import NotThere, PermanentError
from atomops.facts.backup import Origin
from atomops.inventory import Backups, Postgres
from atomops.probes.postgres.connect import Session, connect
from atomops.probes.postgres.session import connection_error
from atomops.scratch.postgres import postgres_server
from atomops.secret import Secret

OTHER_LOCALE = "restored in another locale than the original's"
_PROVIDED = {"i": "LOCALE_PROVIDER icu ICU_LOCALE {}", "b": "LOCALE_PROVIDER builtin BUILTIN_LOCALE {}"}
_PROVIDERS_SINCE = {"i": 150_000, "b": 170_000}  # PostgreSQL's version numbers
NO_SUCH_LOCALE = (
    errors.FeatureNotSupported,
    errors.WrongObjectType,
    errors.InvalidParameterValue,
    errors.InvalidObjectDefinition,
)
APPLICATION_NAME = "atomops-proof"
SUPERUSER = "atomops_scratch"  # a name that no set's roles.sql bears
_SETTINGS = {  # nothing here must survive a crash
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "16GB",  # a bound that is not reached: rows of a table made in the same transaction need no log
    "checkpoint_timeout": "1d",
    "autovacuum": "off",
    "jit": "off",
    "shared_buffers": "128MB",
    "maintenance_work_mem": "256MB",
    "work_mem": "64MB",
    "max_locks_per_transaction": "1024",
    "max_connections": "80",
}


@dataclass(frozen=True)
class Scratch:
    """A server whose superuser we are. `is_own` when it ends with us; `swept` is what killed proofs had left there."""

    access: Access
    server_version: int
    is_own: bool
    swept: tuple[str, ...] = ()

    @property
    def major(self) -> int:
        """Its major version."""
        return self.server_version // 10_000


@contextlib.asynccontextmanager
async def scratch_server(settings: Backups, tools: Tools, work: Path) -> AsyncIterator[Scratch]:
    """A running server. Raises NotThere when there are no programs to make one of, and what connecting raises."""
    if settings.scratch_dsn:
        password = settings.scratch_password.reveal() if settings.scratch_password else None
        database = str(conninfo_to_dict(settings.scratch_dsn).get("dbname") or "postgres")
        access = Access(make_conninfo(settings.scratch_dsn, dbname=database), database, password)
        async with session(access) as found:
            version, swept = found.info.server_version, await copies.sweep(found)
        yield Scratch(access, version, is_own=False, swept=swept)
        return
    if tools.server is None:
        action = f"install postgresql-{tools.client.major} or newer beside the client, or set backups.scratch_dsn"
        raise NotThere(f"no server programs of PostgreSQL {tools.client.major} or newer are here", action=action)
    jobs = {"max_parallel_maintenance_workers": str(settings.jobs)}
    with postgres_server(tools.server.bin.parent, work, settings=_SETTINGS | jobs, superuser=SUPERUSER) as server:
        with server.connect() as own:
            version = own.info.server_version
        yield Scratch(Access(make_conninfo(server.dsn()), "postgres", server.password), version, is_own=True)


@contextlib.asynccontextmanager
async def session(access: Access, name: str = APPLICATION_NAME) -> AsyncIterator[Session]:
    """A session of the superuser that bears the name. Raises what `connection_error` makes of a failure."""
    try:
        opened = await connect(
            access.conninfo, access.password, connect_timeout=10, application_name=name, options="-c timezone=UTC"
        )
    except psycopg.Error as error:
        raise connection_error(error, access.address) from None
    async with opened:
        yield opened


@contextlib.asynccontextmanager
async def empty_database(scratch: Scratch, origin: Origin) -> AsyncIterator[tuple[Access, list[str]]]:
    """A database for the set, with the roles that it needs, and notes on what differs from the original.

    On a server that is not our own both are removed again; should we be killed, the next proof there does it.
    """
    name = copies.new_name()
    async with session(scratch.access, name) as own:
        try:
            await set_if_known(own, {"idle_session_timeout": "0"})  # it stands for us as long as we use the copy
            notes = await _create(own, name, origin)
            await copies.explain(own, name)
            for role in origin.roles:
                await copies.create_role(own, role, name, is_superuser=role in origin.superusers)
            yield scratch.access.to(name), notes
        finally:
            if not scratch.is_own:
                async with session(scratch.access) as last:  # the first one may be broken by now
                    await copies.remove(last, name)


async def restored_bytes(scratch: Scratch) -> int:
    """How much the sets that are being restored there take by now."""
    question = "SELECT coalesce(sum(pg_database_size(oid)), 0)::bigint FROM pg_database WHERE datname LIKE %s"
    async with session(scratch.access) as own:
        row = await (await own.execute(question, [f"{copies.PREFIX}%"])).fetchone()
    return int(str(row[0])) if row else 0


async def missing_extensions(scratch: Scratch, origin: Origin) -> list[str]:
    """Those of the original that the server has no files of."""
    async with session(scratch.access) as own:
        rows = await (await own.execute("SELECT name FROM pg_available_extensions")).fetchall()
    return sorted(origin.extensions.keys() - {str(row[0]) for row in rows})


async def _create(own: Session, name: str, origin: Origin) -> list[str]:
    """In the original's locale where this server has it, since what is computed from text may depend on it."""
    said = ""
    for locale in locales(origin, own.info.server_version):
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} {}").format(
            sql.Identifier(name), sql.Literal(origin.encoding), locale
        )
        try:
            await own.execute(statement)
        except NO_SUCH_LOCALE as error:
            said = said or " ".join(str(error).split())
            continue
        return [f"{OTHER_LOCALE}: {said}"] if said else []
    raise PermanentError(f"no database for the proof could be made: {said}")


def locales(origin: Origin, server_version: int) -> Iterator[sql.Composed]:
    """Clauses of CREATE DATABASE: the original's own locale first, then what every server has."""
    known = server_version >= _PROVIDERS_SINCE.get(origin.locale_provider, 0)
    provided = sql.SQL(_PROVIDED.get(origin.locale_provider, "") if known else "")
    for locale in dict.fromkeys((origin.locale, "C")):
        libc = sql.SQL("LC_COLLATE {} LC_CTYPE {}").format(sql.Literal(locale), sql.Literal(locale))
        yield sql.SQL(" ").join([libc, provided.format(sql.Literal(origin.provider_locale))])
    if origin.locale_provider != "c":
        yield sql.SQL("LC_COLLATE 'C' LC_CTYPE 'C'").format()


def reading_settings(access: Access, deadline: float) -> Postgres:
    """How our reading sessions reach the restored copy; `deadline` in seconds."""
    password = Secret("scratch", access.password) if access.password else None
    own = {"dsn": access.conninfo, "password": password, "statement_timeout": deadline}
    return Postgres(dsn="postgresql://scratch").model_copy(update=own)
