"""The guide's Update User Role."""

import datetime as dt
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.facts.user_role import UserRoleFacts
from atomops.inventory import Target
from atomops.parameters import RoleName, TargetName, UserName
from atomops.plans.user_role import RoleWish
from atomops.probes.parts import USER_ROLE
from tasks.change import change
from tasks.judge import judge
from tasks.probe import outcome_of
from tasks.publish import final_state, publish
from tasks.set_user_role import plan, set_role
from tasks.target import load_target

PARTS = (USER_ROLE,)


@flow(name="set-user-role", flow_run_name="set-user-role-{target}")
async def set_user_role(
    target: TargetName = "production", *, user: UserName, role: RoleName, dry_run: bool = True
) -> State[Any]:
    """Give one user another role: exactly one row or nothing, never an unknown role, never without an administrator.

    Nobody else changes the target meanwhile; the old and the new role are on record.
    Runbook: docs/runbook/set-user-role.md

    Args:
        target: The installation, as the inventory calls it.
        user: An id, an e-mail address or a user name; or which of them, such as id:42, email:a@b.example.
        role: The new role. One that neither the profile nor the database knows is refused.
        dry_run: Only show the row as it is, and the exact statement.
    """
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    outcome = await outcome_of("the role", _set(world, RoleWish(user, role), dry_run=dry_run))
    report = await judge("set-user-role", world, PARTS, [outcome], started_at)
    return final_state(await publish(report, world, [outcome]))


async def _set(world: Target, wish: RoleWish, *, dry_run: bool) -> UserRoleFacts:
    async with change(world, "set-user-role", vars(wish), dry_run=dry_run) as it:
        planned = await plan(world, wish)
        it.plan = planned.statements
        return planned.facts(dry_run=True) if dry_run else await set_role(world, planned, it)
