"""Against a real Prometheus with a past, written by promtool, and against one behind a password."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from atomops import shell
from atomops.errors import AccessDenied
from atomops.facts.metrics import MetricsFacts, ScrapeTarget
from atomops.probes.parts import METRICS
from atomops.sandbox.prometheus import PrometheusServer, prometheus_server
from atomops.verdict import Level, Unseen
from tests import servers
from tests.targets import findings, look, target
from tests.waiting import PATIENCE

MINUTE, HOUR, WEEK = 60, 3600, 7 * 24 * 3600
PASSWORD = "open sesame"
HASH = "$2b$10$bUIoe5r60HhE3/Z0ln/Mlez06X7JKTmiB3ib.D4oDPjaRnbqljZMy"  # of PASSWORD


def requests(labels: str, rate: float, start: int, end: int) -> list[str]:
    """A counter that grows by `rate` a second, scraped every minute."""
    name = f'http_requests_total{{{labels},endpoint="/agents",status="200"}}'
    return [f"{name} {rate * (at - start)} {at}" for at in range(start, end, MINUTE)]


def history(now: int) -> str:
    """`busy` has three requests a second last week and one now; `lost` could not be scraped for ten minutes."""
    lines = ["# TYPE http_requests counter"]
    lines += requests('job="busy"', 3, now - WEEK - 2 * HOUR, now - WEEK + HOUR)
    lines += requests('job="busy"', 1, now - 3 * HOUR, now)
    lines += requests('job="lost",cluster="eu"', 5, now - 3 * HOUR, now - 10 * MINUTE)
    lines += ["# TYPE up gauge", f'up{{job="busy",instance="a:80"}} 1 {now - MINUTE}']
    lines += [f'up{{job="{job}",cluster="eu",instance="b:80"}} 0 {now - MINUTE}' for job in ("lost", "other")]
    return "\n".join([*lines, "# EOF", ""])


@pytest.fixture(scope="module")
def remembering(server_folder: Path) -> Iterator[PrometheusServer]:
    program = servers.required(servers.prometheus)
    past, data = server_folder / "past.txt", server_folder / "past"
    past.write_text(history(int(time.time())), encoding="utf-8")
    promtool = program.resolve().with_name("promtool")
    asyncio.run(shell.run([promtool, "tsdb", "create-blocks-from", "openmetrics", past, data], timeout=PATIENCE))
    with prometheus_server(program, server_folder, {}, data=data) as running:
        yield running


def seen_of(server: PrometheusServer, selector: str) -> MetricsFacts:
    facts = look(METRICS, target(prometheus={"url": server.url, "selector": selector}))
    assert isinstance(facts, MetricsFacts)
    return facts


def test_the_same_hour_a_week_ago_is_compared(remembering: PrometheusServer) -> None:
    seen = seen_of(remembering, 'job="busy"')
    assert seen.values["request_rate"] == pytest.approx(1, rel=0.02)
    assert seen.values["requests"] == pytest.approx(300, rel=0.02)
    assert seen.values["hourly_rate_last_week"] == pytest.approx(3, rel=0.02)
    change = findings(METRICS, seen)["HTTP-REQUEST-RATE-CHANGE"]
    assert change.observed == pytest.approx(3, rel=0.02)
    assert change.summary.startswith("1.00 requests per second in the last hour, 3.00 in the same hour a week ago")


def test_no_errors_so_far_are_0_and_not_unknown(remembering: PrometheusServer) -> None:
    found = findings(METRICS, seen_of(remembering, 'job="busy"'))
    assert (found["HTTP-ERROR-RATIO"].level, found["HTTP-ERROR-RATIO"].observed) == (Level.OK, 0)
    assert found["HTTP-LATENCY-P95"].level is Level.UNKNOWN


def test_an_application_that_cannot_be_scraped_is_recognised_by_its_past(remembering: PrometheusServer) -> None:
    seen = seen_of(remembering, 'cluster="eu"')
    assert seen.profile == "atom"
    assert isinstance(seen.values["request_rate"], Unseen)
    assert seen.prometheus is not None
    assert seen.prometheus.targets == (ScrapeTarget("lost", "b:80", up=False),)
    found = findings(METRICS, seen)
    assert found["METRICS-TARGET-DOWN"].level is Level.CRITICAL
    assert found["HTTP-ERROR-RATIO"].level is Level.UNKNOWN


def test_a_password_opens_prometheus_and_a_wrong_one_is_told_without_it(server_folder: Path) -> None:
    program = servers.required(servers.prometheus)
    with prometheus_server(program, server_folder, {}, users={"atom": HASH}) as running:
        settings = {"url": running.url, "username": "atom", "password": "env:IT"}
        seen = look(METRICS, target(PASSWORD, prometheus=settings))
        assert isinstance(seen.profile, Unseen)
        for wrong in (target("a guess", prometheus=settings), target(prometheus={"url": running.url})):
            with pytest.raises(AccessDenied, match=r"refuses us \(401\)") as refused:
                look(METRICS, wrong)
            assert "a guess" not in str(refused.value)
            assert refused.value.action == "check prometheus.username, password or token"
