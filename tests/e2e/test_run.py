"""`atomops run` without any Prefect server."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests import servers
from tests.peers import refused_port
from tests.starter import clean_environment
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow(30)

_INVENTORY = """
[targets.production]
profile = "atom"
history = "{folder}/history"
[targets.production.app]
url = "https://127.0.0.1:{port}"
[targets.production.postgres]
dsn = "postgresql://nobody@127.0.0.1:{port}/atom"
[targets.production.redis]
url = "redis://127.0.0.1:{port}/0"
[targets.production.prometheus]
url = "http://127.0.0.1:{port}"
[targets.production.logs]
paths = ["{folder}/none.log"]
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    inventory = tmp_path / "inventory.toml"
    inventory.write_text(_INVENTORY.format(folder=tmp_path, port=refused_port()))
    home = tmp_path / "prefect"
    home.mkdir()
    shutil.copy(servers.prefect_database(), home)  # the demo's server makes its own
    return clean_environment() | {"ATOMOPS_INVENTORY": str(inventory), "PREFECT_HOME": str(home)}


def _argv(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "atomops.cli", "run", "morning-checklist", *arguments]


def test_with_every_server_down_nothing_is_ok_and_the_exit_code_is_critical(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    kept = tmp_path / "report.json"

    ended = subprocess.run(_argv("--json", str(kept)), env=environment, capture_output=True, text=True, check=False)

    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    report = json.loads(kept.read_text())
    assert report["level"] == "CRITICAL"
    assert {finding["level"] for finding in report["findings"]} == {"CRITICAL", "UNKNOWN"}


def test_a_killed_run_leaves_no_server_behind(environment: dict[str, str]) -> None:
    run = subprocess.Popen(_argv(), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    children = _children(run.pid)

    run.kill()
    run.wait()

    assert psutil.wait_procs(children, timeout=PATIENCE)[1] == []


def _children(pid: int) -> list[psutil.Process]:
    return wait_until(lambda: psutil.Process(pid).children(recursive=True), "a child")
