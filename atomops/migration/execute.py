"""Runs a migration on the database itself, looks at what came of it, and goes back where that is proven to be safe."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from atomops.errors import AtomOpsError, PermanentError
from atomops.facts.migration import Attempt, Execution, SchemaChange, TakenBack
from atomops.inventory import Target
from atomops.migration import scripts
from atomops.migration.alembic import Alembic
from atomops.migration.look import Look
from atomops.migration.order import Order
from atomops.migration.session import looking
from atomops.migration.watch import LIVE_SECONDS, end_sessions, watched
from atomops.plans import migration as plan
from atomops.plans.migration_failures import LockNotGranted
from atomops.plans.revisions import History
from atomops.probes import health, schema
from atomops.probes.attempt import attempt
from atomops.probes.readiness import until_ready
from atomops.profiles import candidates
from atomops.verdict import Unseen

_LONGEST_WAIT = 30  # seconds between two attempts, before the jitter


@dataclass(frozen=True)
class State:
    """The database at one moment: its schema, and the exact rows of the tables that are watched."""

    catalogue: dict[str, str]
    rows: dict[str, int | None]


@dataclass(frozen=True)
class Executed:
    """What came of it, and the database as it was before."""

    execution: Execution
    before: State


async def execute(target: Target, seen: Look, order: Order, restore: str) -> Executed:
    """What came of it. Whatever fails is in there; raises only what keeps it from beginning, with nothing changed.

    What is not well is taken back where that is safe; `restore` is the command that brings the backup back.
    """
    await _unchanged(seen)
    tables = order.tables or _main_tables(target)
    before = await _state(seen.alembic, tables)
    missing = [name for name in order.tables if before.rows[name] is None]
    if missing:
        raise PermanentError(f"there is no table {missing[0]} to count", action="check the parameter `tables`")
    was_ready = await _is_ready(target)
    attempts = await _attempts(seen, order.lock_retries)
    done = await _looked_at(seen, attempts, before, tables)
    done = replace(done, ready_before=was_ready, ready_seconds=await _readiness(target, done, was_ready))
    if done.is_there and was_ready is True and isinstance(done.ready_seconds, Unseen):
        done = replace(done, unwell=done.ready_seconds)
    executed = Executed(done, before)
    return executed if done.is_well else await take_back(seen, executed, restore)


async def take_back(seen: Look, executed: Executed, restore: str, why: Unseen | None = None) -> Executed:
    """By a downgrade, where the rehearsal has proven that this loses nothing; else it says what is left to do."""
    done = executed.execution
    taken = await _take_back(seen, done, executed.before, restore)
    return replace(executed, execution=replace(done, unwell=why or done.unwell, taken_back=taken))


async def _unchanged(seen: Look) -> None:
    """Nobody has migrated, or deployed other scripts, since we looked: a backup and an approval take their time."""
    settings, planned = seen.alembic.settings, {each.id: each.sha256 for each in seen.facts.steps}
    current, revisions = await asyncio.gather(seen.alembic.current(), seen.alembic.history())
    now = {each.id: scripts.hashed(each, settings).sha256 for each in revisions if each.id in planned}
    action = "look at who migrates or deploys at the same time, then run it again"
    if isinstance(seen.facts.current, Unseen) or set(current) != set(seen.facts.current):
        raise PermanentError(f"the database is at {', '.join(current)} now, not where it was looked at", action=action)
    if now != planned or History(revisions).heads != seen.facts.heads:
        raise PermanentError("the scripts are other ones than those that were looked at", action=action)


async def _state(alembic: Alembic, tables: Sequence[str]) -> State:
    async with looking(alembic.access) as session:
        catalogue = await schema.catalogue(session)
        return State(catalogue, {name: await schema.exact_rows(session, name) for name in tables})


def _main_tables(target: Target) -> tuple[str, ...]:
    """Those of every profile that may be the target's; which of them are there, the database tells."""
    return tuple(dict.fromkeys(name for profile in candidates(target.profile) for name in profile.tables))


