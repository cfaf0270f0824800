"""The morning checklist of 10, 30 and 100 targets in one flow run, and the guide's own commands for the same targets.

Every target has a database and a log file of its own; PostgreSQL, Valkey, the application and, where the machine has
it, Prometheus are shared, real, and on the same processors. A Prefect server is running.
"""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil

from atomops import shell
from atomops.errors import CommandFailed
from atomops.humane import size
from atomops.sandbox import prefect, seed
from atomops.sandbox.application.log_history import write_history
from atomops.sandbox.application.server import ApplicationServer, application_server
from atomops.sandbox.application.settings import Settings
from atomops.sandbox.prometheus import prometheus_server
from atomops.sandbox.redis import RedisServer, bundled_server, redis_server
from atomops.scratch.installations import bundled_binaries
from atomops.scratch.leftovers import own_world_folder
from atomops.scratch.postgres import PostgresServer, postgres_server
from bench.overhead import GUIDE
from bench.processes import Cost, measured

SIZES = (10, 30, 100)
SECONDS = 1200
_POSTGRES = {"max_connections": "300", "shared_preload_libraries": "pg_stat_statements", "fsync": "off"}
_ROUND = """
import asyncio, json, sys, time
from pathlib import Path
from flows.fleet_checklist import fleet_checklist
async def run():
    started = time.monotonic()
    state = await fleet_checklist(targets=(sys.argv[1],), return_state=True)
    report = await state.aresult(raise_on_failure=False)
    found = {"seconds": time.monotonic() - started, "summary": report.summary}
    Path(sys.argv[2]).write_text(json.dumps(found))
asyncio.run(run())
"""
_TARGET = """
[targets.{name}]
profile = "atom"
history = {history}
[targets.{name}.app]
url = {application}
[targets.{name}.postgres]
dsn = {dsn}
password = {password}
[targets.{name}.redis]
url = {redis}
password = {redis_password}
[targets.{name}.logs]
paths = [{log}]
"""
_PROMETHEUS = """[targets.{name}.prometheus]
url = {url}
selector = 'job="atom"'
window = "1m"
"""


@dataclass(frozen=True)
class Fleet:
    """As many targets as the largest round wants."""

    folder: Path
    postgres: PostgresServer
    redis: RedisServer
    application: ApplicationServer

    @property
    def inventory(self) -> Path:
        """Where they are named t001, t002, ..."""
        return self.folder / "inventory.toml"


def main() -> None:
    """Print a line a size, and how time and memory grow."""
    with (
        own_world_folder("atomops-bench-") as folder,
        prefect.prefect_server(folder) as server,
        _fleet(folder) as fleet,
    ):
        server.wait()
        rounds = {number: _round(fleet, server, number) for number in SIZES}
        guide = {number: _guide(fleet, number) for number in SIZES}
    print(f"{'targets':>8} {'flow':>9} {'a target':>9} {'process':>9} {'CPU':>8} {'peak':>10}   the guide's commands")
    for number, (seconds, cost, _) in rounds.items():
        ratio = f"{guide[number]:.1f} s, {guide[number] / seconds:.2f} x"
        print(
            f"{number:>8} {seconds:>7.1f} s {seconds / number:>7.2f} s {cost.wall:>7.1f} s {cost.processor:>6.1f} s "
            f"{size(cost.peak):>10}   {ratio}"
        )
    (few, many) = (rounds[SIZES[0]], rounds[SIZES[-1]])
    more = SIZES[-1] - SIZES[0]
    print(f"from {SIZES[0]} to {SIZES[-1]} targets, for each one more:", end=" ")
    print(f"{(many[0] - few[0]) / more:.2f} s, {size((many[1].peak - few[1].peak) / more)} of memory")
    print(f"the last report says: {many[2]}")


def _round(fleet: Fleet, server: prefect.PrefectServer, number: int) -> tuple[float, Cost, str]:
    env = server.environment() | {"ATOMOPS_INVENTORY": str(fleet.inventory), "PREFECT_LOGGING_LEVEL": "ERROR"}
    wanted = ",".join(_name(each) for each in range(1, number + 1))
    found = fleet.folder / "found.json"
    argv: list[str | Path] = [sys.executable, "-c", _ROUND, wanted, found]
    cost = measured(argv, folder=fleet.folder, env=env, server=psutil.Process(fleet.postgres.server.pid))
    told = json.loads(found.read_bytes())
    return told["seconds"], cost, told["summary"]


