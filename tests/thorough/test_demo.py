"""A newcomer's first command: server, deployment, worker, a run, its report in a browser, and nothing left."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from atomops.scratch.place import make_folder
from tests import servers
from tests.waiting import PATIENCE, wait_until

ROOT = Path(__file__).parents[2]
SECONDS = 500  # a demo takes a minute on an idle machine
pytestmark = [pytest.mark.slow(110), pytest.mark.timeout(SECONDS + 100)]


@dataclass(frozen=True)
class Demo:
    """A demo that serves its schedules."""

    process: subprocess.Popen[str]
    output: Path
    home: Path

    @property
    def url(self) -> str:
        found = re.search(r"http://127\.0\.0\.1:\d+(?=/artifacts)", self.output.read_text(encoding="utf-8"))
        assert found
        return found[0]

    def deployment(self, name: str) -> Any:  # noqa: ANN401 - JSON's own types
        """The one of that name, among all that the demo has deployed."""
        (found,) = [each for each in self.ask("/deployments/filter") if each["name"] == name]
        return found

    def ask(self, path: str, **body: Any) -> Any:  # noqa: ANN401 - JSON's own types
        def answered() -> httpx.Response | None:
            answer = httpx.post(f"{self.url}/api{path}", json=body, timeout=30, trust_env=False)
            busy = answer.status_code == httpx.codes.SERVICE_UNAVAILABLE  # SQLite is
            return None if busy else answer.raise_for_status()

        answer = wait_until(answered, f"an answer of {path}")
        return answer.json()


@pytest.fixture(scope="module")
def demo(server_folder: Path) -> Iterator[Demo]:
    home = make_folder("demo-", server_folder)
    output = home / "output"
    env = {**os.environ, "HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "COLUMNS": "120"}
    with output.open("w", encoding="utf-8") as file:
        argv = [sys.executable, "-m", "atomops.cli", "demo"]
        process = subprocess.Popen(argv, stdout=file, stderr=file, cwd=ROOT, env=env, text=True)
    running = Demo(process, output, home)
    try:
        _wait(running, "Serving the schedules")
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


def _wait(demo: Demo, words: str) -> None:
    def said() -> str:
        return demo.output.read_text(encoding="utf-8")

    wait_until(lambda: words in said() or demo.process.poll() is not None, f"{words!r} of the demo", SECONDS)
    assert words in said(), said()


def test_the_report_is_printed_with_its_verdict_and_what_to_do(demo: Demo) -> None:
    said = demo.output.read_text(encoding="utf-8")
    morning = said.partition("morning-checklist · sandbox")[2].partition("In the Prefect UI")[0]
    assert "WARNING   grade" in morning
    assert "AGENT-STUCK" in morning
    assert "UNKNOWN " not in said


def test_every_deployment_with_a_daily_schedule_gave_its_report(demo: Demo) -> None:
    said = demo.output.read_text(encoding="utf-8")
    crons = {each["name"]: _crons(each) for each in demo.ask("/deployments/filter")}
    scheduled = {name for name, found in crons.items() if any(cron.endswith(" * * *") for cron in found)}
    assert scheduled >= {"morning-checklist", "end-of-day-checklist"}
    assert {name for name in scheduled if f"{name} · sandbox" in said} == scheduled


def _crons(deployment: Any) -> list[str]:  # noqa: ANN401 - JSON's own types
    return [each["schedule"]["cron"] for each in deployment["schedules"] if each["active"]]


def test_the_evening_looks_at_the_disks_of_this_machine(demo: Demo) -> None:
    latest = demo.ask("/artifacts/latest/filter")
    (shown,) = [each for each in latest if each["key"] == "end-of-day-checklist-sandbox-findings"]
    findings = json.loads(shown["data"])
    codes = {cell for finding in findings for cell in map(str, finding.values())}
    assert {"DISK-USED", "DISK-PATHS", "HOST-LOAD"} <= codes
    assert f"{socket.gethostname()}, where this flow runs" in shown["data"]


def test_the_run_of_the_deployment_is_named_by_its_level_and_keeps_its_artifacts(demo: Demo) -> None:
    (run,) = [each for each in demo.ask("/flow_runs/filter") if each["name"] == "morning-checklist-sandbox"]
    assert run["state_type"] == "COMPLETED"
    assert run["state"]["name"] == "WARNING"
    shown = {artifact["key"]: artifact for artifact in demo.ask("/artifacts/filter")}
    assert shown["morning-checklist-sandbox"]["data"].startswith("# 🟡 WARNING")
    assert len(json.loads(shown["morning-checklist-sandbox-findings"]["data"])) > 40


@pytest.mark.parametrize(("name", "hour"), [("morning-checklist", 9), ("end-of-day-checklist", 18)])
def test_the_next_run_is_scheduled_for_its_hour_at_the_targets_time(demo: Demo, name: str, hour: int) -> None:
    deployment = demo.deployment(name)
    (schedule,) = deployment["schedules"]
    assert (schedule["slug"], schedule["schedule"]["cron"]) == (f"sandbox-daily-{hour:02}00", f"0 {hour} * * *")
    waiting = {"state": {"type": {"any_": ["SCHEDULED"]}}, "deployment_id": {"any_": [deployment["id"]]}}
    scheduled = wait_until(lambda: demo.ask("/flow_runs/filter", flow_runs=waiting), "a scheduled run")
    assert {each["expected_start_time"][11:16] for each in scheduled} == {f"{hour:02}:00"}


def test_a_schedule_that_is_due_fires_through_the_worker(demo: Demo) -> None:
    deployment = demo.deployment("morning-checklist")
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": _soon()}}
    parameters = {"target": "sandbox"}
    run = demo.ask(f"/deployments/{deployment['id']}/create_flow_run", state=state, parameters=parameters)
    ended = _ended(demo, run["id"])
    assert ended["state"]["name"] == "WARNING"
    assert ended["work_pool_name"] == "atomops"


def test_a_restore_that_is_cancelled_while_the_application_is_stopped_starts_it_again(demo: Demo) -> None:
    restore, home = demo.deployment("restore-database"), _application(demo)
    given = {"target": "sandbox", "dry_run": False}
    state = {"type": "SCHEDULED"}
    run = demo.ask(f"/deployments/{restore['id']}/create_flow_run", state=state, parameters=given)
    wait_until(lambda: not _is_ready(home), "the application's stop")
    cancelling = {"type": "CANCELLING", "name": "Cancelling"}
    demo.ask(f"/flow_runs/{run['id']}/set_state", state=cancelling, force=True)
    assert _ended(demo, run["id"])["state_type"] == "CANCELLED"
    wait_until(lambda: _is_ready(home), "the application's return")


def _application(demo: Demo) -> str:
    """Where it answers."""
    inventory = tomllib.loads((_world(demo) / "inventory.toml").read_text(encoding="utf-8"))
    return str(inventory["targets"]["sandbox"]["app"]["url"])


def _world(demo: Demo) -> Path:
    """The folder that it names first; a table of a report may cut the name off."""
    return Path(re.findall(r"/\S+/atomops-demo-\w+", demo.output.read_text(encoding="utf-8"))[0])


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _soon() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))


def _ended(demo: Demo, number: str) -> Any:  # noqa: ANN401 - JSON's own types
    def ended() -> Any:  # noqa: ANN401 - JSON's own types
        (run,) = demo.ask("/flow_runs/filter", flow_runs={"id": {"any_": [number]}})
        return run if run["state_type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"} else None

    return wait_until(ended, f"the end of the run {number}")


def test_the_report_reads_in_a_browser(demo: Demo, tmp_path: Path) -> None:
    chromium = servers.required(servers.chromium)
    latest = demo.ask("/artifacts/latest/filter")
    (artifact,) = [each for each in latest if each["key"] == "morning-checklist-sandbox"]
    address = f"{demo.url}/v2/artifacts/artifact/{artifact['latest_id']}"
    page = _dom(chromium, address, tmp_path)
    assert "WARNING · grade" in page
    assert "What to do" in page
    assert "data:image/svg+xml;base64," in page
    assert "Not checked" in page


def _dom(chromium: Path, address: str, folder: Path) -> str:
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    flags += ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={folder}/profile"]
    argv = [str(chromium), *flags, "--virtual-time-budget=20000", "--dump-dom", address]
    return subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout


def test_after_ctrl_c_nothing_is_left(demo: Demo) -> None:
    world = _world(demo)
    assert world.exists()
    demo.process.send_signal(signal.SIGINT)
    demo.process.wait(PATIENCE)
    assert not world.exists()
    left = [process for process in psutil.process_iter(["cmdline"]) if str(world) in str(process.info["cmdline"])]
    assert not left