async def _attempts(seen: Look, retries: int) -> tuple[Attempt, ...]:
    """One, and more of them only for a lock that was not granted."""
    made: list[Attempt] = []
    while True:
        one, error = await _attempted(seen)
        made.append(one)
        if not isinstance(error, LockNotGranted) or len(made) > retries:
            return tuple(made)
        await asyncio.sleep(min(_LONGEST_WAIT, 2 ** (len(made) - 1)) * random.uniform(0.5, 1.5))  # noqa: S311 - no secret


async def _attempted(seen: Look) -> tuple[Attempt, AtomOpsError | None]:
    alembic, facts, started = seen.alembic, seen.facts, time.monotonic()
    problem: AtomOpsError | None = None
    async with watched(alembic.onlooker, alembic.name, LIVE_SECONDS) as tally:
        try:
            await alembic.migrate(facts.action, facts.target)
        except AtomOpsError as error:
            problem = error
        finally:  # killed in the middle of a statement, its session would go on for a while
            await end_sessions(alembic.access, alembic.name)
    seconds, waited = time.monotonic() - started, tuple(tally.waited_for)
    if problem is None:
        return Attempt(seconds, waited_for=waited), None
    return Attempt(seconds, problem.what, problem.action, waited), problem


async def _looked_at(seen: Look, attempts: tuple[Attempt, ...], before: State, tables: Sequence[str]) -> Execution:
    revisions = await attempt(seen.alembic.current())
    after = await attempt(_state(seen.alembic, tables))
    is_there = not isinstance(revisions, Unseen) and _is_there(seen, revisions) and not attempts[-1].problem
    if isinstance(after, Unseen):
        return Execution(attempts, revisions, is_there, after, after)
    rows = {name: (number, after.rows[name]) for name, number in before.rows.items() if number is not None}
    return Execution(attempts, revisions, is_there, plan.schema_changes(before.catalogue, after.catalogue), rows)


def _is_there(seen: Look, revisions: tuple[str, ...]) -> bool:
    """Whether exactly what was to be applied, or taken back, is."""
    steps = {each.id for each in seen.facts.steps}
    before = {each.id for each in seen.applied}
    wanted = before | steps if seen.facts.action == "upgrade" else before - steps
    return seen.history.until(revisions) == wanted


async def _is_ready(target: Target) -> bool | Unseen | None:
    """Whether the application is ready; None without one in the inventory."""
    if target.app is None:
        return None
    looked = await attempt(health.look(target))
    return looked if isinstance(looked, Unseen) else not looked.ready.problem


async def _readiness(target: Target, done: Execution, was_ready: bool | Unseen | None) -> float | Unseen | None:  # noqa: FBT001 - three states
    if was_ready is None or not done.is_there:
        return None
    if was_ready is not True:
        return Unseen("it was not ready before the migration either", "see the morning checklist: HTTP-READY")
    ready = await attempt(until_ready(target, target.changes.ready_within))
    return ready if isinstance(ready, Unseen) else ready.seconds


async def _take_back(seen: Look, done: Execution, before: State, restore: str) -> TakenBack:
    current = seen.facts.current if isinstance(seen.facts.current, tuple) else ()
    left = plan.way_back(current, done.revisions, done.schema, seen.facts.rehearsal, restore)
    if left is not None:
        return left
    try:
        await seen.alembic.migrate("downgrade", current[0])
        now, changes = await seen.alembic.current(), await _changes(seen, before)
    except AtomOpsError as error:
        return TakenBack("left", f"the downgrade failed as well: {error.what}", f"restore: {restore}")
    finally:
        await end_sessions(seen.alembic.access, seen.alembic.name)
    if set(now) != set(current) or changes:
        words = f"the downgrade has left {', '.join(each.thing for each in changes) or ', '.join(now)}"
        return TakenBack("left", words, f"look at it; to restore: {restore}")
    return TakenBack("downgraded", f"it was taken back to {current[0]}: revision and schema are as before")


async def _changes(seen: Look, before: State) -> tuple[SchemaChange, ...]:
    return plan.schema_changes(before.catalogue, (await _state(seen.alembic, ())).catalogue)
