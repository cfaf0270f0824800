"""Find out whether a backup can be made, and with what, before anything is written."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from atomops.backup.preflight import Plan, plan_backup
from atomops.inventory import Target
from tasks.probe import may_succeed_next_time


@task(
    task_run_name="preflight",
    cache_policy=NO_CACHE,
    retries=1,
    retry_delay_seconds=5,
    retry_condition_fn=may_succeed_next_time,
)
async def preflight(target: Target) -> Plan:
    """The databases that are there, and programs that fit the server. Raises what `plan_backup` raises."""
    return await plan_backup(target)
