"""Restarts of the sandbox's application by commands that work, fail, hang, and are killed: it runs again, always."""

import asyncio
import datetime as dt
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from prefect.settings import PREFECT_API_URL

from atomops.change.audit import audit_path
from atomops.change.journal import Unfinished, remember, unfinished
from atomops.cli.resume import resume
from atomops.errors import CommandFailed
from atomops.inventory import Target, load_inventory
from atomops.runtimes.choose import runtime_of
from atomops.sandbox.application import control
from atomops.sandbox.world import World, world
from atomops.scratch.leftovers import own_world_folder
from flows.restart_service import restart_service
from tests.flows.running import run
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow(70)

FLOOD = "for n in $(seq 60); do echo ERROR:core.widgets:Out of widgets; done"


@dataclass(frozen=True)
class Application:
    """The sandbox's application, and an inventory whose restart is the test's own."""

    world: World
    inventory: Path

    @property
    def config(self) -> Path:
        return self.world.application.config

    @property
    def target(self) -> Target:
        return load_inventory(self.inventory).target("test")

    @property
    def processes(self) -> list[psutil.Process]:
        return control.running(self.config)

    def command(self, what: str) -> str:
        """Of the sandbox, for use in a script."""
        return " ".join(control.command(what, self.config))

    def restart_by(self, script: str, *, ready_within: float = 20) -> None:
        """A patient look at metrics would only cost time here."""
        text = self.world.inventory.read_text(encoding="utf-8").replace("[targets.sandbox", "[targets.test")
        restart = json.dumps(list(control.command("restart", self.config)))
        assert restart in text
        text = text.replace(f"restart = {restart}", f"restart = {json.dumps(['sh', '-c', script])}")
        text = text.replace("[targets.test.app]", "[targets.test.app]\nmetrics_interval = 1")
        text = text.replace("settle = 10", f"settle = 1.5\nready_within = {ready_within}")
        self.inventory.write_text(text, encoding="utf-8")

    def atomops(self, *arguments: str) -> subprocess.Popen[bytes]:
        """`atomops ...` as a process of its own, on the Prefect server of these tests."""
        environment = {**os.environ, "PREFECT_API_URL": PREFECT_API_URL.value() or ""}
        with (self.world.folder / "output").open("wb") as output:
            argv = [sys.executable, "-m", "atomops.cli", *arguments, "--target", "test"]
            return subprocess.Popen(argv, env=environment, stdout=output, stderr=output, cwd=self.world.folder)

    @property
    def output(self) -> str:
        return (self.world.folder / "output").read_text()

    @property
    def record(self) -> list[dict[str, Any]]:
        path = audit_path(self.target)
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture(scope="module")
def running() -> Iterator[World]:
    with own_world_folder("atomops-test-") as folder, world(folder, folder / "history") as it:
        yield it


@pytest.fixture
def application(running: World, inventory: Path) -> Application:
    made = Application(running, inventory)
    made.restart_by(made.command("restart"))
    control.start(made.config)
    return made


def findings(report: Any) -> dict[str, Any]:  # noqa: ANN401 - a report, or the error that it raised
    return {finding.code: finding for finding in report.findings}


def levels(report: Any, *codes: str) -> list[str]:  # noqa: ANN401 - as above
    return [str(findings(report)[code].level) for code in codes]


def test_a_restart_brings_up_another_process_and_watches_it_settle(application: Application) -> None:
    (before,) = application.processes

    state, report = run(restart_service)

    assert state.is_completed(), report.summary
    (after,) = application.processes
    assert after != before
    assert levels(report, "RESTART-RUN", "RESTART-NOT-UP", "RESTART-TAKEN-BACK", "SETTLE-NOT-READY") == ["OK"] * 4
    assert findings(report)["RESTART-DOWNTIME"].observed > 0
    assert f"process {before.pid}" in findings(report)["RESTART-NOT-UP"].evidence.rows[0][1]
    assert f"process {after.pid}" in findings(report)["RESTART-NOT-UP"].evidence.rows[0][4]
    assert [line["result"] for line in application.record[-2:]] == ["started", "done"]
    assert unfinished(application.target) is None


def test_a_dry_run_tells_every_command_and_changes_nothing(application: Application) -> None:
    (before,) = application.processes
    recorded = application.record

    state, report = run(restart_service, dry_run=True)

    assert state.is_completed()
    steps = dict(findings(report)["RESTART-RUN"].evidence.rows)
    assert application.command("restart") in steps["restart"]
    assert application.processes == [before]
    assert application.record == recorded
    assert unfinished(application.target) is None


def test_a_restart_that_fails_half_way_is_critical_and_the_application_is_started_again(
    application: Application,
) -> None:
    application.restart_by(f"{application.command('stop')}; echo no licence found >&2; exit 5")

    state, report = run(restart_service)

    assert state.is_failed()
    assert "ended with exit code 5: no licence found" in findings(report)["RESTART-RUN"].summary
    assert "taken back; it is ready again" in findings(report)["RESTART-TAKEN-BACK"].summary
    assert levels(report, "RESTART-RUN", "RESTART-NOT-UP") == ["CRITICAL", "OK"]
    assert len(application.processes) == 1
    assert application.record[-1]["result"] == "failed"
    assert unfinished(application.target) is None


