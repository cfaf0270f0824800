"""Sessions of the role that restores: what PostgreSQL refuses in them is told in its own words, with what to do."""

import contextlib
from collections.abc import AsyncIterator

import psycopg
from psycopg import errors

from atomops.backup.access import Access
from atomops.change.session import changing_session
from atomops.errors import AccessDenied, AtomOpsError, PermanentError, TemporaryError, TimedOut, Unreachable
from atomops.inventory import Changes
from atomops.probes.postgres.connect import Session

_IN_USE = "look at pg_stat_activity and pg_locks for who holds it, then run it again"
_REFUSALS: tuple[tuple[type[psycopg.Error], type[AtomOpsError], str, str], ...] = (
    (errors.DiskFull, PermanentError, "a disk of the server is full", "free some space there"),
    (
        errors.InsufficientPrivilege,
        AccessDenied,
        "our role may not do that",
        "give the role of changes.dsn that right, or set changes.dsn to a superuser",
    ),
    (errors.ObjectInUse, TemporaryError, "somebody else uses it", _IN_USE),
    (errors.LockNotAvailable, TemporaryError, "somebody else has locked it", _IN_USE),
    (errors.QueryCanceled, TimedOut, "it took too long", "look at the server's load and disks"),
)


@contextlib.asynccontextmanager
async def restoring_session(access: Access, changes: Changes, *, seconds: float) -> AsyncIterator[Session]:
    """A session in autocommit, each statement bounded to so many seconds.

    Raises what `refusal` makes of a statement's failure, and what `changing_session` raises.
    """
    try:
        async with changing_session(access, changes, statement_timeout=seconds) as session:
            yield session
    except psycopg.Error as error:
        raise refusal(error, access.address) from error


def refusal(error: psycopg.Error, where: str) -> AtomOpsError:
    """The error in our own words; what may pass by itself is a TemporaryError."""
    said = words(error)
    for kind, ours, what, action in _REFUSALS:
        if isinstance(error, kind):
            return ours(f"{where}: {what} ({said})", action=action)
    if is_lost(error):
        action = "look at the server's log: a crash, a restart, or a fail-over?"
        return Unreachable(f"{where} ended our session ({said})", action=action)
    return PermanentError(f"{where} refuses that: {said}", action="look at the message and at the server's log")


def is_lost(error: psycopg.Error) -> bool:
    """Whether the session has gone, and with it the answer to the last statement."""
    return isinstance(error, psycopg.OperationalError) and (
        error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))
    )


def words(error: psycopg.Error) -> str:
    """What PostgreSQL said, in one line."""
    return " ".join(str(error).split())
