"""Containers of Docker by one exact label, through Docker's own client."""

import asyncio
import datetime as dt
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from atomops import threads
from atomops.errors import NotThere, PermanentError, TimedOut
from atomops.facts.runtime import Instance, Running
from atomops.inventory.runtime import Docker
from atomops.runtimes.docker_engine import Engine, State, opened
from atomops.runtimes.runtime import NotComingUp

T = TypeVar("T")

_EVERY_SECONDS = 0.2
_STEADY_SECONDS = 5  # that a container without a health check must run without being started anew
_LINES = 20  # of a container's log, as evidence
_RECENT = dt.timedelta(hours=1)
_NO_REVISIONS = "Docker knows no earlier revision of a container: undo only starts what does not run"


@dataclass(frozen=True)
class DockerRuntime:
    """Every container with the label; those that were stopped before stay so."""

    settings: Docker

    @property
    def name(self) -> str:
        """Such as "containers with com.docker.compose.service=atom-backend"."""
        return f"containers with {self.settings.label}"

    async def describe(self) -> Running:
        """Each container that is there, in the order of their names. Raises NotThere when none is."""
        states = await self._states()
        running = [state for state in states if state.is_running]
        idle = [state for state in states if not state.is_running]
        notes = (_NO_REVISIONS, *(f"{state.name} is {state.shown} and stays so" for state in idle))
        return Running("docker", len(running), tuple(map(_instance, running)), notes=notes)

    async def stop(self, before: Running) -> None:
        """None of the containers of `before` runs; each had the time that it is configured to get."""
        for instance in before.instances:
            await self._change(partial(Engine.stop, name=instance.name))
        left = [state.name for state in await self._states() if state.is_running]
        if left:
            action = "what starts it again? look at: docker events"
            raise TimedOut(f"{', '.join(left)} runs after it was stopped", action=action)

    async def start(self, before: Running) -> None:
        """The containers of `before` run and are healthy, one after another. Raises NotComingUp or NotThere."""
        for instance in before.instances:
            state = await self._state(instance.name)
            if not state.is_running:
                await self._change(partial(Engine.start, name=instance.name))
            await self._until_up(instance.name)

    async def restart(self) -> None:
        """Every running container was restarted, one at a time; the first that does not come back ends it.

        Raises NotComingUp, with those that were not touched in its evidence.
        """
        waiting = [state for state in await self._states() if state.is_running]
        _raise_if_ourselves(waiting)
        while waiting:
            state, *waiting = waiting
            await self._change(partial(Engine.restart, name=state.name))
            try:
                await self._until_up(state.name, but_not=state.started_at)
            except NotComingUp as error:
                untouched = tuple(f"{each.name} was not touched, and runs" for each in waiting)
                raise NotComingUp(error.what, action=error.action, evidence=(*error.evidence, *untouched)) from error

    async def undo(self, before: Running) -> None:
        """The containers of `before` run: there is no earlier revision to go back to. Raises as `start`."""
        await self.start(before)

    async def logs(self, since: dt.datetime) -> tuple[str, ...]:
        """The last lines of every container since then."""
        names = [state.name for state in await self._states()]
        told = [await self._log(name, since, self.settings.log_lines) for name in names]
        return tuple(line for lines in told for line in lines)

    async def _until_up(self, name: str, *, but_not: str = "") -> None:
        """Another process than the one that began then runs, and is healthy; without a health check, it is steady."""
        since = time.monotonic()
        first = state = await self._state(name)
        while (seconds := time.monotonic() - since) < self.settings.within:
            if problem := state.hopeless or _started_anew(state, first):
                raise await self._not_coming_up(state, problem)
            if state.is_ready and state.started_at != but_not and (state.health or seconds >= _STEADY_SECONDS):
                return
            await asyncio.sleep(_EVERY_SECONDS)
            state = await self._state(name)
        raise await self._not_coming_up(state, f"is {state.shown} after {self.settings.within:g} s")

    async def _not_coming_up(self, state: State, problem: str) -> NotComingUp:
        said = (f"its health check says: {state.said}",) if state.said else ()
        log = await self._log(state.name, dt.datetime.now(dt.UTC) - _RECENT, _LINES)
        action = f"look at: docker logs {state.name}"
        return NotComingUp(f"container {state.name} {problem}", action=action, evidence=(*said, *log))

    async def _log(self, name: str, since: dt.datetime, lines: int) -> tuple[str, ...]:
        told = await self._ask(partial(Engine.logs, name=name, since=since, lines=lines))
        return tuple(f"{name}: {line}" for line in told)

    async def _state(self, name: str) -> State:
        return await self._ask(partial(Engine.state, name=name))

    async def _states(self) -> list[State]:
        states = await self._ask(partial(Engine.states, label=self.settings.label))
        mine = sorted((each for each in states if not each.is_one_off), key=lambda each: each.name)
        if not mine:
            action = "look at: docker ps --all --format '{{.Names}} {{.Labels}}'; correct runtime.label"
            raise NotThere(f"there are no {self.name}", action=action)
        return mine

    async def _ask(self, question: Callable[[Engine], T]) -> T:
        """Every question bounds its own time."""

        def work() -> T:
            with opened(self.settings) as engine:
                return question(engine)

        return await threads.beside(work)

    async def _change(self, order: Callable[[Engine], None]) -> None:
        """Carried out also when we are cancelled meanwhile: half a restart would be a stop."""
        doing = asyncio.ensure_future(self._ask(order))
        try:
            await asyncio.shield(doing)
        except asyncio.CancelledError:
            await asyncio.wait({doing})
            raise


def _started_anew(state: State, first: State) -> str:
    if state.restarts > first.restarts:
        return "ends again and again: its restart policy has started it anew"
    return ""


def _raise_if_ourselves(states: Iterable[State]) -> None:
    """In a container, the host name is the beginning of its id, unless somebody has set another one."""
    ourselves = [state.name for state in states if state.id.startswith(socket.gethostname())]
    if ourselves:
        action = "give the worker's container another label, or restart from outside"
        raise PermanentError(f"we run in {ourselves[0]} ourselves, and cannot restart it", action=action)


def _instance(state: State) -> Instance:
    return Instance(
        name=state.name,
        state=state.shown,
        is_ready=state.is_ready,
        started_at=dt.datetime.fromisoformat(state.started_at[:19] + "+00:00"),
        version=state.image,
        restarts=state.restarts,
        problem=state.hopeless,
    )
