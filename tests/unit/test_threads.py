import asyncio
import threading

import pytest

from atomops.threads import beside, start
from tests.waiting import PATIENCE


def test_the_result_of_work_beside_us_comes_back() -> None:
    assert asyncio.run(beside(lambda: 42)) == 42


def test_an_error_of_the_work_belongs_to_whoever_waits() -> None:
    def fail() -> None:
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        asyncio.run(beside(fail))


def test_who_stops_waiting_leaves_the_work_to_itself() -> None:
    go_on = threading.Event()
    work = start(lambda: go_on.wait(PATIENCE))

    async def wait() -> None:
        await asyncio.wait_for(beside(lambda: go_on.wait(PATIENCE)), 0.05)

    with pytest.raises(TimeoutError):
        asyncio.run(wait())
    go_on.set()
    assert work.result(30)
