"""PostgreSQL 13 to 18, read in one read-only session by a role that needs pg_monitor and pg_read_all_data only."""

import asyncio
import datetime as dt
from typing import Any

from atomops.errors import NotThere, TimedOut
from atomops.facts import postgres as seen
from atomops.inventory import Target
from atomops.probes.postgres.application import answers, recognise
from atomops.probes.postgres.catalogue import ask, grant, server_of
from atomops.probes.postgres.connect import Session
from atomops.probes.postgres.session import address, read_only_session
from atomops.profiles import candidates
from atomops.profiles.profile import Profile
from atomops.verdict import Unseen

PARTS: dict[str, type] = {
    "databases": seen.Database,
    "counters": seen.Counters,
    "clients": seen.ClientGroup,
    "sessions": seen.Session,
    "lock_waits": seen.LockWait,
    "prepared_transactions": seen.PreparedTransaction,
    "replicas": seen.Replica,
    "slots": seen.Slot,
    "archiver": seen.Archiver,
    "tables": seen.Table,
    "invalid_indexes": seen.Index,
    "unused_indexes": seen.Index,
    "duplicate_indexes": seen.Index,
    "foreign_keys": seen.ForeignKey,
    "sequences": seen.Sequence,
    "pending_settings": seen.PendingSetting,
    "statements": seen.Statement,
}


async def look(target: Target) -> seen.PostgresFacts:
    """Everything there is to see, each part by itself. Raises AccessDenied, NotThere, Unreachable or TimedOut."""
    settings = target.postgres
    if settings is None:
        raise NotThere(f"the target {target.name} has no database", action="add [targets.….postgres] to the inventory")
    profiles = candidates(target.profile)
    try:
        async with asyncio.timeout(settings.deadline), read_only_session(settings) as session:
            return await _look(session, profiles)
    except TimedOut:  # it is a TimeoutError too, and says better which step it was
        raise
    except TimeoutError as error:
        what = f"{address(settings)} answered, but not everything within {settings.deadline:g} s"
        raise TimedOut(what, action="raise postgres.deadline, or look at the server's load") from error


async def _look(session: Session, profiles: tuple[Profile, ...]) -> seen.PostgresFacts:
    server = await server_of(session)
    parts: dict[str, Any] = {name: await ask(session, server, name, kind) for name, kind in PARTS.items()}
    parts["sequences"] = _all_readable(parts["sequences"], server)
    profile = await recognise(session, profiles)
    return seen.PostgresFacts(
        at=dt.datetime.now(dt.UTC),
        server=server,
        profile=profile.name if isinstance(profile, Profile) else profile,
        answers=await answers(session, server, profile) if isinstance(profile, Profile) else {},
        **parts,
    )


def _all_readable(
    sequences: tuple[seen.Sequence, ...] | Unseen, server: seen.Server
) -> tuple[seen.Sequence, ...] | Unseen:
    """PostgreSQL gives NULL, not an error, for a sequence that the role may not read: that is not a fresh one."""
    if isinstance(sequences, Unseen):
        return sequences
    hidden = [sequence.name for sequence in sequences if sequence.last_value is None]
    if not hidden:
        return sequences
    return Unseen(
        f"the role {server.role} may not read {len(hidden)} sequence(s), {hidden[0]} among them",
        grant("pg_read_all_data", server),
    )
