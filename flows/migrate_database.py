"""The guide's Running Database Migrations, by hand."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.backup.access import backups_of
from atomops.backup.making import workshop
from atomops.backup.preflight import tools_for
from atomops.backup.proving import bench
from atomops.facts.migration import MigrationFacts
from atomops.facts.outcome import Outcome
from atomops.facts.settling import SettlingFacts
from atomops.inventory import Target
from atomops.migration.alembic import migrations_of
from atomops.migration.look import Look
from atomops.migration.order import Order
from atomops.parameters import Approve, Migrate, Minutes, Name, Retries, RevisionName, SettleSeconds, TargetName
from atomops.probes.parts import MIGRATION, SETTLING
from atomops.verdict import Unseen
from tasks.approve import approval, can_be_asked
from tasks.change import Change, change
from tasks.fresh_backup import Held, fresh_backup
from tasks.judge import judge
from tasks.look_at_migrations import look_at_migrations
from tasks.migrate import WHAT, migrate_and_settle
from tasks.probe import outcome_of
from tasks.publish import final_state, preview, publish
from tasks.rehearse import rehearse as rehearse_on_copy
from tasks.resume import resume
from tasks.settle import by_part
from tasks.target import load_target

PARTS = (MIGRATION, SETTLING)


@flow(name=WHAT, flow_run_name="migrate-{target}")
async def migrate_database(  # noqa: PLR0913 - each is a field of the run form
    target: TargetName = "production",
    *,
    dry_run: bool = True,
    action: Migrate = "upgrade",
    revision: RevisionName = "",
    approve: Approve = "ask",
    approve_within_minutes: Minutes = 60,
    rehearse: bool = True,
    rehearse_downgrade: bool = False,
    tables: tuple[Name, ...] = (),
    lock_retries: Retries = 5,
    settle_seconds: SettleSeconds | None = None,
) -> State[Any]:
    """Migrate the database by the application's own alembic: backed up, rehearsed on a copy, approved, and verified.

    Whatever is ambiguous is refused. Nothing waits long for a lock, since the application waits behind it. What fails
    is rolled back, or taken back where the rehearsal has proven that nothing is lost by it.
    Runbook: docs/runbook/migrate-database.md

    Args:
        target: The installation to migrate, as the inventory calls it.
        dry_run: Show every statement, and rehearse them on a copy of the last proven backup; change nothing.
        action: upgrade; downgrade to a named revision, which may lose data; show only says where the database is.
        revision: The revision to go to. Empty: the only head. A downgrade needs one.
        approve: ask pauses the run and waits for a yes in the Prefect UI; auto goes ahead.
        approve_within_minutes: No answer for so long is a no.
        rehearse: Run it on a restored copy first, and measure its time and locks there.
        rehearse_downgrade: Try the way back on the copy too; only then a failure is taken back by a downgrade.
        tables: Tables whose rows are counted exactly before and after. Empty: the profile's main tables.
        lock_retries: How often it is tried again when a lock was not granted in time.
        settle_seconds: Seconds that readiness, new errors and failed requests are watched afterwards; default:
            changes.settle of the inventory.
    """
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    migrations_of(world), backups_of(world)  # both are needed, whatever is asked for
    ask = 60 * approve_within_minutes if approve == "ask" else None
    order = Order(
        action, revision, dry_run, tables, lock_retries, rehearse, rehearse_downgrade, settle_seconds, ask_seconds=ask
    )
    outcomes = by_part(await outcome_of("the migration", _migration(world, order, started_at)))
    report = await judge(WHAT, world, PARTS[: len(outcomes)], outcomes, started_at)
    return final_state(await publish(report, world, outcomes))


async def _migration(
    world: Target, order: Order, started_at: dt.datetime
) -> tuple[MigrationFacts, SettlingFacts | None]:
    if not order.only_looks and order.ask_seconds is not None:
        can_be_asked()
    async with change(world, WHAT, vars(order), dry_run=order.only_looks) as it:
        if not order.only_looks:
            await resume(world)
        with workshop(backups_of(world)) as work:
            seen = await look_at_migrations(world, order, work)
            it.plan = tuple(each.id for each in seen.facts.steps)
            it.before |= {"revisions": seen.facts.current}
            if order.action == "show" or not seen.facts.is_clear:
                return seen.facts, None
            held, seen = await _prepared(world, order, seen, work)
            ready = not isinstance(held, Unseen) and (seen.facts.went_well_on_a_copy or not order.rehearse)
            if order.dry_run or isinstance(held, Unseen) or not ready:
                return seen.facts, None
            seen = await _approved(world, order, seen, started_at)
            return await _migrated(world, order, seen, held, it)


async def _prepared(world: Target, order: Order, seen: Look, work: Path) -> tuple[Held | Unseen, Look]:
    """A proven backup, and how the migration went on a copy of it."""
    settings = backups_of(world)
    tools = await tools_for(settings, seen.alembic.server_version // 10_000)
    async with bench(settings, tools, work) as on:
        held = await fresh_backup(world, seen, on, work, only_look=order.dry_run)
        rehearsal = await rehearse_on_copy(seen, order, held, on)
    used = held if isinstance(held, Unseen) else held.used
    return held, replace(seen, facts=replace(seen.facts, backup=used, rehearsal=rehearsal))


async def _approved(world: Target, order: Order, seen: Look, started_at: dt.datetime) -> Look:
    """With the answer of whoever has read all that is known by now; as it is, when nobody is to be asked."""
    if order.ask_seconds is None:
        return seen
    known_by_now = Outcome("the migration", 0, facts=seen.facts)
    report = await judge(WHAT, world, PARTS[:1], [known_by_now], started_at)
    answer = await approval(preview(report, world), order.ask_seconds)
    return replace(seen, facts=replace(seen.facts, approval=answer))


async def _migrated(
    world: Target, order: Order, seen: Look, held: Held, it: Change
) -> tuple[MigrationFacts, SettlingFacts | None]:
    answer = seen.facts.approval
    if answer is not None and not answer.granted:
        it.result = answer.words
        return seen.facts, None
    await it.lock.check()
    done, settled = await migrate_and_settle(world, seen, order, held)
    it.after |= {"revisions": done.revisions, "backup": held.used.id}
    it.result = done.outcome
    return replace(seen.facts, execution=done), settled
