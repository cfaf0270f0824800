"""SIGTERM ends a change as Ctrl-C does: its task is cancelled, and everything that must be brought back is."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType

Handler = Callable[[int, FrameType | None], None]


@contextlib.contextmanager
def cancelled_by_sigterm() -> Iterator[Handler | None]:
    """SIGTERM cancels the calling task, once, wherever the main thread is just then.

    Prefect's own handler raises an exception instead, and one raised inside a callback of the event loop is lost: the
    change would go on as if nobody had asked it to end. A second signal must not interrupt the clearing up. Yields the
    handler; None outside the main thread, where signals go elsewhere.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    asked = False

    def end() -> None:
        nonlocal asked
        if task is not None and not asked and not task.cancelling():
            asked = True
            task.cancel()

    def handle(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(end)

    try:
        earlier = signal.signal(signal.SIGTERM, handle)
    except ValueError:  # not the main thread
        yield None
        return
    try:
        yield handle
    finally:
        signal.signal(signal.SIGTERM, earlier)
