"""Alerts, notifications and dead-man's switches, on one real Prefect server with a worker."""

import contextlib
import datetime as dt
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from atomops import shell
from atomops.sandbox import prefect as own
from atomops.sandbox.prefect import PrefectServer
from atomops.scratch.place import make_folder
from atomops.scratch.postgres import PostgresServer
from tests.hooks import Hook, Mail, hook, mail_server
from tests.peers import refused_port
from tests.ports import own_port
from tests.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.slow(90), pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
_MISSING = "no proven backup"
WINDOW = 10  # seconds: the shortest that Prefect allows a dead-man's switch
TOKEN = "open sesame"
FLOOD = 1_000
INVENTORY = """
[targets.test]
history = "{folder}/history"
[targets.test.app]
url = "http://127.0.0.1:{port}"
[targets.test.postgres]
dsn = "{dsn}"
password = "file:{folder}/password"
[targets.test.backups]
store = "{folder}/backups"
[targets.test.notify]
critical = ["custom-webhook/atomops-webhook", "email/atomops-mail"]
on_call = ["custom-webhook/atomops-webhook"]
"""


@dataclass(frozen=True)
class World:
    """One server, two channels, an inventory, and a file of automations with short windows."""

    server: PrefectServer
    folder: Path
    hook: Hook
    mail: Mail
    described: dict[str, Any]

    def argv(self, *arguments: str) -> list[str]:
        return [*map(str, own._clean()), sys.executable, "-m", "atomops.cli", *arguments]

    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.server.environment(), "ATOMOPS_ALERTS_TOKEN": TOKEN}

    def atomops(self, *arguments: str, code: int = 0) -> str:
        ended = subprocess.run(
            self.argv(*arguments), env=self.environment(), capture_output=True, text=True, check=False, timeout=300
        )
        assert ended.returncode == code, f"{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def apply(self, described: dict[str, Any], *options: str) -> list[str]:
        file = self.folder / "automations.yaml"
        file.write_text(yaml.safe_dump(described), encoding="utf-8")
        return self.atomops("automations", "apply", "--file", str(file), *options).splitlines()

    def run_in(self, state: str, flow: str, *, planned: dt.datetime | None = None) -> str:
        """A run of the deployment, put into a state as its worker or its flow would."""
        deployment = self.server.ask("GET", f"/deployments/name/{flow}/{flow}")["id"]
        details = {"scheduled_time": planned.isoformat()} if planned else {}
        begun = {"type": "SCHEDULED", "state_details": details}
        asked = {"state": begun, "parameters": {"target": "test"}}
        run: str = self.server.ask("POST", f"/deployments/{deployment}/create_flow_run", json=asked)["id"]
        if state != "SCHEDULED":
            body = {"state": {"type": state, "message": "the test says so"}, "force": True}
            self.server.ask("POST", f"/flow_runs/{run}/set_state", json=body)
        return run

    def runs(self, flow: str) -> list[Any]:
        wanted = {"flows": {"name": {"any_": [flow]}}}
        found: list[Any] = self.server.ask("POST", "/flow_runs/filter", json=wanted)
        return found

    def events(self, name: str) -> list[Any]:
        asked = {"filter": {"event": {"name": [name]}}, "limit": 50}
        found: list[Any] = self.server.ask("POST", "/events/filter", json=asked)["events"]
        return found


@pytest.fixture(scope="module")
def world(postgres: PostgresServer, server_folder: Path) -> Iterator[World]:
    postgres.create_database("alerts_e2e", "CREATE TABLE agents (id serial PRIMARY KEY)")
    folder = make_folder("alerts-", server_folder)
    (folder / "token").write_text("hook-secret")
    (folder / "password").write_text(postgres.password)
    (folder / "inventory.toml").write_text(
        INVENTORY.format(folder=folder, port=refused_port(), dsn=postgres.dsn("alerts_e2e"))
    )
    port = own_port()  # to be started on again
    with contextlib.ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setattr(own, "free_port", lambda: port)
        server = stack.enter_context(own.prefect_server(folder))
        told, mail = stack.enter_context(hook()), stack.enter_context(mail_server())
        server.wait()
        made = World(server, folder, told, mail, _described(folder, told, mail))
        made.atomops("deploy")
        assert "+ atomops: no proven backup test" in made.apply(made.described)
        yield made


