"""Look at many targets side by side, a bounded number at once; whatever becomes of one is its own row."""

import asyncio
import contextlib
import datetime as dt
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from atomops.errors import AtomOpsError, TimedOut, is_temporary
from atomops.facts.fleet import FleetFacts, TargetLook, worst_first
from atomops.inventory import Inventory, Target
from atomops.probes.parts import CHECKLISTS, Part
from atomops.reports.redact import redact
from atomops.secret import secrets_in
from atomops.threads import beside
from atomops.verdict import Level
from tasks.judge import report_of
from tasks.probe import outcome_of
from tasks.publish import show
from tasks.target import load_target

_AGAIN_SECONDS = 1.0
_COURTESY_SECONDS = 2.0
_CALM_SECONDS, _TICK_SECONDS = 0.5, 0.02
_GRACE_SECONDS = 30.0  # for judging and publishing, once every part has had its time


class Round:
    """One round through the targets of an inventory.

    Its tasks get it whole: it is no dataclass, so that Prefect does not walk through the inventory for each of them.
    """

    def __init__(self, inventory: Inventory, checklist: str, at_once: int, within: float) -> None:
        self.inventory, self.within = inventory, within
        self.checklist, (self.flow, self.parts) = checklist, CHECKLISTS[checklist]
        self._places = asyncio.Semaphore(at_once)
        self._busy, self._gate = asyncio.Lock(), asyncio.Lock()

    async def of(self, names: Iterable[str]) -> FleetFacts:
        """What was seen of them all, the worst first. Never raises for one of them."""
        looks = await asyncio.gather(*(self._in_turn(name) for name in names))
        return FleetFacts(dt.datetime.now(dt.UTC), self.checklist, worst_first(looks))

    @contextlib.asynccontextmanager
    async def gently(self) -> AsyncIterator[None]:
        """One target at a time, for a while at least: judging all at once makes the probes of others look slow.

        A courtesy: whoever has waited long enough goes on, since a disk that hangs may hold the other for ever.
        """
        waited = asyncio.wait_for(self._busy.acquire(), _COURTESY_SECONDS)
        (mine,) = await asyncio.gather(waited, return_exceptions=True)
        try:
            yield
        finally:
            if mine is True:
                self._busy.release()

    async def _in_turn(self, name: str) -> TargetLook:
        async with self._places:
            async with self._gate:
                await _calm()
            started = time.monotonic()
            try:
                return await look_over(name, self)
            except Exception as error:  # noqa: BLE001 - Prefect's own trouble with one target is that target's row
                return _unseen(name, started, f"{type(error).__name__}: {error}", "look at the log of the flow run")


async def _calm() -> None:
    """The event loop answers at once, or has had half a second for it: targets that all begin at once look slow."""
    given_up = time.monotonic() + _CALM_SECONDS
    while (before := time.monotonic()) < given_up:
        await asyncio.sleep(_TICK_SECONDS)
        if time.monotonic() - before < 3 * _TICK_SECONDS:
            return


@task(task_run_name="{name}", cache_policy=NO_CACHE)
async def look_over(name: str, of: Round) -> TargetLook:
    """The target's own report, kept and shown as its checklist does; its line for the fleet. Never raises."""
    started, target = time.monotonic(), None
    try:
        async with asyncio.timeout(of.within + _GRACE_SECONDS):
            target = await load_target(name, of.inventory)
            return await _report(target, of, started)
    except AtomOpsError as error:  # first: one of them is a TimeoutError too, and says better which step it was
        return _unseen(name, started, _safe(error.what, target), error.action)
    except TimeoutError:
        return _unseen(name, started, f"it did not end within {of.within + _GRACE_SECONDS:g} s", "raise within")
    except Exception as error:  # noqa: BLE001 - a fault in one target must not cost the others theirs
        reason = _safe(f"it could not be judged: {type(error).__name__}: {error}", target)
        return _unseen(name, started, reason, "report this as a bug of Atom Ops")


async def _report(target: Target, of: Round, started: float) -> TargetLook:
    begun = dt.datetime.now(dt.UTC)
    wanted = [part for part in of.parts if not part.missing(target)]
    outcomes = await asyncio.gather(*(outcome_of(part.name, _look(part, target, of.within)) for part in wanted))
    async with of.gently():
        judged = await beside(lambda: report_of(of.flow, target, of.parts, outcomes, begun))
    async with of.gently():
        report = await show(judged, target, outcomes)
    new = (*report.changes.new, *report.changes.worse)
    return TargetLook(target.name, report.level, report.grade, report.summary, time.monotonic() - started, new)


async def _look(part: Part, target: Target, within: float) -> Any:  # noqa: ANN401 - each part has facts of its own type
    """As the task `probe` does, without being one: six tasks a target are most of what a fleet would cost."""
    try:
        async with asyncio.timeout(within):
            try:
                return await part.look(target)
            except AtomOpsError as error:
                if not is_temporary(error) or isinstance(error, TimedOut):
                    raise
                await asyncio.sleep(_AGAIN_SECONDS)
                return await part.look(target)
    except TimeoutError as error:
        if isinstance(error, TimedOut):
            raise
        raise TimedOut(f"{part.name} did not end within {within:g} s", action="look whether it hangs") from error


def history_of(inventory: Inventory, names: Sequence[str]) -> Path:
    """The folder where most of these targets keep their reports: the fleet's own go there too."""
    return Counter(inventory.targets[name].history for name in names).most_common(1)[0][0]


def _unseen(name: str, started: float, reason: str, action: str) -> TargetLook:
    return TargetLook(name, Level.UNKNOWN, "", reason, time.monotonic() - started, action=action)


def _safe(text: str, target: Target | None) -> str:
    return redact(text, (secret.value for secret in secrets_in(target) if secret.value))
