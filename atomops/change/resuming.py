"""After a change that was killed: the application runs again, as before it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from atomops.change.journal import Unfinished, forget, unfinished
from atomops.change.restarting import WAS_READY
from atomops.errors import NotThere
from atomops.facts.runtime import Running
from atomops.inventory import Target
from atomops.probes.readiness import until_ready
from atomops.restore.recovery import WHAT as RESTORE
from atomops.restore.recovery import recover
from atomops.runtimes.choose import runtime_of
from atomops.runtimes.runtime import Runtime

Start = Callable[[], Awaitable[None]]
Recovery = Callable[[Target, Unfinished, Start], Awaitable[tuple[str, ...]]]
RECOVERIES: Mapping[str, Recovery] = {RESTORE: recover}  # those that have more to bring back than the application


@dataclass(frozen=True)
class Resumed:
    """What was found, and what was done about it, in sentences."""

    found: str
    done: tuple[str, ...]


async def resume(target: Target) -> Resumed | None:
    """The application runs, and is ready, as before a change that was killed; None when no such was found.

    Call it only with the lock of the target held: else the change may well be alive. Raises what starting and waiting
    raise; then the journal stays, and the next call tries again.
    """
    left, runtime = unfinished(target), _runtime(target)
    if left is None:
        return await _resume_remembered(target, runtime)
    before = left.before

    async def start() -> None:
        if runtime is not None and before is not None:
            await runtime.start(before)

    done = await RECOVERIES.get(left.what, _start_and_wait)(target, left, start)
    forget(target)
    found = f"{left.what} of {left.at:%Y-%m-%d %H:%M:%S} UTC was killed in its step {left.step!r}"
    return Resumed(found, (_what_runs(runtime, before), *done))


async def _resume_remembered(target: Target, runtime: Runtime | None) -> Resumed | None:
    """The runtime itself may know of what we have stopped, wherever that was done."""
    if runtime is None:
        return None
    now = await runtime.describe()
    if now.remembered is None:
        return None
    before = replace(now, wanted=now.remembered)
    await runtime.start(before)
    if target.app is not None:
        await until_ready(target, target.changes.ready_within)
    found = f"{runtime.name} was stopped by a change that did not come to start it again"
    return Resumed(found, (_what_runs(runtime, before),))


async def _start_and_wait(target: Target, left: Unfinished, start: Start) -> tuple[str, ...]:
    """Of one that was not ready before, or did not run, nothing but its start can be expected."""
    await start()
    ran = left.before is None or left.before.wanted > 0
    if target.app is not None and ran and left.details.get(WAS_READY) != "false":
        await until_ready(target, target.changes.ready_within)
    return ()


def _runtime(target: Target) -> Runtime | None:
    try:
        return runtime_of(target)
    except NotThere:
        return None


def _what_runs(runtime: Runtime | None, before: Running | None) -> str:
    if runtime is None or before is None:
        return "no runtime is configured: nothing was started"
    if not before.wanted:
        return f"{runtime.name} did not run before, and was left so"
    return f"{runtime.name} runs as before ({before.wanted} wanted)"