def _described(folder: Path, told: Hook, mail: Mail) -> dict[str, Any]:
    """The file that we ship, with our own channels and with the shortest windows."""
    described = yaml.safe_load((ROOT / "deployments" / "automations.yaml").read_text(encoding="utf-8"))
    described["blocks"] = [
        {
            **next(each for each in described["blocks"] if each["name"] == "atomops-webhook"),
            "url": told.url,
            "secrets": {"token": f"file:{folder}/token"},
        },
        {
            "name": "atomops-mail",
            "kind": "email",
            "server": f"127.0.0.1:{mail.port}",
            "tls": "none",
            "sender": "atomops@example.com",
            "to": ["sre@example.com"],
        },
    ]
    _shorten(described["automations"])
    return dict(described)


def _shorten(part: Any) -> None:  # noqa: ANN401 - YAML's own types
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _shorten(each)
    if isinstance(part, dict) and part.get("posture") == "Proactive":
        part["within"] = WINDOW


def test_a_backup_that_does_not_happen_raises_its_alarm_and_one_that_does_silences_it(world: World) -> None:
    wait_until(lambda: world.hook.subjects("no proven backup of test"), "the alarm")
    wait_until(lambda: any("no proven backup" in subject for _, subject, _ in world.mail.came), "the mail")

    world.atomops("run", "nightly-backup", "--target", "test")

    wait_until(lambda: world.hook.subjects("RESOLVED: a proven backup of test"), "the end of the alarm")
    wait_until(lambda: world.events("atomops.backup.proven"), "it on record")  # which is after it was acted on
    (proven,) = [_time(event) for event in world.events("atomops.backup.proven")]
    wait_until(lambda: _triggered(world, "proven backup back"), "that on record")
    heard = max(_triggered(world, "proven backup back"))  # until then an alarm may still be on its way
    wait_until(lambda: _alarms_after(heard, world), "the next alarm")  # silent, and not for ever
    alarm = min(_alarms_after(heard, world))
    assert alarm - proven >= dt.timedelta(seconds=WINDOW)


def _alarms_after(moment: dt.datetime, world: World) -> list[dt.datetime]:
    return [alarm for alarm in _triggered(world, _MISSING) if alarm > moment]


def _triggered(world: World, automation: str) -> list[dt.datetime]:
    fired = world.events("prefect.automation.triggered")
    name = f"atomops: {automation} test"
    return [_time(event) for event in fired if event["resource"]["prefect.resource.name"] == name]


def _time(event: Any) -> dt.datetime:  # noqa: ANN401 - JSON's own types
    return dt.datetime.fromisoformat(event["occurred"])


def test_crashed_waiting_and_late_runs_are_told_once(world: World) -> None:
    for state in ("CRASHED", "CRASHED"):
        world.run_in(state, "end-of-day-checklist")
    world.run_in("PAUSED", "migrate-database")
    world.run_in("SCHEDULED", "morning-checklist", planned=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1))

    wait_until(lambda: world.hook.subjects("CRASHED: end-of-day-checklist of test"), "the crash")
    wait_until(lambda: world.hook.subjects("WAITING: migrate-database of test"), "the question")
    wait_until(lambda: world.hook.subjects("the morning report of test is not there"), "the late report")
    assert len(world.hook.subjects("CRASHED")) == 1


@pytest.fixture(scope="module")
def receiver(world: World) -> Iterator[str]:
    """Its address; a worker takes the runs that it brings about."""
    address = f"http://127.0.0.1:{own_port()}"
    argv = world.argv("alerts", "receive", "--listen", address.removeprefix("http://"))
    worker_argv = own._prefect("worker", "start", "--pool", own.POOL, "--type", "process")
    worker = shell.start(worker_argv, log=world.folder / "worker.log", env=world.environment(), cwd=world.folder)
    with (world.folder / "receiver.log").open("w") as log:
        process = subprocess.Popen(argv, env=world.environment(), stdout=log, stderr=log)
        try:
            wait_until(lambda: _answers(f"{address}/healthz"), "the receiver")
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
            worker.stop(grace=5)


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, timeout=5, trust_env=False).is_success
    return False


