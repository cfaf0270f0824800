"""The exchange with all that is around it: the application stopped or restarted, ready again, or all taken back.

However it ends, a cancellation at any moment included, the application has been started as before. What is not settled
then (whether it is ready on the new database) is in the journal, for the next restore or for `atomops resume`.
"""

import asyncio
import datetime as dt
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from atomops.change.journal import Unfinished, forget, remember, unfinished
from atomops.errors import AtomOpsError, PermanentError
from atomops.facts.restore import STOP, Exchange
from atomops.facts.runtime import Running
from atomops.probes.readiness import Watch, is_ready, until_ready, watching
from atomops.restore.course import renames_of
from atomops.restore.databases import look_at_live
from atomops.restore.exchange import Exchanged, Renames, exchange
from atomops.restore.planning import RestorePlan
from atomops.restore.recovery import WAS_READY, WHAT, renames_back
from atomops.restore.sessions import restoring_session
from atomops.verdict import Unseen

_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND usesysid IS NOT NULL"
_EVERY_SECONDS = 0.05
_LOOK_SECONDS = 30
_NOT_RUNNING = "it did not run before the restore, and was not started"
T = TypeVar("T")


@dataclass(frozen=True)
class Served:
    """Whether the application came up again, and why it is not ready, if so."""

    is_up: bool
    problem: Unseen | None = None


@dataclass
class Swap:
    """One exchange. `run` is the flow run's id, for whoever finds it unfinished."""

    plan: RestorePlan
    run: str
    before: Running | None = None
    was_ready: bool | None = None

    async def do(self) -> Exchange:
        """The restored database is live, and the application ready; else the earlier one is live again.

        Raises what stopping, renaming or starting raises when nothing was exchanged: then all is as before, but for an
        application that does not come up again.
        """
        renames = renames_of(self.plan)
        await self._remember(renames)
        async with watching(self.plan.target) as watch:
            exchanged = await self._exchange(renames)
            served = await self._else_started(self._serve())
            if served.problem and self.was_ready and renames.live:
                return await self._else_started(self._go_back(renames, exchanged, watch, served.problem))
        if served.is_up:
            forget(self.plan.target)
        return self._told(renames, exchanged, watch, served.problem)

    async def _remember(self, renames: Renames) -> None:
        """What runs, and was it ready? A run that was killed knows it better than what it has left running."""
        target = self.plan.target
        left = unfinished(target)
        self.was_ready = await is_ready(target)
        running = await self.plan.runtime.describe() if self.plan.runtime else None
        self.before = left.before if left and left.before else running
        details = {"live": renames.name, "comes": renames.comes, "goes": renames.goes}
        details[WAS_READY] = str(bool(self.was_ready)).lower()
        remember(target, Unfinished(WHAT, self.run, dt.datetime.now(dt.UTC), "exchange", self.before, details))

    async def _exchange(self, renames: Renames) -> Exchanged:
        """Stopped first where that is wanted. Whatever fails or is cancelled here brings the application back."""
        try:
            if self._stops:
                await self._stop()
                await self._wait_for_sessions(renames.name)
            return await exchange(self.plan.maintenance, self.plan.target.changes, renames)
        except BaseException as error:
            await self._start_after(error)
            forget(self.plan.target)
            raise

    async def _serve(self) -> Served:
        """Why the application does not serve again; no problem when it is ready, or when nobody can ask."""
        try:
            if self._stops:
                await self._start()
            elif self.plan.runtime and self._runs:
                await self.plan.runtime.restart()
        except AtomOpsError as error:
            return Served(is_up=False, problem=Unseen(error.what, error.action))
        try:
            if self._is_asked:
                await until_ready(self.plan.target, self.plan.target.changes.ready_within)
        except AtomOpsError as error:
            return Served(is_up=True, problem=Unseen(error.what, error.action))
        return Served(is_up=True)

    async def _go_back(self, renames: Renames, exchanged: Exchanged, watch: Watch, why: Unseen) -> Exchange:
        """The earlier database is live again; what came is kept in its place, with whatever was written meanwhile."""
        plan, changes = self.plan, self.plan.target.changes
        try:
            if self._stops:
                await self._stop()
            async with restoring_session(plan.maintenance, changes, seconds=_LOOK_SECONDS) as session:
                live = await look_at_live(session, renames.name)
            back = renames_back(renames.name, live, renames.goes, refused=plan.names.refused, until=plan.until)
            await exchange(plan.maintenance, changes, back)
        except AtomOpsError as error:
            await self._start_after(error)
            problem = Unseen(f"{why.reason}; and it could not be taken back: {error.what}", error.action)
            return self._told(renames, exchanged, watch, problem)
        served = await self._serve()
        if served.is_up:
            forget(plan.target)
        return self._told(renames, exchanged, watch, served.problem, why.reason)

    async def _else_started(self, work: Awaitable[T]) -> T:
        """What comes of the work. Cancelled, or failing in a way that nobody foresaw, it leaves the application up."""
        try:
            return await work
        except BaseException as error:
            await self._start_after(error)
            raise

    async def _start_after(self, error: BaseException) -> None:
        """As many run as before. Raises PermanentError that tells of both when that fails too; it is in the journal."""
        try:
            await self._start()
        except AtomOpsError as worse:
            first = error.what if isinstance(error, AtomOpsError) else "the restore was ended"
            what = f"{first}; and then the application did not start again: {worse.what}"
            raise PermanentError(what, action=f"{worse.action}; atomops resume") from error

    async def _start(self) -> None:
        if self.plan.runtime and self.before and self._runs:
            await self.plan.runtime.start(self.before)

    async def _stop(self) -> None:
        if self.plan.runtime and self.before and self._runs:
            await self.plan.runtime.stop(self.before)

    @property
    def _stops(self) -> bool:
        return self.plan.wanted.quiesce == STOP

    @property
    def _runs(self) -> bool:
        """Whether it ran before: what was stopped by somebody else stays stopped."""
        return self.before is not None and not self.before.is_stopped

    @property
    def _is_asked(self) -> bool:
        return self.plan.target.app is not None and (self.before is None or self._runs)

    async def _wait_for_sessions(self, database: str) -> None:
        """Until none is left, or for so long: users wait. Those of poolers and people are ended by the exchange."""
        changes = self.plan.target.changes
        deadline = time.monotonic() + changes.stop_within
        async with restoring_session(self.plan.maintenance, changes, seconds=_LOOK_SECONDS) as session:
            while time.monotonic() < deadline:
                row = await (await session.execute(_SESSIONS, [database])).fetchone()
                if row is None or row[0] == 0:
                    return
                await asyncio.sleep(_EVERY_SECONDS)

    def _told(
        self, renames: Renames, exchanged: Exchanged, watch: Watch, problem: Unseen | None, went_back: str = ""
    ) -> Exchange:
        return Exchange(
            kept=self.plan.names.refused if went_back else renames.goes if renames.live else "",
            kept_until=renames.until,
            renamed_in=exchanged.seconds,
            ended_sessions=exchanged.ended,
            is_ready=problem is None if self._is_asked else None,
            downtime=watch.downtime if self._is_asked else None,
            refusals=watch.refusals,
            went_back=went_back,
            problem=problem,
            unasked="" if self._is_asked or self.plan.target.app is None else _NOT_RUNNING,
        )
