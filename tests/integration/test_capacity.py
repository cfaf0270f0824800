"""The host of the tests itself, and others through a real Prometheus: a real node exporter's, and one with a past."""

import asyncio
import datetime as dt
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

from atomops import shell
from atomops.errors import AccessDenied, BadAnswer, NotThere, TimedOut, Unreachable
from atomops.facts.capacity import CapacityFacts, FileSystem, Sample
from atomops.inventory import Target
from atomops.probes.capacity import here
from atomops.probes.parts import CAPACITY
from atomops.sandbox.prometheus import PrometheusServer, prometheus_server
from atomops.stores.history import keep_facts
from atomops.verdict import Level, Unseen
from tests import monitoring, servers
from tests.peers import Page, black_hole, http_server, refused_port
from tests.targets import findings, look, target

HOUR, DAY, GIB = 3600, 86_400, 2**30
LABELS = 'instance="db:9100",job="node",device="/dev/sda1",fstype="ext4"'


def host(folder: Path, *paths: Path | str, **settings: object) -> Target:
    return target(history=folder / "history", host={"paths": [str(path) for path in paths], **settings})


def seen_of(at: Target) -> CapacityFacts:
    facts = look(CAPACITY, at)
    assert isinstance(facts, CapacityFacts)
    return facts


def mount_of(facts: CapacityFacts, path: Path | str) -> str:
    (mount,) = [each.mount for each in facts.paths if each.path == str(path)]
    assert isinstance(mount, str), mount
    return mount


def unseen(facts: CapacityFacts, path: Path | str) -> Unseen:
    (mount,) = [each.mount for each in facts.paths if each.path == str(path)]
    assert isinstance(mount, Unseen), mount
    return mount


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


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
def test_a_folder_that_we_may_not_enter_is_unknown_with_what_to_name_instead(tmp_path: Path) -> None:
    (tmp_path / "closed" / "inside").mkdir(parents=True)
    (tmp_path / "closed").chmod(0)
    try:
        why = unseen(seen_of(host(tmp_path, tmp_path / "closed" / "inside")), tmp_path / "closed" / "inside")
    finally:
        (tmp_path / "closed").chmod(0o700)
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
    started = time.monotonic()
    seen = seen_of(host(tmp_path, tmp_path, hanging, timeout=2))
    assert time.monotonic() - started < 30
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


@dataclass(frozen=True)
class World:
    prometheus: PrometheusServer
    exporter: str

    def target(self, *paths: str, **settings: object) -> Target:
        return target(prometheus={"url": self.prometheus.url}, host={"paths": list(paths), **settings})


def history(now: int) -> str:
    """`/` has grown by 1 GiB a day to 70 of 100, of which 5 are root's; `/var/lib/postgresql` has shrunk."""
    lines: list[str] = []
    moments = [*range(now - 8 * DAY, now - 10, 600), now - 10]  # of a later block no scrape of now would be taken
    for name, root, data in (
        ("size_bytes", lambda _: 100 * GIB, lambda _: 50 * GIB),
        ("free_bytes", lambda age: (30 + age / DAY) * GIB, lambda age: (25 - age / DAY) * GIB),
        ("avail_bytes", lambda age: (25 + age / DAY) * GIB, lambda age: (25 - age / DAY) * GIB),
        ("files", lambda _: 1000, lambda _: 0),
        ("files_free", lambda _: 100, lambda _: 0),
    ):
        lines.append(f"# TYPE node_filesystem_{name} gauge")
        for mount, value in (("/", root), ("/var/lib/postgresql", data)):
            labels = f'{LABELS},mountpoint="{mount}"'
            lines += [f"node_filesystem_{name}{{{labels}}} {value(now - at):.0f} {at}" for at in moments]
    return "\n".join([*lines, "# EOF", ""])


@pytest.fixture(scope="module")
def world(server_folder: Path) -> Iterator[World]:
    program = servers.required(servers.prometheus)
    past, data = server_folder / "disks.txt", server_folder / "disks"
    past.write_text(history(int(time.time())), encoding="utf-8")
    promtool = program.resolve().with_name("promtool")
    asyncio.run(shell.run([promtool, "tsdb", "create-blocks-from", "openmetrics", past, data], timeout=60))
    with ExitStack() as stack:
        exporter = stack.enter_context(monitoring.node_exporter(servers.required(servers.node_exporter), server_folder))
        scraped = {"node": exporter, "other": f"127.0.0.1:{refused_port()}"}
        prometheus = stack.enter_context(prometheus_server(program, server_folder, scraped, data=data))
        running = World(prometheus, exporter)
        _wait(running)
        yield running


def _wait(running: World) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            seen_of(running.target("/", instance=running.exporter))
        except NotThere:
            assert time.monotonic() < deadline, "Prometheus scrapes nothing"
            time.sleep(0.2)
        else:
            return


def test_a_real_node_exporter_says_what_this_host_says_of_itself(world: World, tmp_path: Path) -> None:
    asked = seen_of(world.target("/", instance=world.exporter, job="node"))
    looked = seen_of(host(tmp_path, "/"))
    assert asked.host == world.exporter
    assert mount_of(asked, "/") == mount_of(looked, "/") == "/"
    (theirs,), (ours,) = asked.file_systems, looked.file_systems
    assert (theirs.size, theirs.inodes) == (ours.size, ours.inodes)
    assert theirs.used == pytest.approx(ours.used, rel=0.05)
    assert theirs.available == pytest.approx(ours.available, rel=0.05)
    assert not isinstance(asked.memory, Unseen)
    assert not isinstance(looked.memory, Unseen)
    assert asked.memory.total == looked.memory.total
    assert asked.memory.available == pytest.approx(looked.memory.available, rel=0.2)
    assert not isinstance(asked.load, Unseen)
    assert asked.load.cores == os.cpu_count()
    found = findings(CAPACITY, asked)
    assert all(world.exporter in finding.summary for finding in found.values())
    assert "DISK-DAYS-TO-FULL" not in found