def post(url: str, alerts: Sequence[dict[str, Any]], client: httpx.Client | None = None) -> int:
    body = json.dumps({"version": "4", "alerts": alerts}).encode()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with contextlib.ExitStack() as stack:
        sender = client or stack.enter_context(httpx.Client(trust_env=False))
        return sender.post(f"{url}/alerts", content=body, headers=headers, timeout=60).status_code


def alert(name: str, status: str = "firing", severity: str = "critical", **labels: str) -> dict[str, Any]:
    began = "2026-11-24T09:00:00.123456789Z"
    return {
        "status": status,
        "labels": {"alertname": name, "severity": severity, "target": "test", **labels},
        "annotations": {"summary": f"{name} is bad"},
        "startsAt": began,
        "endsAt": "2026-11-24T09:30:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
    }


def test_an_alert_becomes_a_run_of_the_flow_and_whoever_is_on_call_is_told_once(world: World, receiver: str) -> None:
    before = len(world.runs("alert-response"))
    assert post(receiver, [alert("HighErrorRate")]) == 200
    wait_until(lambda: world.hook.subjects("ALERT: HighErrorRate on test"), "the message")
    assert post(receiver, [alert("HighErrorRate")]) == 200  # Alertmanager repeats what fires
    assert post(receiver, [alert("HighErrorRate", "resolved")]) == 200
    assert post(receiver, [alert("HighErrorRate")]) == 200  # an old one, again
    wait_until(lambda: world.hook.subjects("RESOLVED: HighErrorRate on test"), "the end")
    wait_until(lambda: not _spooled(world) and _are_done(world), "the end of the runs")
    assert len(world.hook.subjects("ALERT: HighErrorRate")) == 1
    assert [each["ended"] for each in _incidents(world)] == ["2026-11-24T09:30:00Z"]
    first, *_ = sorted(world.runs("alert-response")[before:] or world.runs("alert-response"), key=_created)
    assert first["state_type"] == "FAILED"  # critical
    assert "HighErrorRate fires" in first["state"]["message"]


def _created(run: Any) -> str:  # noqa: ANN401 - JSON's own types
    return str(run["created"])


def _spooled(world: World) -> list[Path]:
    return list((world.folder / "history" / "test" / "alerts" / "spool").glob("*.json"))


def _incidents(world: World) -> list[Any]:
    kept = json.loads((world.folder / "history" / "test" / "alerts" / "incidents.json").read_text(encoding="utf-8"))
    found: list[Any] = kept["incidents"]
    return found


def _are_done(world: World) -> bool:
    return all(run["state_type"] in {"COMPLETED", "FAILED"} for run in world.runs("alert-response"))


def test_a_flood_while_the_prefect_server_is_down_is_kept_and_makes_few_runs(world: World, receiver: str) -> None:
    before, earlier = len(world.runs("alert-response")), dt.datetime.now(dt.UTC)
    world.server.stop()
    with ThreadPoolExecutor(8) as senders, httpx.Client(trust_env=False) as client:
        flooded = [alert("Flood", number=str(number)) for number in range(FLOOD)]
        answers = senders.map(lambda each: post(receiver, [each], client=client), flooded)
        assert set(answers) == {200}
    assert len(_spooled(world)) == FLOOD
    world.server._start()
    world.server.wait()

    wait_until(lambda: not _spooled(world) and _are_done(world), "the end of the flood")
    flood = [each for each in _incidents(world) if each["name"] == "Flood"]
    assert len({each["key"] for each in flood}) == FLOOD
    assert len(world.hook.subjects("ALERT: Flood")) == 1
    assert 1 <= len(world.runs("alert-response")) - before <= 4
    wait_until(lambda: _alarms_after(earlier, world), "a dead-man's switch that has survived the restart")


def test_nothing_of_the_receiver_is_left(world: World, receiver: str) -> None:
    assert _answers(f"{receiver}/healthz")
    log = (world.folder / "receiver.log").read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert TOKEN not in log
    shown = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not any(TOKEN in argument for argv in shown for argument in argv)
