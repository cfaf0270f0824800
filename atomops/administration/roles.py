"""A user's role: looked at and judged first, then changed in one transaction, exactly one row or nothing."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from psycopg import errors, sql

from atomops.administration.known_roles import constraints, known_roles
from atomops.administration.refusals import in_our_words
from atomops.administration.user_table import UserTable, matching, rows_of, user_table
from atomops.backup.access import Access, changing
from atomops.change.session import changing_session
from atomops.errors import AtomOpsError, TemporaryError
from atomops.facts.user_role import KnownRoles, UserRoleFacts, UserRow
from atomops.inventory import Target
from atomops.plans.user_role import (
    RoleWish,
    is_demotion,
    others_left,
    refused_last,
    refused_role,
    refused_user,
)
from atomops.probes.postgres.connect import Session
from atomops.vacuum.watch import watching, watching_role
from atomops.verdict import Unseen

_STATEMENT_SECONDS = 30
_READ_ONLY = "SET default_transaction_read_only = on"


@dataclass(frozen=True)
class RolePlan:
    """Everything that is known before the change. `statement` is None when there is nothing to be done, or refused."""

    access: Access
    table: UserTable
    wish: RoleWish
    matches: tuple[UserRow, ...]
    more: bool
    known: tuple[KnownRoles, ...]
    refused: Unseen | None
    not_known: Unseen | None
    last_admin: Unseen | None
    admins: tuple[UserRow, ...] | None
    statement: sql.Composed | None

    @property
    def statements(self) -> tuple[str, ...]:
        """What is executed, word for word."""
        return (self.statement.as_string(None),) if self.statement else ()

    @property
    def obstacle(self) -> Unseen | None:
        """Why nothing is to be changed."""
        return self.refused or self.not_known or self.last_admin

    def facts(self, *, dry_run: bool) -> UserRoleFacts:
        """What the report is made of."""
        return UserRoleFacts(
            at=dt.datetime.now(dt.UTC),
            dry_run=dry_run,
            where=self.access.address,
            table=self.table.label,
            profile=self.table.profile,
            user=self.wish.user,
            role=self.wish.role,
            matches=self.matches,
            more=self.more,
            known=self.known,
            admins=self.admins,
            statement="".join(self.statements),
            refused=self.refused,
            not_known=self.not_known,
            last_admin=self.last_admin,
        )


async def plan_role(target: Target, wish: RoleWish) -> RolePlan:
    """Who is meant, what would be executed, or why it is refused; nothing is changed.

    Raises NotThere without such a table, AccessDenied naming the grant, and whatever connecting raises.
    """
    access = changing(target)
    async with changing_session(access, target.changes, statement_timeout=_STATEMENT_SECONDS) as session:
        with in_our_words(access.address):
            await session.execute(_READ_ONLY)
            table = await user_table(session, target, access)
        with in_our_words(access.address, " ".join(each.action for each in table.rights)):
            return await _plan(session, access, table, wish)


async def _plan(session: Session, access: Access, table: UserTable, wish: RoleWish) -> RolePlan:
    matches, more = await matching(session, table, wish)
    known = await known_roles(session, table)
    not_known = refused_role(wish, [each for each in known if each.binding], ()) if _has_enum(known) else None
    if not_known is None:
        named, broken = await constraints(session, table, wish.role)
        known = (*known[:-1], *named, known[-1])
        not_known = refused_role(wish, known, broken)
    refused = refused_user(wish, matches, more=more, table=table.label)
    admins, last_admin, statement = None, None, None
    if refused is None:
        (row,) = matches
        every = await _admins(session, table)
        admins = others_left(row, every, table.users.admin_roles)
        last_admin = refused_last(wish, row, every, table.users.admin_roles)
        if row.role != wish.role:
            refused = table.rights[0] if table.rights else None
            statement = update(table, row, wish.role) if not (refused or not_known or last_admin) else None
    return RolePlan(access, table, wish, matches, more, known, refused, not_known, last_admin, admins, statement)


def _has_enum(known: Sequence[KnownRoles]) -> bool:
    return any(each.binding for each in known)


async def _admins(session: Session, table: UserTable) -> tuple[UserRow, ...]:
    return await rows_of(session, table, _is_admin(table))


def _is_admin(table: UserTable) -> sql.Composed:
    role, admins = sql.Identifier(table.users.role), sql.Literal(list(table.users.admin_roles))
    return sql.SQL("{}::text = ANY ({})").format(role, admins)


def update(table: UserTable, row: UserRow, role: str) -> sql.Composed:
    """The statement: that very row, and only while it has the role that was seen."""
    users = table.users
    assigned = [sql.SQL("{} = {}").format(sql.Identifier(users.role), sql.Literal(role))]
    if users.updated_at and users.updated_at not in table.missing:
        assigned.append(sql.SQL("{} = now()").format(sql.Identifier(users.updated_at)))
    seen = sql.SQL("IS NULL") if row.role is None else sql.SQL("= {}").format(sql.Literal(row.role))
    return sql.SQL("UPDATE {} SET {} WHERE {} = {} AND {} {} RETURNING {}::text, {}::text").format(
        table.identifier,
        sql.SQL(", ").join(assigned),
        sql.Identifier(users.id),
        sql.Literal(row.id),
        sql.Identifier(users.role),
        seen,
        sql.Identifier(users.id),
        sql.Identifier(users.role),
    )


async def set_role(target: Target, plan: RolePlan) -> UserRoleFacts:
    """The row has its new role and was read again after the commit; or nothing was changed, and the facts say why.

    A connection that is lost with the commit is not known to have changed anything: the next run tells.
    Raises TemporaryError naming who has the row locked, AccessDenied naming the grant.
    """
    facts, table = plan.facts(dry_run=False), plan.table
    if plan.statement is None or facts.before is None:
        return facts
    settings, before = target.changes, facts.before
    async with changing_session(plan.access, settings, statement_timeout=_STATEMENT_SECONDS) as session:
        with in_our_words(plan.access.address, " ".join(each.action for each in table.rights)):
            try:
                await _in_one_transaction(session, plan, before, plan.statement)
            except _NobodyLeft as refusal:
                return replace(facts, last_admin=refusal.why, admins=())
            except _Refused as refusal:
                return replace(facts, refused=refusal.why)
            except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
                raise await _locked(target, table, before) from error
            return replace(facts, after=await _read_back(session, table, before))


class _Refused(Exception):
    """Rolls the transaction back."""

    def __init__(self, why: Unseen) -> None:
        super().__init__(why.reason)
        self.why = why


class _NobodyLeft(_Refused):
    """Rolls it back for the sake of the last administrator."""


async def _in_one_transaction(session: Session, plan: RolePlan, before: UserRow, statement: sql.Composed) -> None:
    """Every administrator is locked while they are counted, so that two demotions at a time cannot both pass."""
    table, wish = plan.table, plan.wish
    async with session.transaction():
        locked = await _lock(session, plan, before)
        now = next((each for each in locked if each.id == before.id), None)
        if now is None or now.role != before.role:
            raise _Refused(_changed_meanwhile(before, now))
        last = refused_last(wish, now, locked, table.users.admin_roles)
        if last:
            raise _NobodyLeft(last)
        rows = await (await session.execute(statement)).fetchall()
        if rows != [(before.id, wish.role)]:
            told = f"{len(rows)} rows" if len(rows) != 1 else f"the row to {rows[0]}"
            why = f"the statement would have changed {told}, not exactly one row to {wish.role}"
            raise _Refused(Unseen(why, "look for triggers, rules and policies of the table; nothing was changed"))


async def _lock(session: Session, plan: RolePlan, before: UserRow) -> tuple[UserRow, ...]:
    """The user, and for a demotion every administrator too, in the order of their ids: no two of us deadlock."""
    table = plan.table
    condition = sql.SQL("{} = {}").format(sql.Identifier(table.users.id), sql.Literal(before.id))
    if is_demotion(before.role, plan.wish.role, table.users.admin_roles):
        condition = sql.SQL("{} OR {}").format(condition, _is_admin(table))
    return await rows_of(session, table, condition, lock=True)


def _changed_meanwhile(before: UserRow, now: UserRow | None) -> Unseen:
    if now is None:
        return Unseen(f"{before.label} was deleted meanwhile", "nothing was changed")
    reason = f"somebody else has just made {before.label} {now.role}, who was {before.role} when it was planned"
    return Unseen(reason, "nothing was changed; look who it was, then run it again")


async def _read_back(session: Session, table: UserTable, before: UserRow) -> UserRow | Unseen:
    condition = sql.SQL("{} = {}").format(sql.Identifier(table.users.id), sql.Literal(before.id))
    rows = await rows_of(session, table, condition)
    return rows[0] if rows else Unseen(f"{before.label} was changed, and is gone since", "look who deleted it")


async def _locked(target: Target, table: UserTable, before: UserRow) -> AtomOpsError:
    """Who has locked the row, as far as that can be seen."""
    async with watching(watching_role(target)) as watch:
        found = await watch.on_table(table.oid)
    what = f"{before.label} in {table.label} is locked, or an administrator whose row has to be counted"
    if isinstance(found, Unseen):
        return TemporaryError(f"{what}; by whom is not known: {found.reason}", action=found.action)
    holders = [each for each in found if each.mode != "AccessShareLock"]
    told = "; ".join(f"{each.name} has {each.mode} ({each.detail})" for each in holders[:3])
    action = "nothing was changed; wait until it has ended, or end it, and run it again"
    return TemporaryError(f"{what}: {told or 'by a transaction that has ended since'}", action=action)


async def reach(target: Target) -> tuple[Unseen, ...]:
    """What our role may not do to the users, and the profile's columns that are not there."""
    access = changing(target)
    async with changing_session(access, target.changes, statement_timeout=_STATEMENT_SECONDS) as session:
        with in_our_words(access.address):
            await session.execute(_READ_ONLY)
            table = await user_table(session, target, access)
    absent = [Unseen(f"{table.label} has no column {each}", "mend [users] of the profile") for each in table.missing]
    return (*table.rights, *absent)
