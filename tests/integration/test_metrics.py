"""Against a real Prometheus that scrapes real exporters with known traffic."""

import asyncio
import math
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from atomops.commands import promql
from atomops.errors import BadAnswer
from atomops.facts.metrics import MetricsFacts, ScrapeTarget
from atomops.inventory import Prometheus, Target
from atomops.probes.parts import METRICS
from atomops.probes.prometheus.query import Result, query
from atomops.profiles.profile import Counter as CounterMetric
from atomops.sandbox.prometheus import PrometheusServer, prometheus_server
from atomops.verdict import Level, Unseen
from tests import servers
from tests.peers import refused_port
from tests.targets import findings, look, target
from tests.waiting import wait_until

WINDOW = "5s"
LATENCIES = (0.02, 0.04, 0.06, 0.08, 0.2, 0.3, 0.4, 0.7, 0.9, 2.0)  # of ten requests; the first fails
P95 = 1.75  # of these in the default buckets: half of the way from 1.0 to 2.5


class Atom:
    """An exporter with the application's own names."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ["method", "endpoint", "status"]
        self.requests = Counter("http_requests_total", "-", labels, registry=self.registry)
        self.seconds = Histogram("http_request_duration_seconds", "-", ["method", "endpoint"], registry=self.registry)

    def serve_ten(self) -> None:
        """Ten requests of users, one of which fails, and a probe of health that fails too."""
        for place, seconds in enumerate(LATENCIES):
            self.requests.labels("GET", "/agents", "500" if place == 0 else "200").inc()
            self.seconds.labels("GET", "/agents").observe(seconds)
        self.requests.labels("GET", "/health/ready", "503").inc()
        self.seconds.labels("GET", "/health/ready").observe(9)


class Guide:
    """An exporter with the guide's names, without the errors that it never had."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("atom_http_requests_total", "-", registry=self.registry)
        self.seconds = Histogram("atom_latency_seconds", "-", registry=self.registry)
        self.hits = Gauge("governance_cache_hit_rate", "-", ["pod"], registry=self.registry)
        self.queue = Gauge("atom_queue_depth", "-", ["queue"], registry=self.registry)
        self.workers = Gauge("atom_active_workers", "-", registry=self.registry)
        for pod, hits in (("a", 90), ("b", 80)):
            self.hits.labels(pod).set(hits)
        for queue, depth in (("fast", 3), ("slow", 4)):
            self.queue.labels(queue).set(depth)
        self.workers.set(math.nan)

    def serve_ten(self) -> None:
        for seconds in LATENCIES:
            self.requests.inc()
            self.seconds.observe(seconds)


@dataclass(frozen=True)
class World:
    """A Prometheus, and where the exporters that it scrapes answer."""

    prometheus: PrometheusServer
    atom: str
    guide: str

    def target(self, **settings: object) -> Target:
        return target(prometheus={"url": self.prometheus.url, "window": WINDOW, **settings})


@contextmanager
def exporting(exporter: Atom | Guide) -> Iterator[str]:
    """Its address; a hundred requests a second until the end."""
    server, thread = start_http_server(0, addr="127.0.0.1", registry=exporter.registry)
    ended = threading.Event()
    traffic = threading.Thread(target=_traffic, args=(exporter, ended))
    traffic.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        ended.set()
        traffic.join()
        server.shutdown()
        thread.join()
        server.server_close()


def _traffic(exporter: Atom | Guide, ended: threading.Event) -> None:
    """As much as is due by the clock, so that a busy machine does not slow it down."""
    started, served = time.monotonic(), 0
    while not ended.wait(0.05):
        while served < 10 * (time.monotonic() - started):
            exporter.serve_ten()
            served += 1


@pytest.fixture(scope="module")
def world(server_folder: Path) -> Iterator[World]:
    program = servers.required(servers.prometheus)
    with ExitStack() as stack:
        atom, guide = (stack.enter_context(exporting(each)) for each in (Atom(), Guide()))
        scraped = {"atom": atom, "guide": guide, "elsewhere": f"127.0.0.1:{refused_port()}"}
        prometheus = stack.enter_context(prometheus_server(program, server_folder, scraped))
        running = World(prometheus, atom, guide)
        _wait(running)
        yield running


def _wait(running: World) -> None:
    """Until the window is full of scrapes of both exporters."""
    text = f"min(count_over_time({{__name__=~'(atom_)?http_requests_total'}}[{WINDOW}]))"

    def is_full() -> bool:
        found = ask(running.prometheus.url, text).series
        return bool(found) and found[0][1] >= 5

    wait_until(is_full, "five scrapes of each exporter in the window")


def ask(url: str, text: str) -> Result:
    return asyncio.run(query(Prometheus(url=url), text, 5))


def value(facts: MetricsFacts, name: str) -> float:
    found = facts.values[name]
    assert not isinstance(found, Unseen), found
    return found


def unseen(facts: MetricsFacts, name: str) -> Unseen:
    found = facts.values[name]
    assert isinstance(found, Unseen), found
    return found


