"""Prefect on PostgreSQL and Redis, services and workers apart: what dies in the middle of a run costs nothing."""

import datetime as dt
import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from atomops.change.lock import SPACE
from atomops.scratch.place import make_folder
from tests.gate import Gate, gate
from tests.scaled_out import Stack, kill_tree, scaled_out
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow(150), pytest.mark.timeout(900)]
LOST, AGAIN = "Crashed", "RunAgain"
SILENT, NEVER = "atomops-run-is-silent", "atomops-run-never-began"
_INVENTORY = """
[targets.one]
profile = "atom"
history = "{folder}/history"
[targets.one.app]
url = "{url}"
timeout = 300
[targets.one.postgres]
dsn = "{dsn}"
password = "file:{folder}/password"
[targets.two]
profile = "atom"
history = "{folder}/history"
[targets.two.postgres]
dsn = "{dsn}"
password = "file:{folder}/password"
[targets.two.runtime]
kind = "command"
directory = "{folder}"
stop = ["true"]
start = ["true"]
restart = ["sh", "-c", "echo $$ >> restarting; while ! [ -e go ]; do sleep 0.1; done"]
status = ["true"]
"""


@dataclass
class World:
    stack: Stack
    gate: Gate

    @property
    def folder(self) -> Path:
        return self.stack.folder

    def reports(self, flow: str) -> list[Any]:
        kept = sorted((self.folder / "history" / "one" / flow).glob("*.json"))
        return [json.loads(each.read_text(encoding="utf-8")) for each in kept]

    def locks(self) -> int:
        with self.stack.postgres.connect() as session:
            counted = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s"
            row = session.execute(counted, [SPACE]).fetchone()
        assert row
        return int(row[0])

    def heard(self, event: str, number: str) -> list[Any]:
        """Those events of the run that were kept, which they are when they came through Redis and the services."""
        body = {
            "filter": {
                "event": {"name": [event]},
                "resource": {"id": [f"prefect.flow-run.{number}"]},
            }
        }
        return list(self.stack.ask("POST", "/events/filter", json=body)["events"])


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    folder = make_folder("atomops-scaled-")
    with gate() as closed, scaled_out(folder) as stack:
        (folder / "password").write_text(stack.postgres.password, encoding="utf-8")
        text = _INVENTORY.format(folder=folder, url=closed.url, dsn=stack.postgres.dsn("postgres"))
        (folder / "inventory.toml").write_text(text, encoding="utf-8")
        stack.worker("first")
        stack.once("atomops.cli", "deploy", env=stack.worker_environment())
        yield World(stack, closed)
    shutil.rmtree(folder, ignore_errors=True)


def test_a_worker_that_dies_with_its_runs_loses_nothing(world: World) -> None:
    stack = world.stack
    world.gate.close()
    look, change = (
        stack.begin("morning-checklist", target="one"),
        stack.begin("restart-service", target="two", settle_seconds=0),
    )
    wait_until(lambda: world.gate.arrived and (world.folder / "restarting").exists(), "both runs in the middle")
    beats = [_heartbeat(world, number) for number in (look, change)]
    assert world.locks() == 1

    kill_tree(stack.processes["first"])

    wait_until(lambda: world.locks() == 0, "the lock of the change that died, given back")
    with _soon(stack, SILENT), _soon(stack, NEVER):
        for beat in beats:
            _say_again(stack, beat)
        never_began = [stack.taken("morning-checklist", target="one"), stack.taken("vacuum-tables", target="two")]
        wait_until(lambda: AGAIN in stack.states(never_began[0]), "what was never begun offered again")
        wait_until(lambda: LOST in stack.states(never_began[1]), "the change that was never begun told as lost")
        wait_until(lambda: LOST in stack.states(change) and LOST in stack.states(look), "both told as lost")
    assert "no heartbeat" in stack.run(change)["state"]["message"]
    wait_until(lambda: AGAIN in stack.states(look), "the checklist taken up again")
    assert stack.run(never_began[1])["state"]["name"] == LOST
    stack.ask("DELETE", f"/flow_runs/{never_began[0]}")  # one checklist is enough to see it through
    stack.worker("second")
    world.gate.open.set()
    run = stack.ended(look)
    assert run["run_count"] == 2
    assert [run["state"]["message"]] == [report["summary"] for report in world.reports("morning-checklist")]
    assert stack.run(change)["state"]["name"] == LOST  # it is never repeated by itself

    (world.folder / "go").touch()
    after = stack.ended(stack.begin("restart-service", target="two", settle_seconds=0))
    assert after["state"]["type"] == "COMPLETED", after["state"]
    (world.folder / "go").unlink()


def _heartbeat(world: World, number: str) -> Any:  # noqa: ANN401 - JSON's own types
    return wait_until(lambda: world.heard("prefect.flow-run.heartbeat", number), "a heartbeat")[0]


@contextmanager
def _soon(stack: Stack, name: str) -> Iterator[None]:
    """Ten seconds are enough for that automation meanwhile, the least that Prefect takes."""
    (shipped,) = [each for each in stack.ask("POST", "/automations/filter", json={}) if each["name"] == name]
    wanted = {key: shipped[key] for key in ("name", "description", "enabled", "trigger", "actions")}
    sooner = {**wanted, "trigger": {**wanted["trigger"], "within": 10}}
    stack.ask("PUT", f"/automations/{shipped['id']}", json=sooner)
    try:
        yield
    finally:
        stack.ask("PUT", f"/automations/{shipped['id']}", json=wanted)


def _say_again(stack: Stack, beat: Any) -> None:  # noqa: ANN401 - JSON's own types
    """The last heartbeat of a run, as if it had died just after it: the window counts from there."""
    event = {key: beat[key] for key in ("event", "resource", "related", "payload")}
    now = dt.datetime.now(dt.UTC).isoformat()
    stack.ask("POST", "/events", json=[{**event, "id": str(uuid.uuid4()), "occurred": now}])


def test_a_run_outlives_the_database_and_redis(world: World) -> None:
    stack, done = world.stack, len(world.reports("morning-checklist"))
    world.gate.close()
    number = stack.begin("morning-checklist", target="one")
    wait_until(lambda: world.gate.arrived, "the run in the middle")

    stack.restart_postgres()
    stack.restart_redis()
    world.gate.open.set()

    run = stack.ended(number)
    assert run["run_count"] == 1
    assert LOST not in stack.states(number)
    (report,) = world.reports("morning-checklist")[done:]
    assert run["state"]["message"] == report["summary"]  # whatever it says of its target


def test_afterwards_everything_goes_on(world: World) -> None:
    stack = world.stack
    world.gate.open.set()
    number = stack.begin("morning-checklist", target="one")
    name = stack.ended(number)["state"]["name"]
    wait_until(lambda: world.heard(f"prefect.flow-run.{name}", number), "the event of its end, through the new Redis")
    assert stack.processes["server"].is_running()
    assert stack.processes["services"].is_running()
