"""A step that takes more than a moment shows in Prefect how far it is."""

import asyncio

import pytest
from prefect import flow

from atomops.errors import Unreachable
from tasks import progress
from tests.flows.running import artifacts


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_EVERY_SECONDS", 0.1)


class Measured:
    """What measures, and says when it is asked for the second time: what came of the first is over then."""

    def __init__(self, found: float | None) -> None:
        self.found = found
        self.times = 0
        self.again = asyncio.Event()

    async def __call__(self) -> float:
        self.times += 1
        if self.times > 1:
            self.again.set()
        if self.found is None:
            raise Unreachable("the server of the proof is gone")
        return self.found


def test_a_long_step_is_shown_and_ends_at_a_hundred_per_cent() -> None:
    @flow
    async def working() -> None:
        measure = Measured(0.42)
        async with progress.shown_progress("a-long-step", "Working", measure):
            await measure.again.wait()

    asyncio.run(working())

    (shown,) = artifacts("a-long-step")
    assert (shown.type, shown.data) == ("progress", 100.0)


def test_a_step_whose_progress_cannot_be_measured_is_not_kept_from_its_work() -> None:
    @flow
    async def working() -> str:
        measure = Measured(None)
        async with progress.shown_progress("an-unmeasured-step", "Working", measure):
            await measure.again.wait()
        return "done"

    assert asyncio.run(working()) == "done"
    assert artifacts("an-unmeasured-step") == []
