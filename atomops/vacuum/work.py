"""Vacuum table by table, several side by side, each in a session of its own that ends with us."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import psycopg
from psycopg.errors import Diagnostic

from atomops.change.session import changing_session
from atomops.errors import AtomOpsError
from atomops.facts.vacuum import Status, TableOutcome, TableState
from atomops.humane import span
from atomops.plans.vacuum import Step, grant, statistics_apart
from atomops.plans.vacuum_seen import rows_counted, shows
from atomops.probes.postgres.connect import Session
from atomops.vacuum.plan import VacuumPlan, session_name
from atomops.vacuum.refusals import Told, Warned, locked_by, of_error, of_warnings
from atomops.vacuum.statements import DATABASE_STATISTICS, settings, statement
from atomops.vacuum.watch import Watch
from atomops.verdict import Unseen

_CONFIRMED_WITHIN = 5  # seconds: before 15 the server's statistics come up to half a second later
_ASK_AGAIN = 0.1
_LEAST = 1.0  # seconds that a statement gets, whatever is left of the window

Tell = Callable[[TableOutcome], None]


@dataclass
class Work:
    """A run under way. `begun` is the monotonic clock's; nothing starts after the window or outlives its grace."""

    plan: VacuumPlan
    watch: Watch
    tell: Tell
    begun: float = field(default_factory=time.monotonic)
    outcomes: dict[int, TableOutcome] = field(default_factory=dict)
    at_work: dict[int, Step] = field(default_factory=dict)
    lost: Unseen | None = None

    async def run(self) -> tuple[TableOutcome, ...]:
        """What became of every step. A table that was locked is tried once more when all others are done."""
        await self._end_left()
        for verb in ("VACUUM", "ANALYZE"):  # the second is of partitioned tables, after their partitions
            steps = [step for step in self.plan.steps if step.verb == verb]
            locked = await self._side_by_side(steps, last=False)
            await self._side_by_side(locked, last=True)
        if statistics_apart(self.plan.steps) and self._may_begin():
            await self._database_statistics()
        return tuple(self.outcomes.values())

    async def progress(self) -> float:
        """From 0 to 1, by the tables' sizes. Raises Unreachable."""
        weights = {step.relation.oid: max(1, step.relation.pages) for step in self.plan.steps}
        done: float = sum(weights[oid] for oid in self.outcomes)
        seen = await self.watch.progress(list(self.at_work))
        done += sum(part * weights[self.at_work[pid].relation.oid] for pid, part in seen.items() if pid in self.at_work)
        return done / max(1, sum(weights.values()))

    async def _end_left(self) -> None:
        """Backends of a run that was killed may go on: before 14 the server does not notice that we are gone."""
        if not self.plan.left:
            return
        async with self._session(_LEAST * 10) as session:
            await session.execute(
                "SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [list(self.plan.left)]
            )

    async def _side_by_side(self, steps: Sequence[Step], *, last: bool) -> list[Step]:
        """The steps whose tables were locked, unless this was the `last` time."""
        waiting, locked = deque(steps), list[Step]()

        async def worker() -> None:
            while waiting:
                step = waiting.popleft()
                outcome = await self._one(step)
                if outcome.status is Status.LOCKED and not last and self._may_begin():
                    locked.append(step)
                    continue
                self.outcomes[step.relation.oid] = outcome
                self.tell(outcome)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self.plan.wish.sessions, len(waiting))):
                group.create_task(worker())
        return locked

    async def _one(self, step: Step) -> TableOutcome:
        text, label = statement(step).as_string(None), step.relation.label
        if self.lost is not None or not self._may_begin():
            over = f"the window of {span(self.plan.wish.within)} was over before its turn"
            why = self.lost or Unseen(over, "raise `within` or `jobs`, or run it again")
            return TableOutcome(label, Status.NOT_STARTED, text, why.reason, why.action, before=step.relation.state)
        found = await self.watch.on_table(step.relation.oid)
        workers = [] if isinstance(found, Unseen) else [each for each in found if each.is_autovacuum]
        if workers and not (self.plan.wish.options.full or self.plan.wish.options.freeze):
            reason = f"{workers[0].name} is an autovacuum worker that does it already ({workers[0].detail})"
            return TableOutcome(label, Status.LEFT, text, reason, before=step.relation.state)
        return await self._vacuum(step, text)

    async def _vacuum(self, step: Step, text: str) -> TableOutcome:
        before = await self.watch.state(step.relation.oid)
        held_by = await self.watch.holders()
        started, warnings = time.monotonic(), list[Warned]()
        told = await self._execute(step, warnings)
        seconds = time.monotonic() - started
        known = before if isinstance(before, TableState) else step.relation.state
        outcome = TableOutcome(step.relation.label, told.status, text, told.reason, told.action, seconds, known)
        if told.status is not Status.DONE:
            return outcome
        return await self._confirmed(step, replace(outcome, held_by=held_by), warnings)

    async def _execute(self, step: Step, warnings: list[Warned]) -> Told:
        label = step.relation.label
        try:
            async with self._session(self._left()) as session:
                session.add_notice_handler(lambda said: _note(said, warnings))
                with self._shown_at_work(session, step):
                    await session.execute(statement(step))
        except AtomOpsError as error:  # of connecting
            self.lost = Unseen(error.what, error.action)
            return Told(Status.NOT_STARTED, error.what, error.action)
        except psycopg.Error as error:
            told = of_error(error, label, in_time=self._left() > _LEAST)
            return told if told.status is not Status.LOCKED else await self._locked(step)
        return Told(Status.DONE)

    async def _locked(self, step: Step) -> Told:
        found = await self.watch.on_table(step.relation.oid)
        return locked_by(step.relation.label, found, full=self.plan.wish.options.full)

    async def _confirmed(self, step: Step, outcome: TableOutcome, warnings: list[Warned]) -> TableOutcome:
        """Done is only what the table's statistics show to be done."""
        told = of_warnings(warnings, outcome.table, grant(step.relation, self.plan.role, self.plan.version))
        if told is not None and told.status is Status.LOCKED:
            told = await self._locked(step)
        if told is not None:
            return _as_told(outcome, told)
        after = await self._seen_done(step, outcome.before)
        if isinstance(after, TableState):
            return replace(outcome, after=rows_counted(step, after))
        return _as_told(outcome, Told(Status.UNCONFIRMED, after.reason, after.action))

    async def _seen_done(self, step: Step, before: TableState | None) -> TableState | Unseen:
        deadline = time.monotonic() + _CONFIRMED_WITHIN
        while True:
            after = await self.watch.state(step.relation.oid)
            if isinstance(after, Unseen):
                return after
            if after is None:
                return Unseen(f"{step.relation.label} was dropped right after it", "take it out of `tables`")
            if shows(step, before, after) is not False:
                return after
            if time.monotonic() >= deadline:
                reason = f"PostgreSQL calls {step.relation.label} done, but its statistics do not show it"
                return Unseen(reason, "look whether track_counts is off, and at the server's log")
            await asyncio.sleep(_ASK_AGAIN)

    async def _database_statistics(self) -> None:
        """Autovacuum does it too, sooner or later: no table suffers when it fails."""
        with contextlib.suppress(psycopg.Error, AtomOpsError):
            async with self._session(self._left()) as session:
                await session.execute(DATABASE_STATISTICS)

    @contextlib.asynccontextmanager
    async def _session(self, seconds: float) -> AsyncIterator[Session]:
        plan = self.plan
        async with changing_session(plan.access, plan.changes, statement_timeout=max(_LEAST, seconds)) as session:
            wanted = {"application_name": session_name(plan.target), **plan.wish.settings}
            for each in settings(wanted.items()):
                await session.execute(each)
            yield session

    @contextlib.contextmanager
    def _shown_at_work(self, session: Session, step: Step) -> Iterator[None]:
        pid = session.info.backend_pid
        self.at_work[pid] = step
        try:
            yield
        finally:
            del self.at_work[pid]

    def _may_begin(self) -> bool:
        return time.monotonic() - self.begun < self.plan.wish.within

    def _left(self) -> float:
        """Seconds until the end of the grace."""
        return self.begun + self.plan.wish.within + self.plan.wish.grace - time.monotonic()


def _as_told(outcome: TableOutcome, told: Told) -> TableOutcome:
    return replace(outcome, status=told.status, reason=told.reason, action=told.action, held_by=())


def _note(said: Diagnostic, warnings: list[Warned]) -> None:
    if said.severity_nonlocalized == "WARNING":
        warnings.append(Warned(said.sqlstate or "", said.message_primary or ""))
