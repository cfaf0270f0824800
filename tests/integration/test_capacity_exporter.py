"""Other hosts through a real Prometheus: a real node exporter's, and one with a past."""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from atomops import shell
from atomops.errors import BadAnswer, NotThere, TimedOut, Unreachable
from atomops.inventory import Target
from atomops.probes.parts import CAPACITY
from atomops.sandbox.prometheus import PrometheusServer, prometheus_server
from atomops.verdict import Level, Unseen
from tests import monitoring, servers
from tests.capacities import host, mount_of, seen_of, unseen
from tests.peers import Page, black_hole, hang, http_server, refused_port
from tests.targets import findings, look, target
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow(30)

DAY, GIB = 86_400, 2**30
LABELS = 'instance="db:9100",job="node",device="/dev/sda1",fstype="ext4"'


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
    asyncio.run(shell.run([promtool, "tsdb", "create-blocks-from", "openmetrics", past, data], timeout=PATIENCE))
    with ExitStack() as stack:
        exporter = stack.enter_context(monitoring.node_exporter(servers.required(servers.node_exporter), server_folder))
        scraped = {"node": exporter, "other": f"127.0.0.1:{refused_port()}"}
        prometheus = stack.enter_context(prometheus_server(program, server_folder, scraped, data=data))
        running = World(prometheus, exporter)
        _wait(running)
        yield running


def _wait(running: World) -> None:
    def is_scraped() -> bool:
        try:
            seen_of(running.target("/", instance=running.exporter))
        except NotThere:
            return False
        return True

    wait_until(is_scraped, "the first scrape")


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
    prometheus = {"url": url, "timeout": PATIENCE, **settings}
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
    slow = Page(200, b"{}", wait=hang)
    with http_server({"/api/v1/query": Page(200, json.dumps(answer).encode()), "/api/v1/query_range": slow}) as url:
        found = findings(CAPACITY, look(CAPACITY, elsewhere(url, timeout=3)))
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
