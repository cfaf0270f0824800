"""Wait until the application serves again, and say for how long it did not."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from atomops.errors import AtomOpsError, NotThere, TimedOut
from atomops.inventory import Target
from atomops.probes import health

_EVERY_SECONDS = 0.1
_CALM_SECONDS = 1  # between two questions while it settles
_WATCH_SECONDS = 0.02  # between two questions while we measure how long it refuses


@dataclass(frozen=True)
class Ready:
    """The application answered its readiness endpoint well, after so many seconds and refusals."""

    seconds: float
    refusals: int


async def until_ready(target: Target, within: float) -> Ready:
    """Its readiness endpoint answers 2xx and well. Raises TimedOut with its last words, NotThere without an app."""
    started, refusals, said = time.monotonic(), 0, "nothing"
    async with _asking(target) as ask:
        while (seconds := time.monotonic() - started) < within:
            said = await ask()
            if not said:
                return Ready(time.monotonic() - started, refusals)
            refusals += 1
            await asyncio.sleep(_EVERY_SECONDS)
    action = "look at its error log and at what runs it"
    raise TimedOut(f"the application was not ready within {seconds:.0f} s; it said: {said}", action=action)


async def is_ready(target: Target) -> bool | None:
    """Whether it is ready just now; None without an application to ask."""
    if target.app is None:
        return None
    async with _asking(target) as ask:
        return not await ask()


@dataclass(frozen=True)
class Steadiness:
    """How often it was asked whether it is ready, and refused; `is_ready` is its last answer."""

    is_ready: bool
    asked: int
    refused: int
    last_refusal: str


async def steadiness(target: Target, seconds: float) -> Steadiness | None:
    """What it answers in that time, asked every second, and at its end; None without an application to ask."""
    if target.app is None:
        return None
    end, refusals, asked = time.monotonic() + seconds, [], 0
    async with _asking(target) as ask:
        while True:
            is_last = time.monotonic() >= end
            said, asked = await ask(), asked + 1
            refusals += [said] if said else []
            if is_last:
                return Steadiness(not said, asked, len(refusals), refusals[-1] if refusals else "")
            await asyncio.sleep(min(_CALM_SECONDS, max(0, end - time.monotonic())))


@dataclass
class Watch:
    """When it refused. Times are monotonic seconds."""

    first_refusal: float | None = None
    recovered: float | None = None
    refusals: int = 0
    _refuses: bool = field(default=False, repr=False)

    @property
    def downtime(self) -> float | None:
        """Seconds from the first refused request to the first good one that stayed; None when none was refused."""
        if self.first_refusal is None:
            return None
        return (time.monotonic() if self._refuses else self.recovered or 0) - self.first_refusal

    def saw(self, asked_at: float, *, refused: bool) -> None:
        """One answer, to a question of that moment."""
        if refused:
            self.refusals += 1
            self.first_refusal = self.first_refusal or asked_at
        elif self._refuses:
            self.recovered = time.monotonic()
        self._refuses = refused


@contextlib.asynccontextmanager
async def watching(target: Target) -> AsyncIterator[Watch]:
    """Asked again and again during the block. Without an application nothing is seen."""
    watch = Watch()
    if target.app is None:
        yield watch
        return

    async def go_on() -> None:
        async with _asking(target) as ask:
            while True:
                asked_at = time.monotonic()
                watch.saw(asked_at, refused=bool(await ask()))
                await asyncio.sleep(_WATCH_SECONDS)

    asking = asyncio.create_task(go_on())
    try:
        yield watch
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


@contextlib.asynccontextmanager
async def _asking(target: Target) -> AsyncIterator[health.Question]:
    """Why it is not ready, or "", by one client that is kept."""
    if target.app is None:
        raise NotThere(f"the target {target.name} has no application", action="add [targets.….app] to the inventory")
    async with health.asking_ready(target, target.app) as ask:

        async def asked() -> str:
            try:
                return await ask()
            except AtomOpsError as error:
                return error.what

        yield asked