def test_one_that_comes_up_and_is_never_ready_is_critical_and_stays_to_be_resumed(
    application: Application, capsys: pytest.CaptureFixture[str]
) -> None:
    redis = application.world.redis.server.process
    application.restart_by(f"kill -STOP {redis.pid}; {application.command('restart')}", ready_within=3)
    try:
        state, report = run(restart_service)
        assert state.is_failed()
        assert "was not ready within" in findings(report)["RESTART-RUN"].summary
        assert "but it does not serve" in findings(report)["RESTART-TAKEN-BACK"].summary
        assert unfinished(application.target) is not None
    finally:
        redis.send_signal(signal.SIGCONT)
    assert resume(target="test") == 0
    assert "the application runs as before (1 wanted)" in capsys.readouterr().out
    assert unfinished(application.target) is None


def test_a_flood_of_new_errors_after_it_is_critical_whatever_times_its_lines_bear(application: Application) -> None:
    """Without undo the application is left as it is, and runs."""
    application.restart_by(f"{application.command('restart')} && {FLOOD} >> {application.world.log}")

    state, report = run(restart_service, undo_on_failure=False)

    assert state.is_failed()
    assert levels(report, "RESTART-RUN", "SETTLE-ERRORS", "SETTLE-ERRORS-NEW") == ["CRITICAL", "CRITICAL", "WARNING"]
    assert "Out of widgets" in str(findings(report)["SETTLE-ERRORS-NEW"].evidence.rows)
    assert "left as it is" in findings(report)["RESTART-TAKEN-BACK"].summary
    assert len(application.processes) == 1


def hanging(application: Application) -> Path:
    """A restart that has stopped the application and hangs; it says so by a file."""
    marker = application.world.folder / "stopped"
    marker.unlink(missing_ok=True)
    application.restart_by(f"{application.command('stop')}; touch {marker}; sleep 600")
    return marker


def test_cancelled_in_its_midst_the_application_runs_again(application: Application) -> None:
    marker = hanging(application)
    restart = application.atomops("run", "restart-service")
    wait_until(lambda: marker.exists() or restart.poll() is not None, "the application's stop")
    assert application.processes == []

    restart.send_signal(signal.SIGTERM)

    assert restart.wait(PATIENCE) == 3, application.output
    assert len(application.processes) == 1
    assert application.record[-1]["result"] == "cancelled"
    assert unfinished(application.target) is None


def test_killed_in_its_midst_the_application_is_brought_back_by_resume(
    application: Application, capsys: pytest.CaptureFixture[str]
) -> None:
    marker = hanging(application)
    restart = application.atomops("run", "restart-service")
    wait_until(lambda: marker.exists() or restart.poll() is not None, "the application's stop")
    restart.kill()
    restart.wait()
    assert application.processes == []
    left = unfinished(application.target)
    assert left is not None
    assert left.before is not None
    assert left.before.wanted == 1

    assert resume(target="test") == 0
    assert "was killed in its step 'restart'" in capsys.readouterr().out
    assert len(application.processes) == 1
    assert unfinished(application.target) is None
    assert [line["what"] for line in application.record[-2:]] == ["restart-service", "resume"]

    assert resume(target="test") == 0
    assert "nothing to bring back" in capsys.readouterr().out


def test_what_a_killed_change_has_left_is_put_right_before_the_next_restart(application: Application) -> None:
    before = asyncio.run(runtime_of(application.target).describe())
    remember(application.target, Unfinished("restart-service", "run", dt.datetime.now(dt.UTC), "restart", before))
    control.stop(application.config)

    state, report = run(restart_service)

    assert state.is_completed(), report.summary
    assert findings(report)["RESTART-RESUMED"].observed == 2
    assert len(application.processes) == 1
    assert unfinished(application.target) is None


def test_one_that_was_not_ready_before_is_only_started_by_resume(
    application: Application, capsys: pytest.CaptureFixture[str]
) -> None:
    redis = application.world.redis.server.process
    before = asyncio.run(runtime_of(application.target).describe())
    left = Unfinished("restart-service", "run", dt.datetime.now(dt.UTC), "restart", before, {"was_ready": "false"})
    remember(application.target, left)
    control.stop(application.config)
    redis.send_signal(signal.SIGSTOP)
    try:
        assert resume(target="test") == 0
    finally:
        redis.send_signal(signal.SIGCONT)
    assert "runs as before" in capsys.readouterr().out
    assert len(application.processes) == 1
    assert unfinished(application.target) is None


def test_resume_says_why_it_could_not_bring_it_back_and_keeps_the_journal(application: Application) -> None:
    before = asyncio.run(runtime_of(application.target).describe())
    remember(application.target, Unfinished("restart-service", "run", dt.datetime.now(dt.UTC), "restart", before))
    control.stop(application.config)
    text = application.inventory.read_text()
    start = json.dumps(list(control.command("start", application.config)))
    application.inventory.write_text(text.replace(f"start = {start}", 'start = ["sh", "-c", "exit 7"]'))

    with pytest.raises(CommandFailed, match="exit code 7"):
        resume(target="test")

    assert application.record[-1]["result"].startswith("failed: ")
    assert unfinished(application.target) is not None
    application.inventory.write_text(text)
    assert resume(target="test") == 0


def test_a_target_without_a_runtime_is_told_what_to_add(application: Application) -> None:
    text = application.inventory.read_text()
    begin, end = text.index("[targets.test.runtime]"), text.index("[targets.test.changes]")
    application.inventory.write_text(text[:begin] + text[end:])
    state, error = run(restart_service)
    assert state.is_failed()
    assert "nothing says what runs the application of test" in str(error)
