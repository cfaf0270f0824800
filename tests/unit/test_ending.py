import asyncio
import os
import signal

import pytest

from atomops.change.ending import cancelled_by_sigterm


async def _ended_by_signals(done: list[str], times: int) -> None:
    with cancelled_by_sigterm():
        loop = asyncio.get_running_loop()
        for number in range(times):  # raised inside a callback of the loop, where an exception would be lost
            loop.call_later(0.01 * (number + 1), os.kill, os.getpid(), signal.SIGTERM)
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(0.1)
            done.append("brought back")


@pytest.mark.parametrize("times", [1, 3])
def test_sigterm_cancels_the_task_once_and_lets_it_clear_up(times: int) -> None:
    done: list[str] = []
    earlier = signal.getsignal(signal.SIGTERM)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(_ended_by_signals(done, times))
    assert done == ["brought back"]
    assert signal.getsignal(signal.SIGTERM) is earlier


def test_outside_the_main_thread_signals_are_left_to_whoever_has_them() -> None:
    async def quiet() -> str:
        with cancelled_by_sigterm():
            return "done"

    async def beside() -> str:
        return await asyncio.to_thread(asyncio.run, quiet())

    assert asyncio.run(beside()) == "done"