@contextlib.contextmanager
def _fleet(folder: Path) -> Iterator[Fleet]:
    password, token = (_secret(folder, name) for name in ("password", "token"))
    word = password.read_text(encoding="utf-8")
    with ExitStack() as stack:
        redis = stack.enter_context(redis_server(bundled_server(), folder, password=word))
        postgres = stack.enter_context(postgres_server(bundled_binaries(), folder, settings=_POSTGRES))
        seed.fill(postgres, owner=word, reader=word, changer=word)
        for number in range(1, SIZES[-1] + 1):
            with postgres.connect() as session:
                session.execute(f"CREATE DATABASE {_name(number)} TEMPLATE {seed.DATABASE}")
        log = folder / "logs" / "atom.log"
        write_history(log)
        settings = Settings(0, postgres.dsn(seed.DATABASE, seed.OWNER), password, redis.url, password, log, token, 2)
        application = stack.enter_context(application_server(folder, settings))
        fleet = Fleet(folder, postgres, redis, application)
        fleet.inventory.write_text("".join(_describe(fleet, log, password, _metrics(stack, fleet))), encoding="utf-8")
        yield fleet


def _metrics(stack: ExitStack, fleet: Fleet) -> str:
    """The address of a Prometheus that scrapes the application; "" where the machine has none."""
    program = shutil.which("prometheus")
    if program is None:
        print("no prometheus on this machine: metrics come from two scrapes, 5 s apart")
        return ""
    address = fleet.application.url.removeprefix("http://")
    return stack.enter_context(prometheus_server(Path(program), fleet.folder, {"atom": address})).url


def _describe(fleet: Fleet, log: Path, password: Path, prometheus: str) -> Iterator[str]:
    for number in range(1, SIZES[-1] + 1):
        own = shutil.copytree(log.parent, fleet.folder / f"logs-{number}") / log.name
        values = {
            "history": fleet.folder / "history",
            "application": fleet.application.url,
            "dsn": fleet.postgres.dsn(_name(number), seed.READER),
            "password": f"file:{password}",
            "redis": fleet.redis.url,
            "redis_password": f"file:{password}",
            "log": own,
            "url": prometheus,
        }
        quoted = {name: json.dumps(str(value)) for name, value in values.items()}
        yield (_TARGET + (_PROMETHEUS if prometheus else "")).format(name=_name(number), **quoted)


def _guide(fleet: Fleet, number: int) -> float:
    """Seconds that the guide's commands take for so many targets, one after the other."""
    missing = [program for program in ("curl", "jq") if shutil.which(program) is None]
    if missing:
        sys.exit(f"the guide's commands need {' and '.join(missing)}: apt-get install {' '.join(missing)}")
    loop = f"for n in $(seq {number}); do PGDATABASE=$(printf t%03d $n) LOG=$LOGS-$n/atom.log\n{GUIDE}\ndone"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "redis-cli").symlink_to(bundled_server().parent / "valkey-cli")
        env = {
            "PATH": f"{folder}:{bundled_binaries() / 'bin'}:{os.environ['PATH']}",
            "URL": fleet.application.url,
            "LOGS": str(fleet.folder / "logs"),
            "PGHOST": "127.0.0.1",
            "PGPORT": str(fleet.postgres.port),
            "PGUSER": "postgres",
            "PGPASSWORD": fleet.postgres.password,
            "PGDATABASE": "",
            "REDIS_PORT": str(fleet.redis.port),
            "REDISCLI_AUTH": fleet.redis.password or "",
        }
        started = time.monotonic()
        with contextlib.suppress(CommandFailed):  # grep finds nothing, jq stops at the first line that is not JSON
            asyncio.run(shell.run(["sh", "-c", loop], timeout=SECONDS, env=env))
        return time.monotonic() - started


def _secret(folder: Path, name: str) -> Path:
    file = folder / name
    file.touch(mode=0o600)
    file.write_text(secrets.token_urlsafe(18), encoding="utf-8")
    return file


def _name(number: int) -> str:
    return f"t{number:03}"


if __name__ == "__main__":
    main()
