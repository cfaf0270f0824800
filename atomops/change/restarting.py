"""Restart the application, and have it running whatever happens meanwhile."""

import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from atomops.change.journal import Unfinished, forget, remember
from atomops.errors import AtomOpsError
from atomops.facts.runtime import Running
from atomops.inventory import Target
from atomops.probes.readiness import is_ready, until_ready, watching
from atomops.runtimes.runtime import NotComingUp, Runtime
from atomops.verdict import Unseen

WHAT = "restart-service"
WAS_READY = "was_ready"  # among the journal's details: "false" when the application was not, before it was touched


@dataclass(frozen=True)
class Restarted:
    """What a restart came to, in seconds. `problem` is why it counts as failed, `said` what did not come up said.

    `was_ready` is None without an application to ask.
    """

    was_ready: bool | None
    took: float
    downtime: float | None
    refusals: int
    problem: Unseen | None = None
    said: tuple[str, ...] = ()


@dataclass
class Guard:
    """`runs` says whether the application runs as before, for all that is known."""

    runs: bool = True


@contextlib.asynccontextmanager
async def runs_afterwards(
    target: Target, runtime: Runtime, before: Running, what: str, run: str
) -> AsyncIterator[Guard]:
    """When the block fails or is cancelled, what ran `before` is started again; `atomops resume` does it after a kill.

    Raises what the block raises; then the journal is kept if even starting has failed.
    """
    details = {WAS_READY: "false" if await is_ready(target) is False else "true"}
    remember(target, Unfinished(what, run, dt.datetime.now(dt.UTC), "restart", before, details))
    guard = Guard()
    try:
        yield guard
    except BaseException as error:
        await _start_again(target, runtime, before, error)
        raise
    if guard.runs:
        forget(target)


async def _start_again(target: Target, runtime: Runtime, before: Running, error: BaseException) -> None:
    try:
        await runtime.start(before)
    except AtomOpsError as failure:
        error.add_note(f"and {runtime.name} could not be started again: {failure}; run: atomops resume")
    else:
        forget(target)


async def restart(target: Target, runtime: Runtime) -> Restarted:
    """Every instance is a new one, and the application ready; or the result says why not. Raises no AtomOpsError."""
    was_ready = await is_ready(target)
    started, took = time.monotonic(), None
    problem, said = None, tuple[str, ...]()
    async with watching(target) as watch:
        try:
            await runtime.restart()
            took = time.monotonic() - started
            if target.app is not None:
                await until_ready(target, target.changes.ready_within)
        except AtomOpsError as error:
            problem = Unseen(error.what, error.action)
            said = error.evidence if isinstance(error, NotComingUp) else ()
    return Restarted(was_ready, took or time.monotonic() - started, watch.downtime, watch.refusals, problem, said)


@dataclass(frozen=True)
class TakenBack:
    """What taking back came to, in a sentence; `runs` when the application runs as before, and is ready."""

    told: str
    runs: bool


async def take_back(target: Target, runtime: Runtime, before: Running, *, undo: bool) -> TakenBack:
    """What ran before runs again: its earlier revision with `undo`, else only started. Raises no AtomOpsError."""
    how = "taken back" if undo else "left as it is, and started where it did not run"
    try:
        await (runtime.undo(before) if undo else runtime.start(before))
        if target.app is not None:
            await until_ready(target, target.changes.ready_within)
    except AtomOpsError as error:
        return TakenBack(f"{how}, but it does not serve: {error.what}", runs=False)
    told = "it is ready again" if target.app else "its instances are up, whether they are ready nobody could ask"
    return TakenBack(f"{how}; {told}", runs=True)
