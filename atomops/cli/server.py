"""Which Prefect server a run talks to: the configured one if it answers, else one of its own for as long as it lasts.

Prefect could start such a server by itself, but only 4 s later, and a kill -9 of the run would leave it behind.
"""

import contextlib
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import typer
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, PREFECT_UI_URL, temporary_settings

from atomops import shell
from atomops.errors import TimedOut
from atomops.scratch.place import free_port

_TIMEOUT = 2  # seconds
_START_SECONDS = 240  # 3 s, or 10 the first time; a minute on a busy machine
_TEMPORARY = {  # what Prefect sets for a server of this kind: no pages, no services in the background
    "PREFECT_UI_ENABLED": "0",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
}


@contextlib.contextmanager
def usable_server(meanwhile: Callable[[], Any]) -> Iterator[Any]:
    """A server that answers, and what came of `meanwhile`, which is done while it starts. Raises TimedOut."""
    configured = PREFECT_API_URL.value()
    if configured and _answers(configured):
        yield meanwhile()
        return
    if configured:
        typer.echo(f"The Prefect server {configured} does not answer; running without it.", err=True)
    port = free_port()
    address = f"http://127.0.0.1:{port}/api"
    own = _start(port)
    try:
        result = meanwhile()
        _wait(own, address)
        with temporary_settings(updates={PREFECT_API_URL: address, PREFECT_UI_URL: ""}):  # nobody sees its pages
            yield result
            APILogWorker.drain_all(_TIMEOUT)  # or it tries for seconds, at our exit, to reach a server that has gone
            EventsWorker.drain_all(_TIMEOUT)
    finally:
        own.stop(grace=5)


def _start(port: int) -> shell.Server:
    home = PREFECT_HOME.value()
    home.mkdir(parents=True, exist_ok=True)
    log = home / "atomops-run-server.log"
    log.write_bytes(b"")
    argv = [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"]
    argv += ["--host", "127.0.0.1", "--port", str(port), "--log-level", "error", "--lifespan", "on"]
    return shell.start(argv, log=log, env=_TEMPORARY)


def _wait(own: shell.Server, address: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and own.is_running():
        if _answers(address):
            return
        time.sleep(0.05)
    action = f"see whether `prefect server start` works; its log {own.log} ends with: {own.tail().strip()}"
    raise TimedOut("Prefect's temporary server does not start", action=action)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=_TIMEOUT) as answer:  # noqa: S310 - Prefect's own URL
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's own number
    except (urllib.error.URLError, OSError, ValueError):
        return False
