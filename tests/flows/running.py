"""Run a flow as a worker would: on an inventory, on time or late; and read what it left in Prefect."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import State
from prefect.flow_engine import run_flow
from prefect.flows import Flow
from prefect.states import Pending, Scheduled

AnyFlow = Flow[..., Any]


def write(path: Path, top: str = "", **parts: str) -> None:
    """The inventory of one target, `test`, with its history beside it."""
    lines = ["[targets.test]", f'history = "{path.parent}/history"', top]
    lines += [f"[targets.test.{name}]\n{settings}" for name, settings in parts.items()]
    path.write_text("\n".join(lines), encoding="utf-8")


def run(flow: AnyFlow, **parameters: object) -> tuple[State[Any], Any]:
    """How it ended, and its report or the error that it raised."""

    async def whole() -> tuple[State[Any], Any]:
        begun: Any = flow(target="test", **parameters, return_state=True)
        state: State[Any] = await begun
        return state, await state.aresult(raise_on_failure=False)

    return asyncio.run(whole())


def run_late(flow: AnyFlow, planned: dt.datetime) -> State[Any]:
    """How a run of that time ends when a returning worker makes up for it now."""
    parameters = {"target": "test"}

    async def made_up_for() -> State[Any]:
        async with get_client() as client:
            scheduled: State[Any] = Scheduled(scheduled_time=planned)
            flow_run = await client.create_flow_run(flow, parameters=parameters, state=scheduled)
            await client.set_flow_run_state(flow_run.id, Pending())
            flow_run = await client.read_flow_run(flow_run.id)
        ended: Any = run_flow(flow, flow_run, parameters, return_type="state")
        state: State[Any] = await ended
        return state

    return asyncio.run(made_up_for())


def artifacts(key: str) -> list[Any]:
    """Every artifact of that key."""

    async def read() -> list[Any]:
        async with get_client() as client:
            return await client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key])))

    return asyncio.run(read())
