"""End idle sessions: listed first, then ended only if they are still the very same and still idle."""

import asyncio
import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

from psycopg import errors, sql
from psycopg.rows import class_row, dict_row

from atomops.administration.refusals import in_our_words
from atomops.backup.access import Access, changing
from atomops.change.session import changing_session
from atomops.facts.terminating import Fate, IdleSession, PreparedLeft, SessionOutcome, TerminationFacts
from atomops.inventory import Target
from atomops.plans.terminating import Chosen, TerminationWish, choose
from atomops.plans.vacuum import quoted
from atomops.probes.postgres.connect import Session
from atomops.verdict import Unseen

_STATEMENT_SECONDS = 30
_GONE_WITHIN = 5  # seconds for a session to end once it is asked to
_ASK_AGAIN = 0.1
_WAITS_SINCE = 140_000  # pg_terminate_backend(pid, timeout); PostgreSQL's version numbers
_SIGNAL, _SEE = "pg_signal_backend", "pg_read_all_stats"
_HIDDEN = """
    SELECT current_user::text, count(*) FILTER (WHERE query = '<insufficient privilege>'),
           count(*) FILTER (WHERE state = 'disabled')
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_PREPARED = """
    SELECT gid, owner::text AS owner, prepared, extract(epoch FROM clock_timestamp() - prepared)::float8 AS seconds
    FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared LIMIT 100
"""
_STILL = "SELECT state FROM pg_stat_activity WHERE pid = %s AND backend_start = %s"
_RIGHTS = "SELECT current_user::text, pg_has_role(%s, 'USAGE'), pg_has_role(%s, 'USAGE')"


@dataclass(frozen=True)
class TerminationPlan:
    """The sessions that were found, and what is executed for each."""

    access: Access
    version: int
    role: str
    wish: TerminationWish
    chosen: Chosen
    hidden: Unseen | None
    prepared: tuple[PreparedLeft, ...]

    @property
    def statements(self) -> tuple[str, ...]:
        """What is executed, word for word, a session each."""
        return tuple(self.statement(each).as_string(None) for each in self.chosen.sessions)

    def statement(self, session: IdleSession) -> sql.Composed:
        """It ends only the very session that was seen and has done nothing since: a pid may be used again."""
        wait = sql.SQL(", {}").format(sql.Literal(_GONE_WITHIN * 1000)) if self.version >= _WAITS_SINCE else sql.SQL("")
        return sql.SQL(
            "SELECT pg_terminate_backend(pid{}) FROM pg_stat_activity WHERE pid = {} AND backend_start = {}"
            " AND state = {} AND state_change = {}"
        ).format(
            wait,
            sql.Literal(session.pid),
            sql.Literal(session.backend_start.isoformat(" ")),
            sql.Literal(session.state),
            sql.Literal(session.state_change.isoformat(" ")),
        )

    def planned(self) -> tuple[SessionOutcome, ...]:
        """What would become of each."""
        return tuple(
            SessionOutcome(each, Fate.PLANNED, text) if each.may_signal else self.forbidden(each, text)
            for each, text in zip(self.chosen.sessions, self.statements, strict=True)
        )

    def forbidden(self, session: IdleSession, statement: str) -> SessionOutcome:
        """The session that our role may not end."""
        return SessionOutcome(
            session,
            Fate.FORBIDDEN,
            statement,
            f"the role {self.role} may not end sessions of {session.role}",
            "only a superuser can: use one in changes.dsn" if session.is_superuser else _grant(_SIGNAL, self.role),
        )

    def facts(self, outcomes: Sequence[SessionOutcome], *, dry_run: bool) -> TerminationFacts:
        """What the report is made of."""
        return TerminationFacts(
            at=dt.datetime.now(dt.UTC),
            dry_run=dry_run,
            where=self.access.address,
            role=self.role,
            asked=self.wish.sentence,
            outcomes=tuple(outcomes),
            left_out=self.chosen.left_out,
            more=self.chosen.more,
            hidden=self.hidden,
            prepared=self.prepared,
        )


def _grant(membership: str, role: str) -> str:
    return f"GRANT {membership} TO {quoted(role)};"


async def plan_termination(target: Target, wish: TerminationWish) -> TerminationPlan:
    """Which sessions are over a limit just now, and which of them are let alone; nothing is changed.

    Raises whatever connecting raises.
    """
    access = changing(target)
    async with changing_session(access, target.changes, statement_timeout=_STATEMENT_SECONDS) as session:
        with in_our_words(access.address):
            await session.execute("SET default_transaction_read_only = on")
            found = await _idle(session, wish)
            role, hidden = await _hidden(session)
            async with session.cursor(row_factory=class_row(PreparedLeft)) as cursor:
                prepared = tuple(await (await cursor.execute(_PREPARED)).fetchall())
            version = session.info.server_version
    return TerminationPlan(access, version, role, wish, choose(wish, found), hidden, prepared)


async def _idle(session: Session, wish: TerminationWish) -> list[IdleSession]:
    text = (files(__package__) / "questions" / "idle_sessions.sql").read_text(encoding="utf-8")
    limits: dict[str, Any] = {"in_transaction": wish.idle_in_transaction, "idle": wish.idle}  # None fits nothing
    async with session.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(text.encode(), limits)
        return [IdleSession(**row | {"blocks": tuple(row["blocks"])}) for row in await cursor.fetchall()]


async def _hidden(session: Session) -> tuple[str, Unseen | None]:
    """Our role, and why it does not see what other sessions do."""
    row = await (await session.execute(_HIDDEN)).fetchone()
    role, hidden, disabled = row or ("", 0, 0)
    if hidden:
        reason = f"the role {role} does not see what {hidden} sessions of other roles are doing"
        return str(role), Unseen(reason, _grant(_SEE, str(role)))
    if disabled:
        reason = f"{disabled} sessions do not tell what they are doing"
        return str(role), Unseen(reason, "set track_activities = on")
    return str(role), None


async def terminate(target: Target, plan: TerminationPlan) -> tuple[SessionOutcome, ...]:
    """What became of each session, each read back. One that is at work again, or another's by now, is spared."""
    if not plan.chosen.sessions:
        return ()
    async with changing_session(plan.access, target.changes, statement_timeout=_STATEMENT_SECONDS) as session:
        with in_our_words(plan.access.address, _grant(_SIGNAL, plan.role)):
            return tuple([await _end(session, plan, each) for each in plan.planned()])


