"""The application's tables for a report: a profile's questions with the flow's parameters, bound by the server."""

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import psycopg

from atomops.errors import NotThere, TimedOut
from atomops.facts.application import AgentFacts, ApplicationFacts, EpisodeFacts, Given, SkillFacts, UserFacts
from atomops.facts.postgres import Answer, Cell, Server
from atomops.inventory import Postgres, Target
from atomops.probes.logs.fingerprint import clean, shorten
from atomops.probes.postgres.application import cell, obstacle, recognise
from atomops.probes.postgres.catalogue import server_of, unseen
from atomops.probes.postgres.connect import Session
from atomops.probes.postgres.session import address, read_only_session
from atomops.profiles import candidates
from atomops.profiles.profile import AskedBy, Profile, Question
from atomops.questions import found
from atomops.verdict import Unseen

Cursor = psycopg.AsyncCursor[tuple[object, ...]]
Facts = TypeVar("Facts", bound=ApplicationFacts)
_MOST_ROWS = 200  # of an answer, whatever its statement says
_LONGEST = 300  # characters of a cell
_GRACE = 5  # seconds for what comes before the statements, and for the last one's time-out to reach us
_LEAST = 0.1  # seconds that make it worth asking at all
_TIME_OUT = "SELECT set_config('statement_timeout', %s, false)"
_EXAMPLES: Mapping[str, Given] = {
    **dict.fromkeys(("agent", "skill", "user"), ""),
    **dict.fromkeys(("hours", "older_than_days", "limit"), 1),
    "admin_roles": (),
}


async def look_at_agents(target: Target, *, agent: str = "", hours: float = 24, limit: int = 20) -> AgentFacts:
    """Every answer on agents, each by itself. Raises AccessDenied, NotThere, Unreachable or TimedOut."""
    return await _look(target, "agents", AgentFacts, {"agent": agent, "hours": hours, "limit": limit})


async def look_at_skills(target: Target, *, skill: str = "", hours: float = 24, limit: int = 20) -> SkillFacts:
    """Every answer on skills, each by itself. Raises AccessDenied, NotThere, Unreachable or TimedOut."""
    return await _look(target, "skills", SkillFacts, {"skill": skill, "hours": hours, "limit": limit})


async def look_at_episodes(target: Target, *, older_than_days: int = 30, limit: int = 20) -> EpisodeFacts:
    """Every answer on episodes, each by itself. Raises AccessDenied, NotThere, Unreachable or TimedOut."""
    return await _look(target, "episodes", EpisodeFacts, {"older_than_days": older_than_days, "limit": limit})


async def look_at_users(target: Target, *, user: str = "", limit: int = 50) -> UserFacts:
    """Every answer on users, each by itself. Raises AccessDenied, NotThere, Unreachable or TimedOut."""
    return await _look(target, "users", UserFacts, {"user": user, "limit": limit})


async def reach(target: Target, part: AskedBy) -> tuple[Server, Mapping[str, Unseen]]:
    """The server, and every question that it could not answer: each is planned and checked, none is run."""
    settings, profiles = _settings(target)
    async with _bounded(settings), read_only_session(settings) as session:
        server = await server_of(session)
        profile = await recognise(session, profiles)
        if isinstance(profile, Unseen):
            return server, {"profile": profile}
        gaps = {each.code: await _planned(session, server, each) for each in profile.questions if part in each.parts}
    return server, {code: gap for code, gap in gaps.items() if gap is not None}


async def _look(target: Target, part: AskedBy, kind: type[Facts], parameters: Mapping[str, Given]) -> Facts:
    settings, profiles = _settings(target)
    deadline = time.monotonic() + settings.deadline
    async with _bounded(settings), read_only_session(settings) as session:
        server = await server_of(session)
        profile = await recognise(session, profiles)
        asking = _Asking(session, server, settings.statement_timeout, deadline, dict(parameters))
        if isinstance(profile, Profile):
            asking.take(profile)
            await asking.ask(_asked(profile, part, parameters))
    return kind(
        at=dt.datetime.now(dt.UTC),
        server=server,
        profile=profile.name if isinstance(profile, Profile) else profile,
        parameters=asking.given,
        answers=asking.answers,
    )


def _settings(target: Target) -> tuple[Postgres, tuple[Profile, ...]]:
    if target.postgres is None:
        raise NotThere(f"the target {target.name} has no database", action="add [targets.….postgres] to the inventory")
    return target.postgres, candidates(target.profile)


