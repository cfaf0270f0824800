"""Why a VACUUM came to nothing, in our own words: from the server's error, or from the warning that it only gives."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import errors

from atomops.facts.vacuum import OnTable, Status
from atomops.verdict import Unseen

_LOCKED, _GONE = "55P03", "42P01"  # SQLSTATE of the warnings of SKIP_LOCKED, and of a table that was dropped meanwhile
_NO_RIGHT = re.compile(r"permission denied to (vacuum|analyze)|only .*owner can (vacuum|analyze)")
_SHARED = {"AccessShareLock", "RowShareLock", "RowExclusiveLock"}  # what VACUUM without FULL lives beside
_SHOWN = 3
_DROPPED = "take it out of `tables`"


@dataclass(frozen=True)
class Told:
    """What became of a statement, why, and what to do."""

    status: Status
    reason: str = ""
    action: str = ""


@dataclass(frozen=True)
class Warned:
    """A warning of the server: VACUUM skips a table with nothing but that, and ends well."""

    sqlstate: str
    text: str


def of_error(error: psycopg.Error, table: str, *, in_time: bool) -> Told:
    """What the server refused, or why it ended. `in_time`: the window and its grace were not over yet."""
    said = " ".join((error.diag.message_primary or str(error)).split())
    match error:
        case errors.LockNotAvailable() | errors.DeadlockDetected():
            told = Told(Status.LOCKED, f"{table} is locked")
        case errors.QueryCanceled():
            told = _cancelled(table, in_time=in_time)
        case errors.UndefinedTable():
            told = Told(Status.MISSING, f"{table} was dropped meanwhile", _DROPPED)
        case errors.DiskFull():
            action = "free some space on the server; nothing of the table is lost"
            told = Told(Status.FAILED, f"a disk of the server is full: {said}", action)
        case errors.OperationalError() if (error.diag.sqlstate or "08").startswith(("57P", "08")):
            action = "look at the server's log: a crash, a restart, or somebody who ended it?"
            told = Told(Status.FAILED, f"the server ended the session that vacuumed {table} ({said})", action)
        case _:
            told = Told(Status.FAILED, f"PostgreSQL says of {table}: {said}", "see the server's log")
    return told


def _cancelled(table: str, *, in_time: bool) -> Told:
    if in_time:
        action = "ask who did it (pg_cancel_backend), then run it again"
        return Told(Status.CANCELLED, f"VACUUM of {table} was cancelled by somebody else", action)
    action = "raise `within` or `grace`, or vacuum it by itself"
    return Told(Status.CANCELLED, f"VACUUM of {table} was cancelled: the window and its grace were over", action)


def of_warnings(warnings: Sequence[Warned], table: str, grant: str) -> Told | None:
    """Why the server skipped the table, by its warnings; None when they say no such thing."""
    for each in warnings:
        if each.sqlstate == _LOCKED:
            return Told(Status.LOCKED, f"{table} is locked")
        if each.sqlstate == _GONE:
            return Told(Status.MISSING, f"{table} was dropped meanwhile", _DROPPED)
        if _NO_RIGHT.search(each.text):
            return Told(Status.FORBIDDEN, f"PostgreSQL says: {each.text}", grant)
    if warnings:
        return Told(Status.REFUSED, f"PostgreSQL says: {warnings[0].text}", "see the server's log")
    return None


def locked_by(table: str, found: tuple[OnTable, ...] | Unseen, *, full: bool) -> Told:
    """Who has the table locked, as far as that can be seen."""
    if isinstance(found, Unseen):
        return Told(Status.LOCKED, f"{table} is locked; by whom is not known: {found.reason}", found.action)
    blockers = [each for each in found if full or each.mode not in _SHARED]
    action = "wait until it has ended, or end it, and run it again; see PG-LOCK-WAIT"
    if not blockers:
        return Told(Status.LOCKED, f"{table} was locked, and is not any more", "run it again")
    shown = "; ".join(
        f"{each.name} has {each.mode}" + (f" ({each.detail})" if each.detail else "") for each in blockers[:_SHOWN]
    )
    return Told(Status.LOCKED, f"{table} is locked: {shown}", action)
