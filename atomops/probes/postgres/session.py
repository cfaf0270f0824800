"""One read-only session: bounded, named, and with errors that say what to do."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

import psycopg
from psycopg.conninfo import conninfo_to_dict

from atomops.errors import AccessDenied, AtomOpsError, NotThere, PermanentError, TemporaryError, TimedOut, Unreachable
from atomops.inventory import Postgres
from atomops.probes.postgres.connect import Session, connect

APPLICATION_NAME = "atomops"
# Reading takes no lock worth waiting for: an ALTER TABLE in progress must not hold us. Times without a zone are UTC.
_OPTIONS = "-c lock_timeout=2s -c default_transaction_read_only=on -c timezone=UTC"
_GRACE = 2  # seconds for the server's own statement time-out to reach us before we give the connection up


@contextlib.asynccontextmanager
async def read_only_session(settings: Postgres) -> AsyncIterator[Session]:
    """A session in autocommit that cannot write. Raises what `connection_error` makes of a failure, or TimedOut."""
    where = address(settings)
    milliseconds = int(settings.statement_timeout * 1000)
    options = f"-c statement_timeout={milliseconds} {_OPTIONS}"
    try:
        async with asyncio.timeout(settings.connect_timeout):
            session = await connect(
                settings.dsn,
                settings.password.reveal() if settings.password else None,
                application_name=APPLICATION_NAME,
                options=options,
                tcp_user_timeout=milliseconds + _GRACE * 1000,
            )
    except TimeoutError as error:
        action = "look at the firewall, and whether the server hangs"
        raise TimedOut(f"{where} did not answer within {settings.connect_timeout:g} s", action=action) from error
    except psycopg.Error as error:
        raise connection_error(error, where) from None  # its text may repeat the connection string
    try:
        yield session
    finally:
        with contextlib.suppress(psycopg.Error, TimeoutError):
            async with asyncio.timeout(1):
                await session.close()


def address(settings: Postgres) -> str:
    """Server and database as a person would name them, without user or password."""
    try:
        parts = conninfo_to_dict(settings.dsn)
    except psycopg.ProgrammingError as error:
        raise PermanentError(f"postgres.dsn cannot be read: {error}") from None
    return f"PostgreSQL {parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


def connection_error(error: psycopg.Error, where: str) -> AtomOpsError:
    """The error in our own words; what may pass by itself is a TemporaryError."""
    said = " ".join(str(error).split())
    for pattern, kind, what, action in _REASONS:
        if re.search(pattern, said):
            return kind(f"{where} {what}", action=action)
    return Unreachable(f"{where} cannot be reached: {said}", action="look at the address and the server's log")


_REASONS: tuple[tuple[str, type[PermanentError | TemporaryError], str, str], ...] = (
    (
        r"password authentication failed|no password supplied|SASL authentication failed",
        AccessDenied,
        "refuses the password",
        "check postgres.password and the user in postgres.dsn",
    ),
    (r"no pg_hba\.conf entry", AccessDenied, "lets nobody in from here", "add a line for this host to pg_hba.conf"),
    (r"not permitted to log in", AccessDenied, "refuses the role", "ALTER ROLE ... LOGIN"),
    (r"permission denied for database", AccessDenied, "refuses the role", "GRANT CONNECT ON DATABASE ... TO the role"),
    (r'database ".*" does not exist', NotThere, "does not exist", "check the database's name in postgres.dsn"),
    (r'role ".*" does not exist', AccessDenied, "refuses the password", "check the user in postgres.dsn"),
    (r"server does not support SSL", PermanentError, "offers no TLS", "check sslmode in postgres.dsn"),
    (
        r"certificate verify failed|SSL error",
        PermanentError,
        "shows a certificate that is not trusted",
        "check sslrootcert",
    ),
    (r"too many clients|remaining connection slots", TemporaryError, "has no free connection", "raise max_connections"),
    (
        r"starting up|shutting down|recovery mode",
        TemporaryError,
        "is starting or stopping",
        "wait, and look at its log",
    ),
    (r"Connection refused", Unreachable, "refuses the connection", "is the server running, and on this port?"),
    (
        r"could not translate host name|Name or service not known|failed to resolve host",
        Unreachable,
        "is a host that nobody knows",
        "check the host in postgres.dsn and the DNS",
    ),
    (
        r"timeout expired|timed out",
        TimedOut,
        "did not answer in time",
        "look at the firewall, and whether the server hangs",
    ),
)
