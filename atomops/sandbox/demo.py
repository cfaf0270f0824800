"""`atomops demo`: a small world, a Prefect server and its worker; every scheduled flow once, then its schedules."""

import contextlib
import fcntl
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NoReturn

from platformdirs import user_state_path
from rich.console import Console

from atomops.errors import CommandFailed, NotThere
from atomops.facts.postgres import PostgresFacts
from atomops.facts.redis import RedisFacts
from atomops.reports.json import from_json
from atomops.reports.terminal import print_report
from atomops.sandbox import prefect
from atomops.sandbox.inventory import TARGET
from atomops.sandbox.world import World, world
from atomops.scratch.leftovers import own_world_folder, sweep

PREFIX = "atomops-demo-"
_ENDS = (signal.SIGINT, signal.SIGTERM)
_STOPPED = 130  # what a shell says of a program that Ctrl-C ended
_TOLD_LINES = 15  # of the worker's log in an error
_OF_THE_SERVERS = (PostgresFacts, RedisFacts)  # new ones each time: their counters begin again
_SAY = Console(highlight=False, soft_wrap=True)


def demonstrate(*, once: bool) -> int:
    """0 when every daily flow gave its report, whatever its level; 130 when it was stopped before.

    With `once` it ends after the reports, else it serves until Ctrl-C or SIGTERM. Nothing is left behind but the
    history of reports, by which the next demo tells what has changed. Raises AtomOpsError naming what failed.
    """
    for number in _ENDS:
        signal.signal(number, _stop)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as it is under nohup
        signal.signal(signal.SIGHUP, _stop)
    try:
        _play(once=once)
    except KeyboardInterrupt:
        _SAY.print("Stopped before every report was there; its processes and its folder are gone.")
        return _STOPPED
    _SAY.print("The demo has ended; its processes and its folder are gone.")
    return 0


def show_report(path: Path) -> None:
    """Print a report that a flow has kept."""
    print_report(from_json(path.read_bytes()))


def _play(*, once: bool) -> None:
    for folder in sweep(PREFIX):
        _SAY.print(f"Removed {folder}, left behind by a demo that was killed.")
    with own_world_folder(PREFIX) as folder, ExitStack() as stack:
        _SAY.print(f"A small world of its own in {folder}")
        server = stack.enter_context(prefect.prefect_server(folder))
        with _step("starting PostgreSQL, Valkey and the application"):
            running = stack.enter_context(world(folder, _history(stack, folder)))
        _introduce(running)
        with _step(f"starting the Prefect server at {server.url}"):
            server.wait()
        worker = stack.enter_context(prefect.worker(server))
        with _step("deploying prefect.yaml"):
            prefect.deploy(server)
        _run_all(server, worker, running)
        if not once:
            _serve(server, worker)


def _run_all(server: prefect.PrefectServer, worker: prefect.Worker, running: World) -> None:
    for planned in prefect.daily(server):
        begun = time.time()
        with _step(f"running {planned.flow} for {planned.target}"):
            ended = prefect.run(server, worker, planned)
        show_report(_report(running.history, worker, planned, ended, begun))
        _SAY.print(f"In the Prefect UI: {server.url}/artifacts/key/{planned.flow}-{planned.target}\n")


def _report(
    history: Path, worker: prefect.Worker, planned: prefect.Planned, ended: prefect.Ended, begun: float
) -> Path:
    """The report of this very run; a flow that failed without one has told nothing."""
    kept = (history / planned.target / planned.flow).glob("*.json")
    fresh = [path for path in kept if path.stat().st_mtime >= begun]
    if not fresh:
        what = f"{planned.flow} for {planned.target} gave no report ({ended.state}: {ended.message})"
        said = "\n".join(worker.tail().splitlines()[-_TOLD_LINES:])
        raise NotThere(what, action=f"the end of the worker's log says\n{said}")
    return max(fresh, key=lambda path: path.stat().st_mtime)


def _introduce(running: World) -> None:
    _SAY.print(f"  the application  {running.application.url}   its log {running.log}")
    _SAY.print(f"  the inventory    {running.inventory}")


def _serve(server: prefect.PrefectServer, worker: prefect.Worker) -> None:
    _SAY.print(f"Serving the schedules. The Prefect UI: {server.url}   Ctrl-C ends it.")
    with contextlib.suppress(KeyboardInterrupt):
        while server.is_running() and worker.is_running():
            time.sleep(0.5)
        _raise_ended(server, worker)


def _raise_ended(server: prefect.PrefectServer, worker: prefect.Worker) -> NoReturn:
    ended = worker if server.is_running() else server.server
    raise CommandFailed("Prefect has ended by itself", exit_code=ended.process.returncode, stderr=ended.tail())


@contextlib.contextmanager
def _step(what: str) -> Iterator[None]:
    _SAY.print(f"  {what} ...", end="")
    begun = time.monotonic()
    try:
        yield
    finally:
        _SAY.print(f" {time.monotonic() - begun:.1f} s")


def _history(stack: ExitStack, folder: Path) -> Path:
    """A folder that outlives the demo; without a home to write to, or beside another demo, one that does not."""
    kept = user_state_path("atomops") / "demo"
    try:
        kept.mkdir(parents=True, exist_ok=True)
        lock = stack.enter_context((kept / "in-use.lock").open("w"))
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for facts in _OF_THE_SERVERS:
            (kept / TARGET / "facts" / f"{facts.__name__}.json").unlink(missing_ok=True)
    except OSError:
        return folder / "history"
    return kept


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    for number in (*_ENDS, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a second one must not interrupt the clearing up
    raise KeyboardInterrupt
