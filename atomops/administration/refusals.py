"""What PostgreSQL says to a statement, in our own words: every fault with where, and what to do."""

import contextlib
from collections.abc import Iterator

import psycopg
from psycopg import errors

from atomops.errors import AccessDenied, AtomOpsError, NotThere, PermanentError, TemporaryError, TimedOut
from atomops.probes.postgres.session import connection_error


def told(error: psycopg.Error, where: str, grant: str) -> AtomOpsError:
    """The error of a statement; `grant` is what gives our role the right to it."""
    said = " ".join((error.diag.message_primary or str(error)).split())
    match error:
        case errors.LockNotAvailable() | errors.DeadlockDetected():
            action = "wait until whoever holds the lock has ended (PG-LOCK-WAIT), then run it again"
            return TemporaryError(f"{where}: somebody else has locked what is to be changed: {said}", action=action)
        case errors.QueryCanceled():
            return TimedOut(f"{where}: the statement took too long or was cancelled: {said}", action="run it again")
        case errors.InsufficientPrivilege():
            return AccessDenied(f"{where} refuses: {said}", action=grant)
        case errors.UndefinedTable() | errors.UndefinedColumn():
            return NotThere(f"{where}: {said}", action="set `profile`, or check search_path")
        case errors.OperationalError() if (error.diag.sqlstate or "08").startswith(("57P", "08", "53")):
            return connection_error(error, where)
        case _:
            return PermanentError(f"{where} refuses: {said}", action="nothing was changed; see the server's log")


@contextlib.contextmanager
def in_our_words(where: str, grant: str = "use the role of an administrator in changes.dsn") -> Iterator[None]:
    """Whatever PostgreSQL refuses during the block is raised as an AtomOpsError."""
    try:
        yield
    except psycopg.Error as error:
        raise told(error, where, grant) from None
