"""A Prefect server and a worker of our own, run by their command line: the core does not import Prefect.

Settings of the user's own Prefect (PREFECT_* variables, profiles) never reach them.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from atomops import shell
from atomops.errors import CommandFailed, NotThere, TimedOut
from atomops.inventory import INVENTORY_VARIABLE
from atomops.scratch.leftovers import FOLDER_VARIABLE
from atomops.scratch.place import free_port

POOL = "atomops"  # the work pool of prefect.yaml
_START_SECONDS = 240  # a first start creates its database: 8 s on two idle cores, a minute on busy ones
_DEPLOY_SECONDS = 120
_RUN_SECONDS = 180
_POLL_SECONDS = 0.2
_EVERY_DAY = " * * *"  # of a month, each month, whatever day of the week
_FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


Worker = shell.Server


@dataclass(frozen=True)
class Planned:
    """A deployment's schedule: which flow, with which parameters."""

    deployment: str
    flow: str
    parameters: Mapping[str, Any]

    @property
    def target(self) -> str:
        """The target that the schedule is for."""
        return str(self.parameters.get("target", ""))


@dataclass(frozen=True)
class Ended:
    """How a flow run ended."""

    state: str
    message: str


class PrefectServer:
    """A server that has been started; `wait` until it answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "prefect"
        self.home.mkdir()
        self._start()

    def _start(self) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.client = httpx.Client(base_url=f"{self.url}/api", timeout=30, trust_env=False)  # no proxy for 127.0.0.1
        argv = _prefect("server", "start", "--host", "127.0.0.1", "--port", str(port))
        env = _environment(self.folder) | {"PREFECT_SERVER_UI_API_URL": f"{self.url}/api"}  # else pages ask port 4200
        self.server = shell.start(argv, log=self.home / "server.log", env=env, cwd=self.home)

    def environment(self) -> dict[str, str]:
        """What makes a process use this server and this world's inventory."""
        inventory = {INVENTORY_VARIABLE: str(self.folder / "inventory.toml")}
        return _environment(self.folder) | inventory | {"PREFECT_API_URL": f"{self.url}/api"}

    def wait(self) -> None:
        """The API answers. Raises TimedOut with the end of the server's log."""
        for _ in range(3):  # somebody else may take the free port first
            if self._answers():
                return
            self.stop()
            self._start()
        raise TimedOut(f"the Prefect server does not start: {self.server.tail().strip()}", action="look at its log")

    def is_running(self) -> bool:
        """Whether its process is alive."""
        return self.server.is_running()

    def _answers(self) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        while self.server.is_running() and time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if self.client.get("/health").is_success:
                    return True
            time.sleep(0.1)
        return False

    def ask(self, method: str, path: str, **request: Any) -> Any:  # noqa: ANN401 - JSON's own types
        """The answer of the API. A 503 says that SQLite was busy: the server asks us itself to come again."""
        for pause in (0.2, 0.5, 1, 2, 4):
            answer = self.client.request(method, path, **request)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(pause)
        return answer.raise_for_status().json()

    def stop(self) -> None:
        """Its data is thrown away, so it need not take leave of anybody."""
        self.client.close()
        self.server.stop(grace=2)


@contextlib.contextmanager
def prefect_server(folder: Path) -> Iterator[PrefectServer]:
    """A server that is starting, with its files in `folder`; stopped at the end."""
    running = PrefectServer(folder)
    try:
        yield running
    finally:
        running.stop()


@contextlib.contextmanager
def worker(server: PrefectServer) -> Iterator[Worker]:
    """A process worker of the work pool, which is made for it; runs under way are cancelled at the end."""
    server.ask("POST", "/work_pools/", json={"name": POOL, "type": "process"})
    argv = _prefect("worker", "start", "--pool", POOL, "--type", "process", "--name", "sandbox")
    running = shell.start(argv, log=server.home / "worker.log", env=server.environment(), cwd=server.home)
    try:
        yield running
    finally:
        running.stop(grace=5)


def deploy(server: PrefectServer) -> None:
    """Every deployment of prefect.yaml is there, for every target of the inventory. Raises CommandFailed."""
    argv = [*_clean(), sys.executable, "-m", "atomops.cli", "deploy"]
    asyncio.run(shell.run(argv, timeout=_DEPLOY_SECONDS, env=server.environment()))


def daily(server: PrefectServer) -> list[Planned]:
    """Every active schedule that is due each day, from midnight on. Raises NotThere when there is none."""
    deployments = server.ask("POST", "/deployments/filter", json={"sort": "NAME_ASC"})
    planned = [
        (
            schedule["schedule"]["cron"],
            Planned(one["id"], one["name"], one["parameters"] | (schedule["parameters"] or {})),
        )
        for one in deployments
        for schedule in one["schedules"]
        if schedule["active"] and schedule["schedule"]["cron"].endswith(_EVERY_DAY)
    ]
    if not planned:
        raise NotThere("no deployment has a daily schedule", action="look at prefect.yaml")
    return [each for _, each in sorted(planned, key=lambda pair: _time_of_day(pair[0]))]


def _time_of_day(cron: str) -> tuple[int, int]:
    minute, hour = cron.split()[:2]
    return int(hour), int(minute)


def run(server: PrefectServer, worker: Worker, planned: Planned) -> Ended:
    """Run it now, through the worker, to its end. Raises TimedOut, or CommandFailed when the worker is gone."""
    path = f"/deployments/{planned.deployment}/create_flow_run"
    begun = server.ask("POST", path, json={"parameters": planned.parameters, "state": {"type": "SCHEDULED"}})
    number = begun["id"]
    deadline = time.monotonic() + _RUN_SECONDS
    while time.monotonic() < deadline:
        state = server.ask("GET", f"/flow_runs/{number}")["state"]
        if state["type"] in _FINAL:
            return Ended(state["name"], state["message"] or "")
        if not worker.is_running():
            raise CommandFailed("the worker has ended", exit_code=worker.process.returncode, stderr=worker.tail())
        time.sleep(_POLL_SECONDS)
    raise TimedOut(f"{planned.flow} did not end within {_RUN_SECONDS} s", action=f"the worker says: {worker.tail()}")


def _prefect(*arguments: str) -> list[str | Path]:
    return [*_clean(), sys.executable, "-m", "prefect", *arguments]


def _clean() -> list[str | Path]:
    """What runs a command without the user's own Prefect settings: they may name a database that is not ours."""
    theirs = [f"--unset={name}" for name in os.environ if name.startswith("PREFECT_")]
    return ["env", *theirs] if theirs else []


def _environment(folder: Path) -> dict[str, str]:
    return {
        FOLDER_VARIABLE: str(folder),
        "NO_PROXY": "127.0.0.1,localhost",
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
    }
