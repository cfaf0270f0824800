"""Switch the profiling of an agent, hold it for a while, and have it off whatever happens to us."""

import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL
from prefect.states import Scheduled

from atomops.administration.endpoint import value_in
from atomops.change import profiling
from atomops.change.profiling import Held
from atomops.facts.cache import Answered
from atomops.inventory import Target
from atomops.verdict import Unseen
from tasks.progress import shown_progress

_MARGIN = dt.timedelta(seconds=90)  # the scheduled run comes when ours should have done it


@dataclass
class Switched:
    """What came of it so far, as the facts have it."""

    on: Answered | None = None
    off: Answered | None = None
    early: bool = False


@task(task_run_name="{word}-{agent}", cache_policy=NO_CACHE)
async def switch(target: Target, agent: str, word: str) -> Answered:
    """What the application answered to `word`, on or off. Never raises what the application did wrong."""
    return await profiling.switch(target, agent, on=word == "on")


@task(task_run_name="finish-left", cache_policy=NO_CACHE)
async def finish_left(target: Target) -> tuple[str, ...]:
    """What killed runs have left on is switched off, and told. Never raises."""
    told = await profiling.finish_left(target)
    if told:
        get_run_logger().warning("; ".join(told))
    return told


@contextlib.asynccontextmanager
async def held_on(target: Target, agent: str, until: dt.datetime, switched: Switched) -> AsyncIterator[None]:
    """On during the block, if the application agrees; off afterwards, however it ends. Raises Busy."""
    now = dt.datetime.now(dt.UTC)
    async with profiling.held(target, Held(agent, str(flow_run.id or ""), now, until)):
        try:
            switched.on = await switch(target, agent, "on")
            yield
        finally:
            if not _was_refused(switched.on):
                switched.off = await profiling.switch(target, agent, on=False)
            if switched.off is None or switched.off.problem is None:
                profiling.forget(target, agent)


async def hold(target: Target, agent: str, until: dt.datetime, switched: Switched) -> None:
    """The while is over, or somebody else has switched it off. How far it is shows in the Prefect UI."""
    if switched.on is None or switched.on.problem is not None:
        return
    begun = dt.datetime.now(dt.UTC)

    async def measure() -> float:
        return (dt.datetime.now(dt.UTC) - begun) / max(until - begun, dt.timedelta(seconds=1))

    async with shown_progress(f"profile-agent-{target.name}-progress", f"Profiling {agent}", measure):
        switched.early = not await profiling.until_over(target, agent, until)


@contextlib.asynccontextmanager
async def off_scheduled(target: Target, agent: str, until: dt.datetime) -> AsyncIterator[str | Unseen]:
    """A run of our deployment that switches it off is scheduled for the block, and deleted after it.

    Without a Prefect server or a deployment there is none, and why is told. Where it cannot be deleted it does no harm.
    """
    scheduled = await _schedule(target, agent, until + _MARGIN)
    if isinstance(scheduled, Unseen):
        yield scheduled
        return
    try:
        yield f"the flow run {scheduled} would have switched it off at {until + _MARGIN:%Y-%m-%d %H:%M:%S} UTC"
    except BaseException:
        await _delete(scheduled)
        raise
    await _delete(scheduled)


async def _schedule(target: Target, agent: str, at: dt.datetime) -> UUID | Unseen:
    if not PREFECT_API_URL.value():
        return Unseen("no Prefect server is named: after a kill, atomops resume switches it off")
    parameters = {"target": target.name, "agent": agent, "action": "off"}
    scheduled: State[Any] = Scheduled(scheduled_time=at)
    try:
        async with get_client() as client:
            deployment = await client.read_deployment_by_name("profile-agent/profile-agent")
            made = await client.create_flow_run_from_deployment(
                deployment.id, parameters=parameters, state=scheduled, name=f"profile-agent-{target.name}-off"
            )
    except ObjectNotFound:
        return Unseen("profile-agent is not deployed: after a kill, atomops resume switches it off")
    except Exception as error:  # noqa: BLE001 - a safety net that cannot be had must not cost the work
        return Unseen(f"none could be scheduled ({type(error).__name__}): after a kill, atomops resume switches it off")
    return made.id


async def _delete(run: UUID) -> None:
    try:
        async with get_client() as client:
            await client.delete_flow_run(run)
    except Exception as error:  # noqa: BLE001 - it would only switch off once more what is off
        get_run_logger().info("The scheduled run %s stays (%s): it does no harm", run, type(error).__name__)


def enabled(answered: Answered | None) -> bool | None:
    """What an answer says of "enabled"; None when it says nothing."""
    told = value_in(answered.said, "enabled") if answered is not None else None
    return told if isinstance(told, bool) else None


def _was_refused(answered: Answered | None) -> bool:
    """The application itself said no: nothing is on. No answer, or a failure of its own, may have switched it on."""
    return answered is not None and answered.status is not None and 300 <= answered.status < 500  # noqa: PLR2004
