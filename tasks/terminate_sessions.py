"""Terminate idle sessions: look which there are, then end those that are still idle."""

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from atomops.administration import terminating
from atomops.administration.terminating import TerminationPlan
from atomops.facts.terminating import Fate, SessionOutcome
from atomops.humane import plural
from atomops.inventory import Target
from atomops.plans.terminating import TerminationWish
from tasks.change import Change
from tasks.probe import may_succeed_next_time


@task(
    task_run_name="plan-termination",
    cache_policy=NO_CACHE,
    retries=1,
    retry_delay_seconds=1,
    retry_condition_fn=may_succeed_next_time,
)
async def plan(target: Target, wish: TerminationWish) -> TerminationPlan:
    """Which sessions are over a limit, and which are let alone. Raises as `plan_termination`."""
    return await terminating.plan_termination(target, wish)


@task(task_run_name="terminate", cache_policy=NO_CACHE)
async def terminate(target: Target, planned: TerminationPlan, change: Change) -> tuple[SessionOutcome, ...]:
    """What became of every session, on record. Never repeated by itself."""
    change.before = {str(each.pid): each for each in planned.chosen.sessions}
    outcomes = await terminating.terminate(target, planned)
    for each in outcomes:
        get_run_logger().info("%s: %s %s", each.session.label, each.fate, each.reason)
        change.after[str(each.session.pid)] = each.fate
    ended = sum(each.fate is Fate.TERMINATED for each in outcomes)
    change.result = f"{ended} of {plural(len(outcomes), 'session')} terminated"
    return outcomes
