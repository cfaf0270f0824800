"""Work that blocks, beside the rest of the program, and without keeping it alive: a store may hang for ever."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def start(work: Callable[[], T]) -> Future[T]:
    """What will come of the work. Its thread is a daemon: unlike a pool's, it cannot hold up our exit.

    It knows whatever its caller does by context variables, such as the flow run that it works for.
    """
    context = contextvars.copy_context()
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()  # so that nobody who gives up waiting cancels it under the thread's hands

    def run() -> None:
        try:
            future.set_result(context.run(work))
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


async def beside(work: Callable[[], T]) -> T:
    """The result of the work. Whoever stops waiting leaves it behind, so it had better bound its own time."""
    return await asyncio.wrap_future(start(work))
