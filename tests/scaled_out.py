"""Prefect scaled out, as deployments/ ships it: PostgreSQL, Redis, API server, services and workers, each a process.

The settings are those of deployments/server.env and worker.env; what is changed is said here.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psutil

from atomops import shell
from atomops.inventory import INVENTORY_VARIABLE
from atomops.sandbox.redis import RedisServer, redis_server
from atomops.scratch.place import server_user
from atomops.scratch.postgres import PostgresServer
from tests import servers
from tests.ports import own_port
from tests.postgres_servers import postgres_server
from tests.shipped import settings
from tests.waiting import PATIENCE, wait_until, wait_until_up

USER, PASSWORD = "sre", "correct horse: battery"
DATABASE = "prefect"
REDIS_URLS = ("PREFECT_REDIS_MESSAGING_URL", "PREFECT_REDIS_WORKER_CLEANUP_QUEUE_URL", "PREFECT_SERVER_DOCKET_URL")
POOL = "atomops"


@dataclass
class Stack:
    """All of it, running."""

    folder: Path
    postgres: PostgresServer
    redis: RedisServer
    port: int
    processes: dict[str, shell.Server] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def server_environment(self) -> dict[str, str]:
        database = self.postgres.dsn(DATABASE).replace("postgresql://postgres@", "")
        secret = quote(str(self.redis.password), safe="")
        return (
            self._common()
            | settings("server.env")
            | {
                "PREFECT_SERVER_DATABASE_CONNECTION_URL": (
                    f"postgresql+asyncpg://postgres:{quote(self.postgres.password, safe='')}@{database}"
                ),
                "PREFECT_SERVER_API_AUTH_STRING": f"{USER}:{PASSWORD}",
                **dict.fromkeys(REDIS_URLS, f"redis://:{secret}@127.0.0.1:{self.redis.port}/0"),
            }
        )

    def worker_environment(self) -> dict[str, str]:
        return (
            self._common()
            | settings("worker.env")
            | {
                "PREFECT_API_URL": f"{self.url}/api",
                "PREFECT_API_AUTH_STRING": f"{USER}:{PASSWORD}",
                INVENTORY_VARIABLE: str(self.folder / "inventory.toml"),
            }
        )

    def _common(self) -> dict[str, str]:
        return {"PREFECT_HOME": str(self.folder / "prefect"), "NO_PROXY": "127.0.0.1", "PYTHONUNBUFFERED": "1"}

    def prefect(self, name: str, *arguments: str, env: Mapping[str, str]) -> shell.Server:
        """A long-running `prefect ...`."""
        argv = [sys.executable, "-m", "prefect", *arguments]
        started = shell.start(argv, log=self.folder / f"{name}.log", env=env, cwd=self.folder)
        self.processes[name] = started
        return started

    def once(self, *argv: str, env: Mapping[str, str]) -> str:
        """A command that ends, and what it says."""
        ended = asyncio.run(shell.run([sys.executable, "-m", *argv], timeout=PATIENCE, env=env, cwd=self.folder))
        return ended.stdout.decode()

    def start(self, *, services: bool) -> None:
        server = self.server_environment()
        self.once("prefect", "server", "database", "upgrade", "-y", env=server)
        api = self.prefect(
            "server", "server", "start", "--host", "127.0.0.1", "--port", str(self.port), "--no-services", env=server
        )
        if services:
            self.prefect("services", "server", "services", "start", env=server)
        wait_until_up(api, self.answers)

    def worker(self, name: str) -> shell.Server:
        return self.prefect(
            name, "worker", "start", "--pool", POOL, "--type", "process", "--name", name, env=self.worker_environment()
        )

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/health", timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def ask(self, method: str, path: str, **request: Any) -> Any:  # noqa: ANN401 - JSON's own types
        """What the API answers to a client that is let in; a 503 says to come again, as Prefect's own clients do."""
        answer = wait_until(lambda: self._asked(method, path, **request), f"an answer of {path}")
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def _asked(self, method: str, path: str, **request: Any) -> httpx.Response | None:  # noqa: ANN401 - JSON's own types
        with httpx.Client(base_url=f"{self.url}/api", auth=(USER, PASSWORD), timeout=30, trust_env=False) as client:
            token = client.get("/csrf-token", params={"client": "tests"})
            if token.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                return None
            headers = {"Prefect-Csrf-Token": token.json()["token"], "Prefect-Csrf-Client": "tests"}
            answer = client.request(method, path, headers=headers, **request)
        return answer if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE else None

    def begin(self, flow: str, **parameters: object) -> str:
        """The id of a run that is due now."""
        deployment = self.ask("GET", f"/deployments/name/{flow}/{flow}")["id"]
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return str(self.ask("POST", f"/deployments/{deployment}/create_flow_run", json=body)["id"])

    def taken(self, flow: str, **parameters: object) -> str:
        """The id of a run that a worker has taken, and then died."""
        number = self.begin(flow, **parameters)
        self.ask("POST", f"/flow_runs/{number}/set_state", json={"state": {"type": "PENDING"}})
        return number

    def run(self, number: str) -> Any:  # noqa: ANN401 - JSON's own types
        return self.ask("GET", f"/flow_runs/{number}")

    def ended(self, number: str) -> Any:  # noqa: ANN401 - JSON's own types
        """The run, once its state is final."""
        final = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
        return wait_until(lambda: (run := self.run(number))["state"]["type"] in final and run, f"the end of {number}")

    def states(self, number: str) -> list[str]:
        found = self.ask("GET", "/flow_run_states/", params={"flow_run_id": number})
        return [each["name"] for each in sorted(found, key=lambda state: state["timestamp"])]

    def restart_postgres(self) -> None:
        """As after a crash: every session is cut, the log is replayed."""
        self.postgres.server.stop(by=signal.SIGQUIT)
        again = _again(self.postgres.server, self.postgres.data.parent, user=server_user())
        self.postgres = PostgresServer(again, self.postgres.port, self.postgres.password, self.postgres.data)

    def restart_redis(self) -> None:
        """Killed, and everything in it lost."""
        self.redis.server.process.kill()
        self.redis.server.stop()
        self.redis = RedisServer(_again(self.redis.server, self.folder), self.redis.port, self.redis.password)

    def stop(self) -> None:
        for process in reversed(self.processes.values()):
            process.stop(grace=5)


def _again(server: shell.Server, folder: Path, user: str | None = None) -> shell.Server:
    argv = list(map(str, server.process.args))  # type: ignore[arg-type] # we gave it a list
    return shell.start(argv, log=server.log, cwd=folder, user=user)


def kill_tree(server: shell.Server) -> None:
    """The worker and every run of it, as if its machine or its pod had gone."""
    worker = psutil.Process(server.pid)
    for process in [worker, *worker.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):  # a child may end by itself meanwhile
            process.kill()
    server.stop()


@contextmanager
def scaled_out(folder: Path, *, services: bool = True) -> Iterator[Stack]:
    """Everything but workers and deployments, and the services only if they are asked for."""
    with ExitStack() as stack:
        postgres = stack.enter_context(postgres_server(17, folder))
        postgres.create_database(DATABASE)
        program = servers.required(lambda: servers.redis_program("redis"))
        redis = stack.enter_context(redis_server(program, folder, password="open sesame"))
        running = Stack(folder, postgres, redis, own_port())
        stack.callback(lambda: running.postgres.stop())  # noqa: PLW0108 - of then: it may have been started anew
        stack.callback(lambda: running.redis.server.stop())  # noqa: PLW0108 - likewise
        stack.callback(running.stop)
        running.start(services=services)
        yield running