@contextlib.asynccontextmanager
async def _bounded(settings: Postgres) -> AsyncIterator[None]:
    """Each statement is bounded by the server; this is for one that does not keep to it."""
    try:
        async with asyncio.timeout(settings.deadline + _GRACE):
            yield
    except TimedOut:  # it is a TimeoutError too, and says better which step it was
        raise
    except TimeoutError as error:
        what = f"{address(settings)} answered, but not everything within {settings.deadline:g} s"
        raise TimedOut(what, action="raise postgres.deadline, or look at the server's load") from error


def _asked(profile: Profile, part: AskedBy, given: Mapping[str, Given]) -> list[Question]:
    """What this look asks; first of all what its parameters mean."""
    mine = [each for each in profile.questions if part in each.parts]
    wanted = [each for each in mine if not (name := each.finds or each.needs) or given[name]]
    return sorted(wanted, key=lambda each: not each.finds)


@dataclass
class _Asking:
    """The questions of one look, in one session. `given` changes as parameters are looked up."""

    session: Session
    server: Server
    statement_timeout: float
    deadline: float  # of the monotonic clock
    given: dict[str, Given]
    answers: dict[str, Answer | Unseen] = field(default_factory=dict)
    _unfound: dict[str, Unseen] = field(default_factory=dict)

    def take(self, profile: Profile) -> None:
        """What the profile itself gives to questions."""
        if profile.users is None:
            action = "add [users] with admin_roles to its profile.toml"
            self._unfound["admin_roles"] = Unseen(f"the profile {profile.name} does not say who administers", action)
        else:
            self.given["admin_roles"] = profile.users.admin_roles

    async def ask(self, questions: Iterable[Question]) -> None:
        """Every question has its answer, or the reason why it has none. Raises Unreachable for a lost session."""
        for question in questions:
            lost = [self._unfound[name] for name in question.parameters if name in self._unfound]
            self.answers[question.code] = lost[0] if lost else await self._answer(question)

    async def _answer(self, question: Question) -> Answer | Unseen:
        rows = await self._rows(question)
        if isinstance(rows, Unseen) or not question.finds:
            return _legible(rows)
        meant = found(question, rows, self.given[question.finds])
        if isinstance(meant, Unseen):
            self._unfound[question.finds] = meant
            return meant
        self.given[question.finds] = meant.id
        return _legible(meant.answer)

    async def _rows(self, question: Question) -> Answer | Unseen:
        seconds = min(self.statement_timeout, self.deadline - time.monotonic())
        if seconds < _LEAST:
            action = "raise postgres.deadline, or look at the server's load"
            return Unseen("not asked: the statements before it took all of postgres.deadline", action)
        try:
            await self.session.execute(_TIME_OUT, [str(int(seconds * 1000))])
            unreadable = await obstacle(self.session, self.server, question)
            return unreadable or await _fetch(self.session, question, self.given)
        except psycopg.Error as error:
            return unseen(error, self.session, self.server)


async def _fetch(session: Session, question: Question, given: Mapping[str, Given]) -> Answer:
    cursor = await _execute(session, question, given)
    rows = await cursor.fetchmany(_MOST_ROWS)
    columns = tuple(column.name for column in cursor.description or ())
    return Answer(columns, tuple(tuple(map(cell, row)) for row in rows))


async def _execute(session: Session, question: Question, given: Mapping[str, Given], before: str = "") -> Cursor:
    """A statement with parameters goes without its header, whose percent signs would be taken for more of them."""
    if question.parameters:
        bound = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
        return await session.execute((before + question.statement).encode(), bound)
    return await session.execute((before + question.sql).encode())


def _legible(answer: Answer | Unseen) -> Answer | Unseen:
    """Text of anybody on one line, not endless, and without what looks like a password, token or key."""
    if isinstance(answer, Unseen):
        return answer
    return replace(answer, rows=tuple(tuple(map(_legible_cell, row)) for row in answer.rows))


def _legible_cell(value: Cell) -> Cell:
    return shorten(clean(value), _LONGEST) if isinstance(value, str) else value


async def _planned(session: Session, server: Server, question: Question) -> Unseen | None:
    try:
        unreadable = await obstacle(session, server, question)
        if unreadable is None:
            await _execute(session, question, _EXAMPLES, "EXPLAIN ")
    except psycopg.Error as error:
        return unseen(error, session, server)
    return unreadable
