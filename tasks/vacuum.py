"""Vacuum tables: look what there is, then do it, with its progress shown."""

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from atomops.facts.vacuum import Status, TableOutcome
from atomops.humane import plural, span
from atomops.inventory import Target
from atomops.plans.vacuum import Wish
from atomops.vacuum.plan import VacuumPlan, plan_vacuum
from atomops.vacuum.watch import watching
from atomops.vacuum.work import Work
from tasks.change import Change
from tasks.probe import may_succeed_next_time
from tasks.progress import shown_progress

_WELL = (Status.DONE, Status.LEFT)


@task(
    task_run_name="plan-vacuum",
    cache_policy=NO_CACHE,
    retries=1,
    retry_delay_seconds=5,
    retry_condition_fn=may_succeed_next_time,
)
async def plan(target: Target, wish: Wish) -> VacuumPlan:
    """Every statement, and every table that comes to nothing, before anything is done. Raises as `plan_vacuum`."""
    return await plan_vacuum(target, wish)


@task(task_run_name="vacuum", cache_policy=NO_CACHE)
async def vacuum(planned: VacuumPlan, change: Change) -> tuple[TableOutcome, ...]:
    """What became of every table. When it is cancelled, what runs on the server is cancelled there first."""
    log = get_run_logger()

    def tell(outcome: TableOutcome) -> None:
        well = outcome.status in _WELL
        say = log.info if well else log.warning
        say(
            "%s: %s in %s%s",
            outcome.table,
            outcome.status,
            span(outcome.seconds),
            f" ({outcome.reason})" if outcome.reason else "",
        )
        change.before[outcome.table], change.after[outcome.table] = outcome.before, (outcome.status, outcome.after)

    key = f"vacuum-tables-{planned.target}-progress"
    async with watching(planned.watcher) as watch:
        work = Work(planned, watch, tell)
        described = f"Vacuuming {plural(len(planned.steps), 'table')} of {planned.access.database}"
        async with shown_progress(key, described, work.progress):
            outcomes = await work.run()
    done = sum(outcome.status in _WELL for outcome in outcomes)
    if done < len(outcomes) + len(planned.refused):
        change.result = f"{done} of {plural(len(outcomes) + len(planned.refused), 'table')} vacuumed"
    return outcomes
