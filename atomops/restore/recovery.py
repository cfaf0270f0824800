"""After a restore that was killed: the application runs again, on a whole database, and nothing of it is left over."""

import datetime as dt
from collections.abc import Awaitable, Callable

from atomops.backup.access import changing
from atomops.change.journal import Unfinished, forget, unfinished
from atomops.errors import AtomOpsError
from atomops.inventory import Target
from atomops.probes.readiness import until_ready
from atomops.restore.copying import STATEMENT_SECONDS, drop_database
from atomops.restore.databases import (
    REFUSED,
    REPLACED,
    Live,
    Names,
    left_over,
    look_at_live,
    maintenance,
    marked,
    unmarked_copies,
)
from atomops.restore.exchange import Renames, exchange
from atomops.restore.sessions import restoring_session
from atomops.runtimes.choose import runtime_of

WHAT = "restore-database"
WAS_READY = "was_ready"  # among the journal's details: "true" when the application was, before the exchange
Start = Callable[[], Awaitable[None]]


async def clear_leftovers(target: Target, database: str) -> tuple[str, ...]:
    """The copies of runs that were killed are gone: who holds the target's lock knows that none is being made."""
    access = maintenance(changing(target).to(database))
    async with restoring_session(access, target.changes, seconds=STATEMENT_SECONDS) as session:
        left = [each.name for each in await left_over(session, database, target.name)]
        left += await unmarked_copies(session, database)
        for name in left:
            await drop_database(session, name)
    return tuple(left)


async def finish_killed(target: Target) -> tuple[str, ...]:
    """What a killed restore has left is brought back, as `recover` does, and told; nothing when none has left any.

    The lock of the target must be held. Raises what `recover` raises; the journal stays then.
    """
    left = unfinished(target)
    if left is None or left.what != WHAT:
        return ()

    async def start() -> None:
        if left.before is not None and not left.before.is_stopped:
            await runtime_of(target).start(left.before)

    told = await recover(target, left, start)
    forget(target)
    what = f"the restore of {left.details['live']} that was killed at {left.at:%Y-%m-%d %H:%M:%S %Z} was finished"
    return (what, *told)


async def recover(target: Target, left: Unfinished, start: Start) -> tuple[str, ...]:
    """The application is ready on the database that bears the live name; what was done for that, in sentences.

    `start` starts it as before. Was the exchange done and the application is not ready, although it was before, the
    earlier database comes back. Raises what starting, renaming and waiting raise when even that does not help: nothing
    is lost then either.
    """
    live, done = left.details["live"], list[str]()
    await start()
    try:
        await _ready(target, left)
    except AtomOpsError as error:
        if not await _go_back(target, left, error.what):
            raise
        done.append(f"{live} is the earlier database again: {error.what}")
        await start()
        await _ready(target, left)
    done += [f"the copy {name} of the killed restore was removed" for name in await clear_leftovers(target, live)]
    return tuple(done)


async def _ready(target: Target, left: Unfinished) -> None:
    """Of one that was not ready before the restore, or did not run, nothing else can be expected."""
    ran = left.before is None or not left.before.is_stopped
    if target.app is not None and ran and left.details.get(WAS_READY, "true") == "true":
        await until_ready(target, target.changes.ready_within)


async def _go_back(target: Target, left: Unfinished, why: str) -> bool:
    """Whether there was an exchange to take back."""
    name, goes = left.details["live"], left.details["goes"]
    access = maintenance(changing(target).to(name))
    async with restoring_session(access, target.changes, seconds=STATEMENT_SECONDS) as session:
        kept = [each for each in await marked(session, name, REPLACED) if each.name == goes]
        live = await look_at_live(session, name)
    if not kept:
        return False
    now = dt.datetime.now(dt.UTC)
    until = now + dt.timedelta(days=target.changes.keep_old_days)
    back = renames_back(name, live, goes, refused=Names.at(name, now).refused, until=until, why=why)
    await exchange(access, target.changes, back)
    return True


def renames_back(  # noqa: PLR0913 - each is a plain part of the renames
    name: str, live: Live | None, kept: str, *, refused: str, until: dt.datetime, why: str = "it was not ready"
) -> Renames:
    """What makes a database that was replaced a moment ago the live one again, and keeps what came as refused."""
    return Renames(name, live, kept, refused, dt.datetime.now(dt.UTC), until, why, kind=REFUSED)
