"""Whether a user's role was changed, why not, and who is left to administer the application."""

from atomops.facts.outcome import Outcome
from atomops.facts.user_role import UserRoleFacts, UserRow
from atomops.humane import plural
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen, known

SECTION = "User role"
_GUIDE = "operations guide"
_SOURCE = "Atom Ops default"
_SHOWN = 20  # rows of evidence


@check("USER-ROLE-RUN", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def run(outcome: Outcome[UserRoleFacts]) -> Reading:
    """The run could begin: the server lets us in, nobody else is changing the target, and there are users."""
    if outcome.facts is None:
        return outcome.reachable("the change of the role")
    seen = outcome.facts
    return Reading(0, f"{seen.table} of {seen.where}, by the profile {seen.profile}")


@check("USER-ROLE-DONE", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def done(seen: UserRoleFacts) -> Reading | Gap:
    """Exactly one row has the new role, and was read again after the commit; a dry run shows what would be done."""
    before, refused = seen.before, seen.refused or seen.not_known or seen.last_admin
    if before is None or refused:
        reason = refused.reason if refused else ""
        return Reading(
            0 if seen.dry_run else 1, f"nothing was changed: {reason}", action="see the finding that refuses it"
        )
    if before.role == seen.role:
        return Reading(0, f"{before.label} is {seen.role} already: nothing was changed", evidence=_steps(seen))
    if seen.dry_run:
        told = f"dry run: {before.label}, now {before.role}, would be made {seen.role}; nothing was changed"
        action = "look at the row, then run it with dry_run=false"
        return Reading(0, told, action=action, evidence=_steps(seen))
    if isinstance(seen.after, Unseen):
        return Reading(1, seen.after.reason, action=seen.after.action)
    if seen.after is None or seen.after.role != seen.role:
        now = seen.after.role if seen.after else "unknown"
        told = f"{before.label} was made {seen.role}, and is {now} again"
        return Reading(1, told, action="ask who or what changes roles", evidence=_steps(seen, seen.after))
    told = f"{before.label} is {seen.role} now, and was {before.role}"
    return Reading(0, told, evidence=_steps(seen, seen.after))


@check("USER-ROLE-REFUSED", section=SECTION, critical=1, unit="refusals", source=_GUIDE)
def refused(seen: UserRoleFacts) -> Reading:
    """Exactly one user is meant, whom nobody else changes meanwhile, and our role may change it."""
    if seen.refused is None:
        return Reading(0, "exactly one user is meant")
    rows = [tuple(each.columns.values()) for each in seen.matches]
    evidence = Evidence.of(seen.matches[0].columns, rows) if rows else None
    return Reading(1, seen.refused.reason, action=seen.refused.action, evidence=evidence)


@check("USER-ROLE-UNKNOWN", section=SECTION, critical=1, unit="roles", source=_SOURCE)
def unknown(seen: UserRoleFacts) -> Reading:
    """The role exists: the profile, the database's own rules, its table of roles or another user knows it."""
    rows = ((each.source, ", ".join(each.roles[:_SHOWN])) for each in seen.known)
    evidence = Evidence.of(("known by", "roles"), rows)
    if seen.not_known:
        return Reading(1, seen.not_known.reason, action=seen.not_known.action, evidence=evidence)
    sources = [each.source for each in seen.known if seen.role in each.roles]
    return Reading(0, f"the role {seen.role} is known by: {', '.join(sources)}", evidence=evidence)


@check("USER-ROLE-LAST-ADMIN", section=SECTION, critical=1, unit="users", source=_SOURCE)
def last_admin(seen: UserRoleFacts) -> Reading | Gap:
    """Somebody else who is active stays administrator, as high as the one who no longer is; counted under lock."""
    if seen.admins is None:
        return Gap(SECTION, "who would be left as administrator: no user was found")
    if seen.last_admin:
        return Reading(1, seen.last_admin.reason, action=seen.last_admin.action)
    rows = ((each.id, each.label, each.role) for each in seen.admins[:_SHOWN])
    told = f"besides, {plural(len(seen.admins), 'active administrator')}"
    return Reading(0, told, evidence=Evidence.of(("id", "user", "role"), rows))


@check("USER-ROLE-INACTIVE", section=SECTION, warning=1, unit="users", source=_SOURCE)
def inactive(seen: UserRoleFacts) -> Reading | Gap:
    """A user who gets a role may log in: one who was suspended keeps it for the day when that ends."""
    user = seen.before
    if user is None:
        return Gap(SECTION, "whether the user is active: no user was found")
    if isinstance(user.active, Unseen):
        raise NotSeen(user.active)
    if known(user.active):
        return Reading(0, f"{user.label} is active")
    return Reading(
        1,
        f"{user.label} is not active",
        action="ask whether a suspended user is meant",
        evidence=Evidence.of(user.columns, [user.columns.values()]),
    )


def _steps(seen: UserRoleFacts, after: UserRow | None = None) -> Evidence:
    """The row, the statement and the row after it, whole."""
    executed = "would be executed" if seen.dry_run else "executed"
    rows = [("the row", _row(seen.before)), (executed, seen.statement), ("the row after it", _row(after))]
    return Evidence.of(("step", "exactly"), [(what, exactly) for what, exactly in rows if exactly])


def _row(user: UserRow | None) -> str:
    return ", ".join(f"{name}={value}" for name, value in user.columns.items()) if user else ""