def test_prometheus_gives_the_numbers_of_known_traffic(world: World) -> None:
    seen = look(METRICS, world.target())
    assert (seen.profile, seen.window, seen.source) == ("atom", 5, f"Prometheus {world.prometheus.url}")
    assert value(seen, "request_rate") == pytest.approx(100, rel=0.2)
    assert value(seen, "requests") == pytest.approx(500, rel=0.2)
    assert value(seen, "error_ratio") == pytest.approx(0.1, rel=0.1)
    assert value(seen, "latency_p95") == pytest.approx(P95, rel=0.05)
    assert value(seen, "latency_max") == 2.5
    found = findings(METRICS, seen)
    assert found["HTTP-ERROR-RATIO"].level is Level.CRITICAL
    assert found["HTTP-LATENCY-P95"].level is Level.WARNING
    assert found["METRICS-REACHABLE"].level is Level.OK
    assert found["METRICS-CLOCK-SKEW"].level is Level.OK


def test_only_the_applications_own_targets_are_judged(world: World) -> None:
    state = look(METRICS, world.target()).prometheus
    assert state is not None
    assert state.targets == (ScrapeTarget("atom", world.atom, up=True),)
    found = findings(METRICS, look(METRICS, world.target(selector='job=~"atom|elsewhere"')))
    assert found["METRICS-TARGET-DOWN"].level is Level.CRITICAL
    assert found["METRICS-TARGET-DOWN"].summary.startswith("1 of 2 scrape targets")


def test_the_profile_is_the_one_whose_requests_have_data(world: World) -> None:
    seen = look(METRICS, world.target(selector='job="guide"'))
    assert seen.profile == "guide"
    assert value(seen, "cache_hit_ratio") == 85
    assert value(seen, "queue_depth") == 7
    assert findings(METRICS, seen)["CACHE-HIT-RATIO"].observed == 0.85


def test_what_is_not_exported_or_no_number_is_unknown_by_name(world: World) -> None:
    seen = look(METRICS, world.target(selector='job="guide"'))
    assert "no data of atom_http_errors_total" in unseen(seen, "error_ratio").reason
    assert "NaN" in unseen(seen, "active_workers").reason
    found = findings(METRICS, seen)
    assert {found[code].level for code in ("HTTP-ERROR-RATIO", "APP-WORKERS-ACTIVE")} == {Level.UNKNOWN}
    assert found["HTTP-LATENCY-P95"].level is Level.WARNING


def test_metrics_of_neither_profile_are_unknown_throughout(world: World) -> None:
    seen = look(METRICS, world.target(selector='job="elsewhere"'))
    assert isinstance(seen.profile, Unseen)
    assert "http_requests_total, atom_http_requests_total" in seen.profile.reason
    found = findings(METRICS, seen)
    assert found["HTTP-ERROR-RATIO"].level is Level.UNKNOWN
    assert found["METRICS-TARGET-DOWN"].level is Level.CRITICAL


def test_a_selector_that_cannot_be_parsed_is_named_with_its_query(world: World) -> None:
    with pytest.raises(BadAnswer, match=r"cannot evaluate count\(.*job=atom.*bad_data: .*parse error") as refused:
        look(METRICS, world.target(selector="job=atom"))
    assert "prometheus.selector" in refused.value.action


def test_a_window_of_no_length_is_unknown_and_says_why(world: World) -> None:
    reason = unseen(look(METRICS, world.target(window="0s")), "request_rate").reason
    assert "duration must be greater than 0" in reason


def test_a_window_shorter_than_two_scrapes_is_unknown(world: World) -> None:
    assert "in the window" in unseen(look(METRICS, world.target(window="1s")), "request_rate").reason


@pytest.mark.parametrize(("text", "number"), [("vector(0)/0", math.nan), ("vector(1)/0", math.inf)])
def test_prometheus_says_nan_and_inf_as_text(world: World, text: str, number: float) -> None:
    assert ask(world.prometheus.url, text).series[0][1] == pytest.approx(number, nan_ok=True)


def test_a_label_that_nobody_exports_is_empty_and_a_value_that_nobody_had_is_0(world: World) -> None:
    silent, renamed = (
        CounterMetric(kind="counter", name="http_requests_total", match=match)
        for match in ({"status": "418"}, {"status_code": "5.."})
    )
    assert [number for _, number in ask(world.prometheus.url, promql.rate(silent, WINDOW)).series] == [0]
    assert ask(world.prometheus.url, promql.rate(renamed, WINDOW)).series == ()


@pytest.mark.parametrize("pattern", ['a"b', r"a\\b", "é{}", "two\nlines", r"\d+"])
def test_prometheus_reads_every_escaped_pattern(world: World, pattern: str) -> None:
    metric = CounterMetric(kind="counter", name="http_requests_total", exclude={"endpoint": pattern})
    assert ask(world.prometheus.url, promql.rate(metric, WINDOW)).series


def test_two_scrapes_of_the_page_say_what_prometheus_says(world: World) -> None:
    app = {"url": f"http://{world.atom}", "metrics_interval": 2}
    scraped, asked = look(METRICS, target(app=app)), look(METRICS, world.target())
    assert scraped.profile == asked.profile == "atom"
    assert scraped.source == f"two scrapes of http://{world.atom}/health/metrics"
    assert scraped.window == pytest.approx(2, rel=0.1)
    for name in ("error_ratio", "latency_p95", "latency_max"):
        assert value(scraped, name) == pytest.approx(value(asked, name), rel=0.1), name
    assert value(scraped, "request_rate") == pytest.approx(value(asked, "request_rate"), rel=0.2)
    levels = {code: finding.level for code, finding in findings(METRICS, scraped).items()}
    assert (levels["HTTP-ERROR-RATIO"], levels["HTTP-LATENCY-P95"]) == (Level.CRITICAL, Level.WARNING)
    assert "METRICS-TARGET-DOWN" not in levels
