"""The application as a process of its own, on a free port of 127.0.0.1."""

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from atomops import shell
from atomops.errors import TimedOut
from atomops.sandbox.application import control
from atomops.sandbox.application import settings as files
from atomops.sandbox.application.settings import Settings
from atomops.scratch.place import free_port

_START_SECONDS = 90


@dataclass(frozen=True)
class ApplicationServer:
    """The application, and the process that it began as: who restarts it (see `control`) leaves another one."""

    server: shell.Server
    settings: Settings
    config: Path

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.settings.port}"

    def stop(self) -> None:
        """Requests under way are given up; no process of it is left, whoever started it."""
        self.server.stop(grace=3)
        control.stop(self.config)


@contextlib.contextmanager
def application_server(folder: Path, settings: Settings) -> Iterator[ApplicationServer]:
    """The application answers, on a port of its own choosing; stopped at the end."""
    running = _start(folder, settings)
    try:
        yield running
    finally:
        running.stop()


def _start(folder: Path, settings: Settings) -> ApplicationServer:
    config = folder.resolve() / "application.json"
    for _ in range(3):  # somebody else may take the free port first
        chosen = dataclasses.replace(settings, port=free_port())
        files.write(chosen, config)
        server = shell.start(control.argv(config), log=config.with_suffix(".out"), cwd=folder)
        running = ApplicationServer(server, chosen, config)
        if _answers(running):
            return running
        server.stop()
    raise TimedOut(f"the application does not start: {server.tail().strip()}", action="look at its output above")


def _answers(running: ApplicationServer) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    with httpx.Client(base_url=running.url, trust_env=False) as client:
        while running.server.is_running() and time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if client.get("/health/live").is_success:
                    return True
            time.sleep(0.05)
    return False
