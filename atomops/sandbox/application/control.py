"""`python -m atomops.sandbox.application.control stop|start|restart|status --config FILE`: what its SRE would use.

The table of processes is the record of what runs: the application is whoever serves that very file. There is no pid
file that could be missing, stale, or name a stranger. It imports little: its start is part of every downtime.
"""

import argparse
import contextlib
import datetime as dt
import http.client
import json
import sys
import time
from pathlib import Path

import psutil

from atomops import shell

COMMANDS = ("stop", "start", "restart", "status")
_START_SECONDS = 90
_GRACE_SECONDS = 4  # it gives up requests under way after one
_EVERY_SECONDS = 0.05
_ATTEMPTS = 3  # somebody may hold its port for a moment
_NOT_RUNNING = 3  # as init scripts say it


def argv(config: Path) -> list[str | Path]:
    """The application itself, in the foreground."""
    return [sys.executable, "-m", "atomops.sandbox.application", "--config", config]


def command(what: str, config: Path) -> tuple[str, ...]:
    """What an inventory calls for it: stop, start, restart or status."""
    return (sys.executable, "-m", "atomops.sandbox.application.control", what, "--config", str(config))


def running(config: Path) -> list[psutil.Process]:
    """The processes that serve this file. A zombie serves nothing, and has no command line."""
    return [process for process in psutil.process_iter() if _serves(process, config)]


def start(config: Path) -> str:
    """It answers, on its own port, and outlives us. Raises RuntimeError when it ends instead, or does not answer."""
    port, log = int(json.loads(config.read_bytes())["port"]), config.with_suffix(".out")
    deadline, attempts = time.monotonic() + _START_SECONDS, 0
    while time.monotonic() < deadline:
        found = running(config)
        if found and _answers(port):
            return status(config) or ""
        if not found:
            attempts += 1
            if attempts > _ATTEMPTS:
                message = f"it ends at once: see {log} and the application's own log"
                raise RuntimeError(message)
            shell.start(argv(config), log=log, cwd=config.parent, outlives_us=True)
        time.sleep(_EVERY_SECONDS)
    message = f"it does not answer within {_START_SECONDS} s"
    raise RuntimeError(message)


def stop(config: Path) -> None:
    """No process serves the file any more: asked first, killed after some seconds."""
    deadline = time.monotonic() + _GRACE_SECONDS
    for process in running(config):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    while found := running(config):
        if time.monotonic() > deadline:
            for process in found:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        time.sleep(_EVERY_SECONDS)


def status(config: Path) -> str | None:
    """What runs, in a line; None when nothing does."""
    for process in running(config):
        with contextlib.suppress(psutil.NoSuchProcess):
            since = dt.datetime.fromtimestamp(process.create_time(), dt.UTC)
            return f"running as process {process.pid} since {since:%Y-%m-%d %H:%M:%S} UTC"
    return None


def main() -> int:
    """0 when it is as asked; `status` says 3 when it does not run, and what fails says why on stderr and 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=COMMANDS)
    parser.add_argument("--config", type=Path, required=True)
    given = parser.parse_args()
    config = given.config.resolve()
    if given.what in {"stop", "restart"}:
        stop(config)
    if given.what in {"start", "restart"}:
        try:
            start(config)
        except (RuntimeError, OSError, ValueError, KeyError) as error:
            sys.stderr.write(f"{error}\n")
            return 1
    told = status(config)
    sys.stdout.write(f"{told or 'stopped'}\n")
    return 0 if told or given.what == "stop" else _NOT_RUNNING


def _serves(process: psutil.Process, config: Path) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.cmdline()[1:] == [str(part) for part in argv(config)[1:]]
    return False


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
        connection.request("GET", "/health/live")
        return connection.getresponse().status == http.HTTPStatus.OK
    return False


if __name__ == "__main__":
    raise SystemExit(main())
