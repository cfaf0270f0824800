"""The guide's Vacuum and Analyze (weekly)."""

import datetime as dt
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.facts.vacuum import VacuumFacts
from atomops.inventory import Target
from atomops.parameters import (
    CostDelay,
    CostLimit,
    Hours,
    Jobs,
    Minutes,
    Name,
    ParallelWorkers,
    Percent,
    Rows,
    Switch,
    Tables,
    TargetName,
    Transactions,
    WaitMinutes,
)
from atomops.plans.vacuum import Choice, Options, Wish
from atomops.probes.parts import VACUUM
from tasks.change import change
from tasks.judge import judge
from tasks.probe import outcome_of
from tasks.publish import final_state, publish
from tasks.punctuality import stale
from tasks.target import load_target
from tasks.vacuum import plan, vacuum

PARTS = (VACUUM,)


@flow(name="vacuum-tables", flow_run_name="vacuum-tables-{target}")
async def vacuum_tables(  # noqa: PLR0913 - each is a field of the run form
    target: TargetName = "production",
    *,
    dry_run: bool = False,
    tables: tuple[Name, ...] = (),
    choose: Choice = "named",
    min_dead_rows: Rows = 10_000,
    min_dead_percent: Percent = 10,
    min_age: Transactions = 150_000_000,
    most_tables: Tables = 20,
    analyze: bool = True,
    full: bool = False,
    freeze: bool = False,
    index_cleanup: Switch = "auto",
    truncate: Switch = "auto",
    skip_locked: bool = False,
    jobs: Jobs = 1,
    parallel_workers: ParallelWorkers | None = None,
    within: Minutes = 120,
    grace: Minutes = 10,
    cost_delay: CostDelay | None = None,
    cost_limit: CostLimit | None = None,
    stale_after_hours: Hours = 3,
    wait_minutes: WaitMinutes = 0,
) -> State[Any]:
    """Vacuum and analyse tables, and say what it brought, what was skipped, and who keeps dead rows alive.

    No row that anybody can see is ever lost, so that it is no dry run by default. Nobody else changes the target
    meanwhile. Without `full` the application goes on reading and writing.
    Runbook: docs/runbook/vacuum-tables.md

    Args:
        target: The installation, as the inventory calls it.
        dry_run: Only show every statement, and the tables as they are.
        tables: Names, with or without their schema. Without any: the profile's own, which change the most.
        choose: Those that are named; or all with many dead rows, old ones, or those never vacuumed or never analysed.
        min_dead_rows: For dead-tuples: from so many dead rows on (estimated).
        min_dead_percent: For dead-tuples: and from such a share of all rows on.
        min_age: For age: from so many transactions on. From 150 million on VACUUM reads every page that is not frozen.
        most_tables: For all choices but named: not more tables than this, those that need it most.
        analyze: Bring the planner's statistics up to date as well.
        full: Write the tables anew. Locks each against everybody, and needs its size once more on the disk.
        freeze: Freeze every row that can be, whatever its age.
        index_cleanup: Remove dead rows from indexes too. Off is faster, for a table whose transaction ids run out.
        truncate: Give empty pages at the table's end back. This locks it for a moment, on standbys too.
        skip_locked: Do not wait for a locked table at all, instead of changes.lock_timeout seconds.
        jobs: Tables at a time, each in a session of its own. With full always one.
        parallel_workers: Workers for the indexes of one table. None: as the server decides.
        within: Minutes after which no table is begun any more.
        grace: Minutes after that in which a table may end; then it is cancelled on the server.
        cost_delay: Milliseconds of pause after each cost_limit of work, for others' sake. None: the server's.
        cost_limit: How much work that is. None: the server's.
        stale_after_hours: A run that begins later than this after its time ends as STALE: the window is over.
        wait_minutes: So long another change of the target may still take; then this one gives up, naming it.
    """
    late = stale("vacuum-tables", stale_after_hours)
    if late is not None:
        return late
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    options = Options(
        analyze=analyze,
        full=full,
        freeze=freeze,
        index_cleanup=index_cleanup,
        truncate=truncate,
        skip_locked=skip_locked,
        parallel_workers=parallel_workers,
    )
    wish = Wish(
        tables=tables,
        choose=choose,
        min_dead_rows=min_dead_rows,
        min_dead_percent=min_dead_percent,
        min_age=min_age,
        most_tables=most_tables,
        options=options,
        jobs=jobs,
        within=within * 60,
        grace=grace * 60,
        cost_delay=cost_delay,
        cost_limit=cost_limit,
    )
    outcome = await outcome_of("the vacuum", _vacuum(world, wish, dry_run=dry_run, wait_minutes=wait_minutes))
    report = await judge("vacuum-tables", world, PARTS, [outcome], started_at)
    return final_state(await publish(report, world, [outcome]))


async def _vacuum(world: Target, wish: Wish, *, dry_run: bool, wait_minutes: float) -> VacuumFacts:
    async with change(world, "vacuum-tables", vars(wish), dry_run=dry_run, wait_minutes=wait_minutes) as it:
        planned = await plan(world, wish)
        it.plan = planned.statements
        if dry_run:
            return planned.facts(planned.planned(), dry_run=True)
        outcomes = await vacuum(planned, it)
        return planned.facts(outcomes, [f"backend {pid}" for pid in planned.left], dry_run=False)
