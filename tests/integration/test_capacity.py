"""The host where the probe runs: its disks, those that are closed, hang or are not there, and its own past."""

import asyncio
import datetime as dt
import os
import socket
import threading
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from atomops.errors import AccessDenied
from atomops.facts.capacity import FileSystem, Sample
from atomops.probes.capacity import here
from atomops.probes.parts import CAPACITY
from atomops.stores.history import keep_facts
from atomops.verdict import Level, Unseen
from tests.capacities import host, mount_of, seen_of, unseen
from tests.targets import findings
from tests.users import public_folder, unprivileged

GIB = 2**30


def test_the_numbers_are_those_of_df_and_of_the_host_where_it_runs(tmp_path: Path) -> None:
    seen = seen_of(host(tmp_path, tmp_path))
    usage = psutil.disk_usage(str(tmp_path))
    assert seen.host == f"{socket.gethostname()}, where this flow runs"
    (disk,) = seen.file_systems
    assert tmp_path.is_relative_to(disk.mount)
    assert Path(disk.mount).stat().st_dev == tmp_path.stat().st_dev
    assert disk.used == pytest.approx(usage.used, rel=0.05)
    assert disk.available == pytest.approx(usage.free, rel=0.05)
    found = findings(CAPACITY, seen)
    assert found["DISK-USED"].observed == pytest.approx(usage.percent / 100, abs=0.02)
    assert found["HOST-MEMORY-AVAILABLE"].observed == pytest.approx(1 - psutil.virtual_memory().percent / 100, abs=0.1)
    assert found["HOST-LOAD"].observed == pytest.approx(os.getloadavg()[1] / (os.cpu_count() or 1), abs=0.5)
    assert all(seen.host in finding.summary for finding in found.values())


def test_paths_of_one_file_system_are_judged_once_and_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("/proc/self" if Path("/proc/self").exists() else "folder")
    seen = seen_of(host(tmp_path, tmp_path / "folder", tmp_path / "file"))
    assert len(seen.file_systems) == 1
    assert mount_of(seen, tmp_path / "folder") == mount_of(seen, tmp_path / "file") == seen.file_systems[0].mount
    assert "has no size" in unseen(seen_of(host(tmp_path, tmp_path / "link")), tmp_path / "link").reason


def test_a_path_that_does_not_exist_is_unknown_by_its_name_and_spoils_no_other(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    paths = (tmp_path, tmp_path / "nowhere", tmp_path / "loop", tmp_path / "gone" / "deeper")
    found = findings(CAPACITY, seen_of(host(tmp_path, *paths)))
    assert found["DISK-PATHS"].level is Level.UNKNOWN
    assert found["DISK-PATHS"].summary.startswith("3 of 4 paths unknown")
    assert f"{tmp_path}/nowhere does not exist on {socket.gethostname()}" in found["DISK-PATHS"].summary
    assert found["DISK-USED"].level is not Level.UNKNOWN


def test_a_folder_that_we_may_not_enter_is_unknown_with_what_to_name_instead() -> None:
    with public_folder() as folder:
        inside = folder / "closed" / "inside"
        inside.mkdir(parents=True)
        inside.parent.chmod(0)
        with unprivileged():
            why = unseen(seen_of(host(folder, inside)), inside)
        inside.parent.chmod(0o700)
    assert "Permission denied" in why.reason
    assert "a folder above it" in why.action


@pytest.mark.parametrize(
    ("error", "kind"), [(PermissionError(13, "no"), AccessDenied), (OSError(5, "bad"), AccessDenied)]
)
def test_whatever_the_disk_says_is_an_error_with_a_next_step(
    monkeypatch: pytest.MonkeyPatch, error: OSError, kind: type[Exception]
) -> None:
    def failing(_path: Path) -> FileSystem:
        raise error

    monkeypatch.setattr(here, "file_system", failing)
    with pytest.raises(kind, match="cannot be looked at"):
        asyncio.run(here._looked(Path("/mnt"), 1))


def test_a_disk_that_hangs_costs_its_own_path_and_its_own_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of a file server that is gone does, in the kernel, where nothing interrupts it."""
    awake, really = threading.Event(), here.file_system
    hanging = tmp_path / "hangs"
    monkeypatch.setattr(here, "file_system", lambda path: awake.wait() if path == hanging else really(path))
    seen = seen_of(host(tmp_path, tmp_path, hanging, timeout=2))
    awake.set()
    assert unseen(seen, hanging).reason == f"{hanging} cannot be looked at within 2 s"
    assert len(seen.file_systems) == 1


def test_looks_of_earlier_days_become_a_trend(tmp_path: Path) -> None:
    here_now = host(tmp_path, tmp_path)
    seen = seen_of(here_now)
    (disk,) = seen.file_systems
    assert seen.past == {}
    earlier = seen.at - dt.timedelta(days=1)
    past = {disk.mount: tuple(Sample(earlier - dt.timedelta(days=day), disk.used - day * GIB) for day in (3, 2, 1))}
    keep_facts(here_now.history, here_now.name, replace(seen, at=earlier, past=past))
    again = seen_of(here_now)
    assert not isinstance(again.past, Unseen)
    assert [sample.at for sample in again.past[disk.mount]] == [
        *(sample.at for sample in past[disk.mount]),
        earlier,
    ]
    trend = findings(CAPACITY, again)["DISK-DAYS-TO-FULL"]
    assert trend.observed is not None
    assert trend.observed > 0


def test_the_history_of_another_host_is_none_of_ours(tmp_path: Path) -> None:
    here_now = host(tmp_path, tmp_path)
    seen = seen_of(here_now)
    keep_facts(here_now.history, here_now.name, replace(seen, host="db:9100", at=seen.at - dt.timedelta(days=1)))
    assert seen_of(here_now).past == {}
