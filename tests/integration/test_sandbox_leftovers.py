"""Nothing survives its owner, however that ends."""

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from atomops import shell
from atomops.scratch.leftovers import FOLDER_VARIABLE, processes_of, sweep
from atomops.scratch.place import make_folder
from tests.waiting import wait_until

PREFIX = f"atomops-sweep-{os.getpid()}-"

WORLD = f"""
from atomops.scratch.leftovers import own_world_folder
from atomops.sandbox.world import world
import time
with own_world_folder("{PREFIX}") as folder, world(folder, folder / "history"):
    print(folder, flush=True)
    time.sleep(600)
"""
GRANDCHILD = f"""
import os, subprocess, sys, time
from atomops.scratch.leftovers import FOLDER_VARIABLE, own_world_folder
with own_world_folder("{PREFIX}") as folder:
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    subprocess.Popen(sleeper, env=os.environ | {{FOLDER_VARIABLE: str(folder)}}, start_new_session=True)
    print(folder, flush=True)
    time.sleep(600)
"""


def owner_of_a_folder(script: str, log: Path) -> tuple[shell.Server, Path]:
    owner = shell.start([sys.executable, "-c", script], log=log)
    wait_until(lambda: owner.tail().endswith("\n"), "the folder's name")
    return owner, Path(owner.tail().strip())


def warden_of(owner: shell.Server) -> psutil.Process:
    children = psutil.Process(owner.pid).children()
    return next(child for child in children if "atomops.scratch.leftovers" in child.cmdline())


def is_gone(process: psutil.Process) -> bool:
    """A zombie that nobody reaps, as in a container without an init, is gone as well."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_killed_owner_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    owner, folder = owner_of_a_folder(WORLD, tmp_path / "log")
    servers = processes_of(folder)
    assert {"valkey-server", "postgres"} <= {process.name() for process in servers}
    os.kill(owner.pid, signal.SIGKILL)
    owner.process.wait()
    wait_until(lambda: all(is_gone(process) for process in servers), "the end of the servers")
    wait_until(lambda: not folder.exists(), "the removal of the folder")


def test_a_grandchild_that_outlived_its_parent_is_found_and_ended(tmp_path: Path) -> None:
    owner, folder = owner_of_a_folder(GRANDCHILD, tmp_path / "log")
    [grandchild] = processes_of(folder)
    os.kill(owner.pid, signal.SIGKILL)
    owner.process.wait()
    wait_until(lambda: is_gone(grandchild), "the end of the grandchild")
    wait_until(lambda: not folder.exists(), "the removal of the folder")


def test_when_the_warden_was_killed_too_the_next_sweep_clears_up(tmp_path: Path) -> None:
    owner, folder = owner_of_a_folder(GRANDCHILD, tmp_path / "log")
    [grandchild] = processes_of(folder)
    warden_of(owner).kill()
    os.kill(owner.pid, signal.SIGKILL)
    owner.process.wait()
    assert not is_gone(grandchild)
    assert sweep(PREFIX) == [folder]
    assert is_gone(grandchild)
    assert not folder.exists()


def test_a_living_owner_is_left_alone(tmp_path: Path) -> None:
    owner, folder = owner_of_a_folder(GRANDCHILD, tmp_path / "log")
    assert sweep(PREFIX) == []
    assert owner.is_running()
    assert len(processes_of(folder)) == 1
    owner.stop()
    wait_until(lambda: not folder.exists(), "the removal of the folder")


def test_a_newborn_folder_without_a_lock_is_left_alone_and_an_old_one_is_not() -> None:
    folder = make_folder(PREFIX)
    assert sweep(PREFIX) == []
    an_hour_ago = time.time() - 3600
    os.utime(folder, (an_hour_ago, an_hour_ago))
    assert sweep(PREFIX) == [folder]
    assert not folder.exists()


def test_a_link_to_another_folder_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "precious")
    os.utime(tmp_path / "precious", (0, 0))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert sweep(PREFIX) == []
    assert (tmp_path / "precious").exists()


def test_a_process_that_only_names_the_folder_does_not_belong_to_it(tmp_path: Path) -> None:
    stranger = shell.start([sys.executable, "-c", "import time; time.sleep(60)", tmp_path], log=tmp_path / "log")
    member = shell.start(
        [sys.executable, "-c", "import time; time.sleep(60)"],
        log=tmp_path / "log",
        env={FOLDER_VARIABLE: str(tmp_path)},
    )
    assert [process.pid for process in processes_of(tmp_path)] == [member.pid]
    stranger.stop(grace=0)
    member.stop(grace=0)
