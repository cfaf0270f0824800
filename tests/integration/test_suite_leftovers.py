"""The suite itself leaves nothing behind: what a test forgets is named, and what is killed goes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from atomops.scratch.leftovers import FOLDER_VARIABLE
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
FORGETFUL = """
import os, subprocess, sys, tempfile, time
from pathlib import Path

def test_it():
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    process = subprocess.Popen(sleeper, start_new_session=True)
    folder = tempfile.mkdtemp(prefix="forgotten-")
    Path("told").write_text(f"{process.pid} {folder}")
    time.sleep(%d)
"""


def start(folder: Path, seconds: int) -> "subprocess.Popen[str]":
    """A suite of one test that forgets a process and a folder, and takes so long."""
    (folder / "test_it.py").write_text(FORGETFUL % seconds)
    mine = {"TMPDIR": str(folder), "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
    others = {name: value for name, value in os.environ.items() if name != FOLDER_VARIABLE}
    code = (
        "import pytest, sys; from tests import leftovers; leftovers._GRACE = 0.5; sys.exit(pytest.main(sys.argv[1:]))"
    )
    argv = [sys.executable, "-c", code, "-p", "tests.leftovers", "-p", "no:cacheprovider", "-q", "test_it.py"]
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, cwd=folder, env=others | mine, stdout=pipe, text=True, start_new_session=True)


def forgotten(folder: Path) -> tuple[psutil.Process, Path]:
    wait_until((folder / "told").exists, "the test")
    pid, _, path = wait_until((folder / "told").read_text, "what it forgets").partition(" ")
    return psutil.Process(int(pid)), Path(path)


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_what_a_test_forgets_is_named_removed_and_fails_the_suite(tmp_path: Path) -> None:
    suite = start(tmp_path, 0)
    said, _ = suite.communicate()
    pid, _, folder = (tmp_path / "told").read_text().partition(" ")

    assert suite.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 passed" in said
    assert f"A test has left behind: {folder}" in said
    assert "A test has left behind: the process" in said
    assert not psutil.pid_exists(int(pid)) or is_gone(psutil.Process(int(pid)))
    assert list(tmp_path.glob("atomops-tests-*")) == []


def test_a_killed_suite_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    suite = start(tmp_path, 600)
    process, folder = forgotten(tmp_path)
    assert folder.exists()

    os.killpg(suite.pid, signal.SIGKILL)
    suite.communicate()

    wait_until(lambda: is_gone(process), "the end of the process")
    wait_until(lambda: not list(tmp_path.glob("atomops-tests-*")), "the end of the folder")
