"""A newcomer's first command: server, deployment, worker, a run, its report in a browser, and nothing left."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from atomops.sandbox.place import make_folder
from tests import servers

ROOT = Path(__file__).parents[2]
SECONDS = 180


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

    def ask(self, path: str, **body: Any) -> Any:  # noqa: ANN401 - JSON's own types
        for _ in range(10):
            answer = httpx.post(f"{self.url}/api{path}", json=body, timeout=30, trust_env=False)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:  # SQLite was busy
                break
            time.sleep(0.5)
        return answer.raise_for_status().json()


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    home = make_folder("atomops-e2e-")
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
        process.wait(60)


def _wait(demo: Demo, words: str) -> None:
    deadline = time.monotonic() + SECONDS
    while words not in (said := demo.output.read_text(encoding="utf-8")):
        assert demo.process.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.2)


def test_the_report_is_printed_with_its_verdict_and_what_to_do(demo: Demo) -> None:
    said = demo.output.read_text(encoding="utf-8")
    assert "morning-checklist · sandbox" in said
    assert "WARNING   grade" in said
    assert "AGENT-STUCK" in said
    assert "UNKNOWN " not in said


def test_the_run_of_the_deployment_is_named_by_its_level_and_keeps_its_artifacts(demo: Demo) -> None:
    (run,) = [each for each in demo.ask("/flow_runs/filter") if each["state_type"] == "COMPLETED"]
    assert run["name"] == "morning-checklist-sandbox"
    assert run["state"]["name"] == "WARNING"
    shown = {artifact["key"]: artifact for artifact in demo.ask("/artifacts/filter")}
    assert shown["morning-checklist-sandbox"]["data"].startswith("# 🟡 WARNING")
    assert len(json.loads(shown["morning-checklist-sandbox-findings"]["data"])) > 40


def test_the_next_run_is_scheduled_for_nine_at_the_targets_time(demo: Demo) -> None:
    (deployment,) = demo.ask("/deployments/filter")
    (schedule,) = deployment["schedules"]
    assert (schedule["slug"], schedule["schedule"]["cron"]) == ("sandbox-daily-0900", "0 9 * * *")
    deadline = time.monotonic() + 60
    scheduled: list[Any] = []
    while not scheduled and time.monotonic() < deadline:
        states = {"state": {"type": {"any_": ["SCHEDULED"]}}}
        scheduled = demo.ask("/flow_runs/filter", flow_runs=states)
        time.sleep(0.5)
    assert {each["expected_start_time"][11:16] for each in scheduled} == {"09:00"}


def test_a_schedule_that_is_due_fires_through_the_worker(demo: Demo) -> None:
    (deployment,) = demo.ask("/deployments/filter")
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": _soon()}}
    parameters = {"target": "sandbox"}
    run = demo.ask(f"/deployments/{deployment['id']}/create_flow_run", state=state, parameters=parameters)
    ended = _ended(demo, run["id"])
    assert ended["state"]["name"] == "WARNING"
    assert ended["work_pool_name"] == "atomops"


def test_a_run_of_this_morning_that_a_returning_worker_finds_is_stale(demo: Demo) -> None:
    (deployment,) = demo.ask("/deployments/filter")
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": _soon(-4 * 3600)}}
    run = demo.ask(f"/deployments/{deployment['id']}/create_flow_run", state=state, parameters={"target": "sandbox"})
    assert _ended(demo, run["id"])["state"]["name"] == "STALE"


def _soon(seconds: int = 1) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def _ended(demo: Demo, number: str) -> Any:  # noqa: ANN401 - JSON's own types
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        (run,) = demo.ask("/flow_runs/filter", flow_runs={"id": {"any_": [number]}})
        if run["state_type"] in {"COMPLETED", "FAILED", "CRASHED"}:
            return run
        time.sleep(0.5)
    raise AssertionError(run)


def test_the_report_reads_in_a_browser(demo: Demo, tmp_path: Path) -> None:
    chromium = servers.required(servers.chromium)
    (artifact,) = [each for each in demo.ask("/artifacts/latest/filter") if each["type"] == "markdown"]
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
    return subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True).stdout


def test_after_ctrl_c_nothing_is_left(demo: Demo) -> None:
    world = Path(re.findall(r"/\S+/atomops-demo-\w+", demo.output.read_text(encoding="utf-8"))[0])
    assert world.exists()
    demo.process.send_signal(signal.SIGINT)
    demo.process.wait(60)
    assert not world.exists()
    left = [process for process in psutil.process_iter(["cmdline"]) if str(world) in str(process.info["cmdline"])]
    assert not left
