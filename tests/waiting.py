"""Waiting for a condition, never for a time: how fast a machine is decides nothing."""

import time
from collections.abc import Callable
from typing import TypeVar

from atomops import shell

PATIENCE = 180  # seconds; what takes one on an idle machine may take a hundred times as long on a busy one
_PAUSE = 0.05  # seconds between two looks

T = TypeVar("T")


def wait_until(true: Callable[[], T | None], what: str = "it", patience: float = PATIENCE) -> T:
    """The first true value that `true` gives. Fails naming `what`."""
    deadline = time.monotonic() + patience
    while not (found := true()):
        assert time.monotonic() < deadline, f"waited {patience} s in vain for {what}"
        time.sleep(_PAUSE)
    return found


def wait_until_up(server: shell.Server, true: Callable[[], object]) -> None:
    """Until `true`. Fails with the server's log, and at once when it has ended."""
    try:
        wait_until(lambda: not server.is_running() or true(), "the server to be up")
    except AssertionError as error:
        raise AssertionError(f"{error}: {server.tail()}") from error
    assert server.is_running(), server.tail()
