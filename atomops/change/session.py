"""A session that changes something: named, and never waiting long for a lock, since others wait behind it."""

import contextlib
from collections.abc import AsyncIterator

import psycopg
from psycopg.conninfo import conninfo_to_dict

from atomops.backup.access import NOTICE_OUR_END, Access, set_if_known
from atomops.inventory import Changes
from atomops.probes.postgres.connect import Session, connect
from atomops.probes.postgres.session import connection_error

APPLICATION_NAME = "atomops-change"
_CONNECT_SECONDS = 10
# A firewall between us forgets a connection on which nothing is said for an hour, and neither side would ever know.
_ALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 6}


@contextlib.asynccontextmanager
async def changing_session(access: Access, settings: Changes, *, statement_timeout: float) -> AsyncIterator[Session]:
    """A session in autocommit that may write. Times in seconds. Raises what `connection_error` makes of a failure.

    The server ends it when it notices that we are gone, so that nothing goes on unwatched after a kill -9 of ours.
    """
    options = (
        f"-c lock_timeout={int(settings.lock_timeout * 1000)} -c statement_timeout={int(statement_timeout * 1000)}"
    )
    alive = {name: value for name, value in _ALIVE.items() if name not in conninfo_to_dict(access.conninfo)}
    settled: dict[str, str | int] = {
        "connect_timeout": _CONNECT_SECONDS,
        "application_name": APPLICATION_NAME,
        "options": options,
    }
    try:
        session = await connect(access.conninfo, access.password, **settled, **alive)
    except psycopg.Error as error:
        told = connection_error(error, access.address)
        if settings.dsn is not None:
            told.action = told.action.replace("postgres.", "changes.")
        raise told from None  # the text of psycopg's may repeat the connection string
    try:
        await set_if_known(session, NOTICE_OUR_END)
        yield session
    finally:
        await session.close()
