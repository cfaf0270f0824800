"""The guide's Restore from Backup, with the live database left whole."""

import datetime as dt
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.backup.access import backups_of
from atomops.backup.making import workshop
from atomops.errors import AtomOpsError, PermanentError
from atomops.facts.restore import SWAP, TABLES, RestoreFacts
from atomops.inventory import Target
from atomops.parameters import Backup, KeptDays, Name, Quiesce, RestoreMode, TargetName
from atomops.probes.parts import RESTORE
from atomops.restore.planning import FromSet, RestorePlan, Wanted
from atomops.restore.recovery import clear_leftovers
from atomops.restore.tables import copy_tables
from atomops.verdict import Unseen
from tasks.back_up import back_up_alone
from tasks.change import Change, change
from tasks.exchange import exchange
from tasks.judge import judge
from tasks.probe import outcome_of
from tasks.publish import final_state, publish
from tasks.restore import copy_beside, finish, plan
from tasks.target import load_target

PARTS = (RESTORE,)


@flow(name="restore-database", flow_run_name="restore-database-{target}")
async def restore_database(  # noqa: PLR0913 - each is a field of the run form
    target: TargetName = "production",
    *,
    backup: Backup = "latest",
    mode: RestoreMode = "swap",
    quiesce: Quiesce = "stop",
    tables: tuple[Name, ...] = (),
    safety_dump: bool = False,
    keep_old_days: KeptDays | None = None,
    database: Name | None = None,
    dry_run: bool = True,
) -> State[Any]:
    """Restore a set beside the live database, compare every row, and only then exchange the two by name.

    The live database stays whole under another name; `backup=previous` goes back to it. What is not ready after the
    exchange goes back by itself.
    Runbook: docs/runbook/restore-database.md

    Args:
        target: The installation, as the inventory calls it.
        backup: `latest` (the newest proven set), a set's id, `before:2026-11-25T14:00` (the newest set before that
            time, of the target's time zone), or `previous` (the database that the last restore has replaced).
        mode: `swap` makes the copy the live database, `beside` only restores and compares, `tables` copies the chosen
            tables into a schema of their own.
        quiesce: `stop` stops the application for the exchange and starts it as before; `disconnect` ends its sessions
            and restarts it one instance after another.
        tables: For mode `tables`: their names, such as agents or public.users.
        safety_dump: Also dump and prove the live database first, as every night does.
        keep_old_days: Days that the replaced database is kept; default: changes.keep_old_days of the inventory.
        database: Which database; default: that of the inventory's dsn.
        dry_run: Only say what would be done, statement by statement.
    """
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    wanted = Wanted(backup, mode, quiesce, tuple(tables), safety_dump, keep_old_days, database)
    outcome = await outcome_of("the restore", _restore(world, wanted, dry_run=dry_run))
    report = await judge("restore-database", world, PARTS, [outcome], started_at)
    return final_state(await publish(report, world, [outcome]))


async def _restore(world: Target, wanted: Wanted, *, dry_run: bool) -> RestoreFacts:
    async with change(world, "restore-database", wanted.__dict__, dry_run=dry_run) as it:
        with workshop(backups_of(world)) as work:
            finished = () if dry_run else await finish(world)
            planned = await plan(world, wanted)
            it.plan = tuple(f"{step.what}: {step.exactly}" for step in planned.steps)
            it.before = {"live": planned.live}
            if dry_run or planned.obstacles:
                return planned.facts(dry_run=dry_run, cleared=finished)
            cleared = await clear_leftovers(world, planned.names.live)
            return await _carry_out(planned, work, it, (*finished, *cleared))


async def _carry_out(planned: RestorePlan, work: Path, it: Change, cleared: tuple[str, ...]) -> RestoreFacts:
    """Whatever fails is told with all that was done before it."""
    found: dict[str, Any] = {"cleared": cleared}
    try:
        if isinstance(planned.source, FromSet):
            async with copy_beside(planned, planned.source, work) as copy:
                found["copy"] = copy
                if copy.differences:
                    raise PermanentError("the copy is not what was dumped", action="use another set, or another store")
                await _use_copy(planned, work, it, found)
        else:
            found["exchange"] = await exchange(planned, it.run)
    except AtomOpsError as error:
        found["problem"] = Unseen(error.what, error.action)
    it.result = "failed" if "problem" in found else it.result
    it.after |= found
    return planned.facts(**found)


async def _use_copy(planned: RestorePlan, work: Path, it: Change, found: dict[str, Any]) -> None:
    """What the copy was made for."""
    if planned.wanted.mode == TABLES:
        found["schema"] = await copy_tables(planned, work)
    elif planned.wanted.mode == SWAP:
        if planned.saves:
            found["safety"] = await _safe(planned, work)
        found["exchange"] = await exchange(planned, it.run)


async def _safe(planned: RestorePlan, work: Path) -> str:
    """The new set of the live database. Raises PermanentError without one: nothing is exchanged then."""
    night = await back_up_alone(planned.target, planned.names.live, work)
    if night.set is None or not all(stored.is_proven for stored in night.stored):
        reason = night.problem.reason if night.problem else "it was not proven in every store"
        raise PermanentError(
            f"the safety dump failed: {reason}", action="see nightly-backup, or take safety_dump=false"
        )
    return night.set.id
