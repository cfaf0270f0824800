"""Set a user's role: look who is meant and what is refused, then change exactly one row."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from atomops.administration import roles
from atomops.administration.roles import RolePlan
from atomops.facts.user_role import UserRoleFacts, UserRow
from atomops.inventory import Target
from atomops.plans.user_role import RoleWish
from tasks.change import Change
from tasks.probe import may_succeed_next_time


@task(
    task_run_name="plan-user-role",
    cache_policy=NO_CACHE,
    retries=1,
    retry_delay_seconds=1,
    retry_condition_fn=may_succeed_next_time,
)
async def plan(target: Target, wish: RoleWish) -> RolePlan:
    """The row, the statement and every refusal, before anything is done. Raises as `plan_role`."""
    return await roles.plan_role(target, wish)


@task(task_run_name="set-user-role", cache_policy=NO_CACHE)
async def set_role(target: Target, planned: RolePlan, change: Change) -> UserRoleFacts:
    """Exactly one row or nothing, on record with its old and new value. Never repeated by itself."""
    facts = await roles.set_role(target, planned)
    if facts.before:
        change.before["user"] = facts.before
    change.after["user"] = facts.after
    change.result = _result(facts)
    return facts


def _result(facts: UserRoleFacts) -> str:
    refused = facts.refused or facts.not_known or facts.last_admin
    if refused:
        return f"refused: {refused.reason}"
    if not facts.statement:
        return "nothing to do"
    return "done" if isinstance(facts.after, UserRow) and facts.after.role == facts.role else "not confirmed"
