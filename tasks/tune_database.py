"""Tune a database: look, and change what is logged of slow statements."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from atomops.administration import tuning
from atomops.administration.tuning import TuningPlan
from atomops.facts.tuning import TuningFacts
from atomops.inventory import Target
from atomops.plans.slow_log import TuningWish
from tasks.change import Change
from tasks.probe import may_succeed_next_time


@task(
    task_run_name="plan-tuning",
    cache_policy=NO_CACHE,
    retries=1,
    retry_delay_seconds=1,
    retry_condition_fn=may_succeed_next_time,
)
async def plan(target: Target, wish: TuningWish, run: str = "") -> TuningPlan:
    """What there is to see, and every statement or refusal, before anything is done. Raises as `plan_tuning`."""
    return await tuning.plan_tuning(target, wish, run)


@task(task_run_name="tune", cache_policy=NO_CACHE)
async def tune(target: Target, planned: TuningPlan, change: Change) -> TuningFacts:
    """What was wanted is in force and on record, or the facts say why not. Never repeated by itself."""
    change.before["slow_log"] = planned.before
    facts = await tuning.tune(target, planned)
    change.after["slow_log"] = facts.after
    if facts.refused:
        change.result = f"refused: {facts.refused.reason}"
    elif not facts.confirmed:
        change.result = "not confirmed"
    return facts