def test_another_hosts_week_makes_a_trend_and_the_longest_mount_point_holds_a_path(world: World) -> None:
    seen = seen_of(world.target("/var/lib/postgresql/17/main", "/var/log/atom", instance="db:9100"))
    assert mount_of(seen, "/var/lib/postgresql/17/main") == "/var/lib/postgresql"
    assert mount_of(seen, "/var/log/atom") == "/"
    assert not isinstance(seen.past, Unseen)
    assert 50 <= len(seen.past["/"]) <= 60
    found = findings(CAPACITY, seen)
    assert found["DISK-USED"].observed == pytest.approx(70 / 95, rel=0.01)
    assert found["DISK-INODES"].level is Level.WARNING
    trend = found["DISK-DAYS-TO-FULL"]
    assert trend.level is Level.WARNING
    assert trend.observed == pytest.approx(25, rel=0.05)
    assert trend.summary == "by its trend / (with /var/log/atom) is full in 25 days, on db:9100"
    assert "does not fill up" in str(trend.evidence)
    for code in ("HOST-MEMORY-AVAILABLE", "HOST-LOAD"):
        assert found[code].level is Level.UNKNOWN
        assert "the node exporter tells no" in found[code].summary


@pytest.mark.parametrize("settings", [{"instance": "nobody:9100"}, {"instance": "db:9100", "job": "elsewhere"}])
def test_an_exporter_that_prometheus_does_not_know_is_an_error_and_this_host_takes_no_place(
    world: World, settings: dict[str, str]
) -> None:
    with pytest.raises(NotThere, match=f'has no numbers of instance="{settings["instance"]}"') as raised:
        look(CAPACITY, world.target("/", **settings))
    assert "Status > Targets" in raised.value.action


def test_a_path_that_no_mount_point_of_the_exporter_holds_is_unknown(world: World) -> None:
    seen = seen_of(world.target("relative/path", "/", instance="db:9100"))
    assert "knows no file system that holds relative/path" in unseen(seen, "relative/path").reason
    assert findings(CAPACITY, seen)["DISK-PATHS"].level is Level.UNKNOWN


def elsewhere(url: str, **settings: object) -> Target:
    prometheus = {"url": url, "timeout": 3, **settings}
    return target(prometheus=prometheus, host={"paths": ["/"], "instance": "db:9100"})


def test_a_prometheus_that_does_not_answer_as_one_is_told_by_name() -> None:
    with pytest.raises(Unreachable, match="refuses the connection"):
        look(CAPACITY, elsewhere(f"http://127.0.0.1:{refused_port()}"))
    with black_hole() as port, pytest.raises(TimedOut, match=r"within 0\.5 s"):
        look(CAPACITY, elsewhere(f"http://127.0.0.1:{port}", timeout=0.5))
    html = Page(200, b"<html>Sign in</html>", {"Content-Type": "text/html"})
    with http_server({"/api/v1/query": html}) as url, pytest.raises(BadAnswer, match="not as Prometheus does"):
        look(CAPACITY, elsewhere(url))
    with http_server({}) as url, pytest.raises(BadAnswer, match=r"no /api/v1/query \(404\)"):
        look(CAPACITY, elsewhere(url))


def test_a_week_that_does_not_come_makes_the_trend_unknown_and_nothing_else() -> None:
    values = {"size_bytes": 100, "free_bytes": 50, "avail_bytes": 50, "files": 10, "files_free": 9}
    series = [
        {"metric": {"__name__": f"node_filesystem_{name}", "mountpoint": "/"}, "value": [0, str(value)]}
        for name, value in values.items()
    ]
    answer = {"status": "success", "data": {"resultType": "vector", "result": series}}
    slow = Page(200, b"{}", wait=lambda: time.sleep(60))
    with http_server({"/api/v1/query": Page(200, json.dumps(answer).encode()), "/api/v1/query_range": slow}) as url:
        found = findings(CAPACITY, look(CAPACITY, elsewhere(url)))
    assert found["DISK-DAYS-TO-FULL"].level is Level.UNKNOWN
    assert "did not answer within" in found["DISK-DAYS-TO-FULL"].summary
    assert found["DISK-USED"].observed == 0.5


@pytest.mark.parametrize("odd", ["NaN", "-1", "+Inf"])
def test_a_file_system_that_the_exporter_cannot_measure_itself_holds_nothing(odd: str) -> None:
    series = [
        {"metric": {"__name__": f"node_filesystem_{name}", "mountpoint": "/"}, "value": [0, value]}
        for name, value in {"size_bytes": "100", "free_bytes": odd, "avail_bytes": odd}.items()
    ]
    answer = {"status": "success", "data": {"resultType": "vector", "result": series}}
    with http_server({"/api/v1/query": Page(200, json.dumps(answer).encode())}) as url:
        found = findings(CAPACITY, look(CAPACITY, elsewhere(url)))
    assert {finding.level for finding in found.values()} == {Level.UNKNOWN}
