"""Why a dump has failed, in our own words: what to do about it, and whether it may pass by itself."""

import re

import psycopg
from psycopg import errors

from atomops.backup.access import Access
from atomops.errors import AtomOpsError, CommandFailed, PermanentError, TemporaryError
from atomops.probes.postgres.session import connection_error

RETRY = "it is tried again; if that fails too, look at PG-LOCK-WAIT and at who alters tables at that hour"
_LOCK_WAITED = "lock timeout|could not obtain lock|statement timeout.*LOCK TABLE"  # pg_dump waits by the last one
_REASONS: tuple[tuple[str, type[PermanentError | TemporaryError], str, str], ...] = (
    ("No space left on device", PermanentError, "a disk of the server is full", "free some space there"),
    (_LOCK_WAITED, TemporaryError, "a table was being altered", RETRY),
    (
        "server closed the connection|terminating connection|SSL SYSCALL|Connection re|could not connect to database",
        TemporaryError,
        "the server ended the session",
        "look at the server's log: a crash, a restart, or a fail-over?",
    ),
    ("row-level security", PermanentError, "row-level security hides rows from the role", "ALTER ROLE ... BYPASSRLS"),
    ("permission denied", PermanentError, "the role may not read everything", "GRANT pg_read_all_data TO the role"),
    ("server version mismatch", PermanentError, "the client is older than the server", "set backups.postgres_bin"),
    (
        r"cache lookup failed|could not open relation|(relation|schema|type|function|sequence) .* does not exist",
        TemporaryError,
        "something was dropped meanwhile",
        RETRY,
    ),
    (
        "out of shared memory",
        PermanentError,
        "the server has no room for so many locks",
        "raise max_locks_per_transaction",
    ),
    (
        "worker process died unexpectedly",
        TemporaryError,
        "one of its workers has died",
        "look for the OOM killer in this machine's kernel log, and at the server's log",
    ),
)


def program_error(error: CommandFailed, argv: list[str], access: Access) -> AtomOpsError:
    """What a program of PostgreSQL has failed of; what may pass by itself is a TemporaryError."""
    said = " ".join(error.stderr.split())
    name = argv[0].rpartition("/")[2]
    if re.search("No space left on device|Disk quota exceeded", said) and "ERROR:" not in said:  # not the server's
        into = next(each.removeprefix("--file=") for each in argv if each.startswith("--file="))
        what = f"the disk of {into} is full: {name} of {access.address} could not write ({_first(error.stderr)})"
        return PermanentError(what, action="free some space there, or set backups.work_folder or another store")
    kind, reason, action = _reason(said)
    return kind(f"{name} of {access.address} failed: {reason or error.what} ({_first(error.stderr)})", action=action)


def session_error(error: psycopg.Error, access: Access) -> AtomOpsError:
    """What one of our own sessions has failed of; what may pass by itself is a TemporaryError."""
    said = " ".join(str(error).split())
    if isinstance(error, errors.LockNotAvailable | errors.UndefinedTable):
        return TemporaryError(f"{access.address}: a table was being altered or dropped ({said})", action=RETRY)
    kind, reason, action = _reason(said)
    if reason:
        return kind(f"{access.address}: {reason} ({said})", action=action)
    return connection_error(error, access.address)


def _reason(said: str) -> tuple[type[PermanentError | TemporaryError], str, str]:
    for pattern, kind, reason, action in _REASONS:
        if re.search(pattern, said):
            return kind, reason, action
    return PermanentError, "", "look at the message, and run it again by hand"


def _first(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if "error" in line.lower()]
    return lines[0][:300] if lines else stderr.strip()[:300]
