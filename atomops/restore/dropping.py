"""The databases that were replaced are dropped when their time has come: those, and nothing else, whoever looks."""

import datetime as dt
from collections.abc import Mapping, Sequence

import psycopg
from psycopg import errors, sql

from atomops.backup.access import access_by, changing
from atomops.change.journal import unfinished
from atomops.change.lock import Lock
from atomops.errors import AtomOpsError
from atomops.facts.replaced import Dropping
from atomops.facts.restore import Replaced
from atomops.inventory import Target
from atomops.plans.replaced import due
from atomops.probes.backups import EVERY_DATABASE
from atomops.probes.postgres.connect import Session
from atomops.probes.replaced import look
from atomops.restore.databases import Mark, maintenance
from atomops.restore.sessions import restoring_session, words
from atomops.verdict import Unseen

_STATEMENT_SECONDS = 600  # DROP DATABASE waits for a checkpoint
_NOW = "SELECT datallowconn, coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = %s"
_NO_ROLE = "the inventory has no changes.dsn, and a role that reads drops nothing"
_OPEN = "it lets sessions in again: somebody uses it"


async def drop_due(target: Target, lock: Lock | None, *, why_not: str = "") -> Dropping:
    """Those of the target whose time has come are gone; each that is not says why. Never raises AtomOpsError.

    Without a lock it is a dry run. `why_not` keeps them all. One that somebody has opened again stays.
    """
    try:
        seen = await look(target)
        left = unfinished(target)
        going = tuple(each for each in due(seen.databases, dt.datetime.now(dt.UTC)) if _is_ours(target, each.of))
        if left is not None:
            why_not = f"{left.what} of {left.at:%Y-%m-%d %H:%M %Z} is not finished: atomops resume"
        if lock is None or why_not or not going:
            return Dropping(going, held_back=why_not if going else "")
        await lock.check()
        failed = await _drop(target, going)
    except AtomOpsError as error:
        return Dropping(problem=Unseen(error.what, error.action))
    return Dropping(going, tuple(each.name for each in going if each.name not in failed), failed)


async def _drop(target: Target, going: Sequence[Replaced]) -> Mapping[str, str]:
    """Why which of them are still there."""
    if target.changes.dsn is None:
        return {each.name: _NO_ROLE for each in going}
    access = maintenance(changing(target), *(each.name for each in going))
    async with restoring_session(access, target.changes, seconds=_STATEMENT_SECONDS) as session:
        told = {each.name: await _drop_one(session, each) for each in going}
    return {name: why for name, why in told.items() if why}


async def _drop_one(session: Session, each: Replaced) -> str:
    """Nothing when it is gone, else why it is not. Never with FORCE: whoever is in it has a reason."""
    try:
        row = await (await session.execute(_NOW, [each.name])).fetchone()
        if row is None:
            return ""
        mark = Mark.read(str(row[1]))
        if mark is None or (mark.kind, mark.of) != (each.kind, each.of) or _moment(mark) != each.until:
            return "its comment is no longer ours: somebody has taken it"
        if row[0]:
            return _OPEN
        await session.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(each.name)))
    except errors.InsufficientPrivilege:
        return "the role of changes.dsn may not drop it: it neither owns it nor is a superuser"
    except psycopg.Error as error:
        return words(error)
    return ""


def _moment(mark: Mark) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(mark.until)
    except ValueError:
        return None


def _is_ours(target: Target, database: str) -> bool:
    """Another target of the same server drops its own, under its own lock."""
    names = {changing(target).database, *(target.backups.databases if target.backups else ())}
    if target.postgres:
        names.add(access_by(target.postgres, target.name).database)
    return bool({database, EVERY_DATABASE} & names)
