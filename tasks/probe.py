"""Look at one part of a target. A temporary error is tried once more; whatever comes of it is an outcome."""

import asyncio
import time
from collections.abc import Awaitable, Iterable
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from atomops.errors import AtomOpsError, TimedOut, is_temporary
from atomops.facts.outcome import Outcome
from atomops.inventory import Target
from atomops.probes.parts import Part
from atomops.verdict import Unseen


def may_succeed_next_time(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """A wrong password stays wrong; and who did not answer in time has had that time, which a retry would double."""
    error = state.data
    return isinstance(error, Exception) and is_temporary(error) and not isinstance(error, TimedOut)


@task(
    task_run_name="probe-{part.name}",
    cache_policy=NO_CACHE,
    retries=1,
    retry_delay_seconds=1,
    retry_jitter_factor=0.5,
    retry_condition_fn=may_succeed_next_time,
)
async def probe(part: Part, target: Target) -> Any:  # noqa: ANN401 - each part has facts of its own type
    """The facts of one part. Raises the probe's AtomOpsError; every probe bounds its own time."""
    return await part.look(target)


async def look_at(parts: Iterable[Part], target: Target) -> list[Outcome[Any]]:
    """What came of each part that the target is configured for, in their order, all looked at side by side."""
    return await asyncio.gather(*(look(part, target) for part in parts if not part.missing(target)))


async def look(part: Part, target: Target) -> Outcome[Any]:
    """What came of the probe, retries included. Never raises: a failure is an outcome with its reason."""
    return await outcome_of(part.name, probe(part, target))


async def outcome_of(name: str, work: Awaitable[Any]) -> Outcome[Any]:
    """What came of the work. Never raises: a failure is an outcome with its reason."""
    started = time.monotonic()
    try:
        facts = await work
    except AtomOpsError as error:
        return Outcome(name, time.monotonic() - started, unseen=Unseen(error.what, error.action))
    except Exception as error:  # noqa: BLE001 - a fault of one part must not cost the report of all the others
        reason = f"{name} itself failed: {type(error).__name__}: {error}"
        return Outcome(name, time.monotonic() - started, unseen=Unseen(reason, "report this as a bug of Atom Ops"))
    return Outcome(name, time.monotonic() - started, facts=facts)