async def _end(session: Session, plan: TerminationPlan, planned: SessionOutcome) -> SessionOutcome:
    if planned.fate is Fate.FORBIDDEN:
        return planned
    try:
        rows = await (await session.execute(plan.statement(planned.session))).fetchall()
    except errors.InsufficientPrivilege:
        return plan.forbidden(planned.session, planned.statement)
    if not rows:
        return await _let_live(session, planned)
    return await _read_back(session, planned)


async def _let_live(session: Session, planned: SessionOutcome) -> SessionOutcome:
    """It was not what it had been, so that nothing was done to it."""
    state = await _state(session, planned.session)
    if state is None:
        return replace(planned, fate=Fate.GONE, reason="it had ended before its turn")
    return replace(
        planned, fate=Fate.SPARED, reason=f"it has done something since it was looked at, and is {state} now"
    )


async def _read_back(session: Session, planned: SessionOutcome) -> SessionOutcome:
    deadline = time.monotonic() + _GONE_WITHIN
    while await _state(session, planned.session) is not None:
        if time.monotonic() > deadline:
            reason = f"it was told to end, and is still there after {_GONE_WITHIN} s"
            action = "look at what it waits for (pg_stat_activity.wait_event); a disk or network that hangs"
            return replace(planned, fate=Fate.STAYED, reason=reason, action=action)
        await asyncio.sleep(_ASK_AGAIN)
    return replace(planned, fate=Fate.TERMINATED)


async def _state(session: Session, of: IdleSession) -> str | None:
    """The session's state, None when it is gone."""
    row = await (await session.execute(_STILL, [of.pid, of.backend_start])).fetchone()
    return None if row is None else str(row[0])


async def reach(target: Target) -> tuple[Unseen, ...]:
    """What our role may neither see nor end of other roles' sessions, each with its grant."""
    access = changing(target)
    async with changing_session(access, target.changes, statement_timeout=_STATEMENT_SECONDS) as session:
        with in_our_words(access.address):
            row = await (await session.execute(_RIGHTS, [_SEE, _SIGNAL])).fetchone()
    role, may_see, may_signal = row or ("", False, False)
    lacks = ((may_see, "see what other roles' sessions do", _SEE), (may_signal, "end other roles' sessions", _SIGNAL))
    return tuple(Unseen(f"the role {role} may not {what}", _grant(by, str(role))) for has, what, by in lacks if not has)
