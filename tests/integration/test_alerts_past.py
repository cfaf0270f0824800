"""Against a real Prometheus with a day behind it, written by promtool; and servers that do not answer as it should."""

import asyncio
import datetime as dt
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atomops import shell
from atomops.errors import AccessDenied, AtomOpsError, BadAnswer, TemporaryError, TimedOut, Unreachable
from atomops.facts.alerts import AlertFacts
from atomops.probes.parts import ALERTS
from atomops.sandbox.prometheus import PrometheusServer, prometheus_server
from atomops.verdict import Level
from tests import servers
from tests.peers import Page, black_hole, hang, http_server, refused_port, talking
from tests.targets import findings, look, target
from tests.waiting import PATIENCE

MINUTE, HOUR = 60, 3600
RULES, NAMES, RANGE = "/api/v1/rules", "/api/v1/label/__name__/values", "/api/v1/query_range"


def zone(now: int) -> str:
    """A time zone in which midnight is six to eighteen hours ago."""
    hour = time.gmtime(now).tm_hour
    return "UTC" if 6 <= hour < 18 else "Etc/GMT-12"


def midnight(now: int) -> int:
    offset = 0 if zone(now) == "UTC" else 12 * HOUR
    return (now + offset) // (24 * HOUR) * (24 * HOUR) - offset


def history(now: int) -> str:
    """One alert of an hour, one of a moment, one of yesterday, one that still fires, one that was only pending."""
    spans = {
        'alertname="AnHour",alertstate="firing",severity="critical",pod="a"': range(now - 3 * HOUR, now - 2 * HOUR, 30),
        'alertname="AMoment",alertstate="firing",severity="warning"': range(now - HOUR - 7, now - HOUR, 15),
        'alertname="Yesterday",alertstate="firing",severity="critical"': range(midnight(now) - HOUR, midnight(now), 30),
        'alertname="Still",alertstate="firing",severity="critical"': range(now - HOUR, now + HOUR, 15),
        'alertname="Waited",alertstate="pending",severity="critical"': range(now - HOUR, now - HOUR // 2, 30),
    }
    lines = [f"ALERTS{{{labels}}} 1 {at}" for labels, moments in spans.items() for at in moments]
    return "\n".join(["# TYPE ALERTS gauge", *lines, "# EOF", ""])


@pytest.fixture(scope="module")
def now() -> int:
    """What the history is written by, and read by: a test that asked again might be in the next zone."""
    return int(time.time())


@pytest.fixture(scope="module")
def remembering(server_folder: Path, now: int) -> Iterator[PrometheusServer]:
    program = servers.required(servers.prometheus)
    past, data = server_folder / "alerts.txt", server_folder / "alerts"
    past.write_text(history(now), encoding="utf-8")
    promtool = program.resolve().with_name("promtool")
    asyncio.run(shell.run([promtool, "tsdb", "create-blocks-from", "openmetrics", past, data], timeout=PATIENCE))
    with prometheus_server(program, server_folder, {}, data=data) as running:
        yield running


def test_what_ended_today_is_told_with_how_long_it_fired(remembering: PrometheusServer, now: int) -> None:
    seen = look(ALERTS, target(timezone=zone(now), prometheus={"url": remembering.url}))
    assert seen.midnight.timestamp() == midnight(now)
    moment, hour = seen.resolved
    assert (moment.name, moment.severity) == ("AMoment", "warning")
    assert (hour.name, hour.labels) == ("AnHour", {"pod": "a"})
    assert hour.ended - hour.began == pytest.approx(dt.timedelta(hours=1), abs=dt.timedelta(minutes=2))
    assert abs(hour.ended.timestamp() - (now - 2 * HOUR)) < 3 * MINUTE
    finding = findings(ALERTS, seen)["ALERTS-RESOLVED-TODAY"]
    assert (finding.level, finding.observed) == (Level.OK, 2)


def success(data: object) -> Page:
    return Page(200, json.dumps({"status": "success", "data": data}).encode())


def rule(**parts: object) -> Page:
    whole = {"name": "A", "type": "alerting", "query": "up", "health": "ok", "alerts": [], **parts}
    return success({"groups": [{"name": "atom", "rules": [whole]}]})


GOOD = {RULES: rule(), NAMES: success(["up"]), RANGE: success({"resultType": "matrix", "result": []})}
HTML = Page(200, b"<!DOCTYPE html><html>Sign in</html>", {"Content-Type": "text/html"})
ODD = Page(400, b'{"status": "error", "errorType": "bad_data", "error": "exceeded maximum resolution"}')


def ask(pages: dict[str, Page], **settings: Any) -> AlertFacts:  # noqa: ANN401 - as in an inventory
    with http_server(pages) as url:
        facts = look(ALERTS, target(prometheus={"url": url, "timeout": PATIENCE, **settings}))
    assert isinstance(facts, AlertFacts)
    return facts


@pytest.mark.parametrize(
    ("page", "kind", "words"),
    [
        (Page(401, b"no"), AccessDenied, "refuses us (401)"),
        (Page(404, b"404 page not found"), BadAnswer, "no /api/v1/rules (404): check prometheus.url"),
        (HTML, BadAnswer, "answers 200 and not as Prometheus does"),
        (Page(502, b"<html>bad gateway</html>"), TemporaryError, "answers 502"),
        (Page(200, b'{"status": "success"}'), BadAnswer, "unknown form"),
        (success([]), BadAnswer, "unknown form"),
        (rule(alerts=[{"labels": {}}]), BadAnswer, "unknown form"),
        (rule(alerts=[{"labels": {"alertname": "A"}, "state": "firing", "activeAt": "now"}]), BadAnswer, "unknown"),
    ],
)
def test_rules_that_do_not_come_are_an_error_with_a_next_step(page: Page, kind: type[AtomOpsError], words: str) -> None:
    with pytest.raises(AtomOpsError) as raised:
        ask(GOOD | {RULES: page})
    assert type(raised.value) is kind
    assert words in str(raised.value)
    assert raised.value.action


@pytest.mark.parametrize(
    ("path", "page", "code"),
    [
        (NAMES, HTML, "ALERT-RULES-METRIC-MISSING"),
        (NAMES, success(None), "ALERT-RULES-METRIC-MISSING"),
        (NAMES, Page(404, b"not found"), "ALERT-RULES-METRIC-MISSING"),
        (RANGE, ODD, "ALERTS-RESOLVED-TODAY"),
        (RANGE, success({"result": [{"metric": {}}]}), "ALERTS-RESOLVED-TODAY"),
        (RANGE, Page(200, b"[", wait=hang), "ALERTS-RESOLVED-TODAY"),
    ],
)
def test_a_question_that_is_not_answered_costs_only_its_own_check(path: str, page: Page, code: str) -> None:
    noon = zone(int(time.time()))
    with http_server(GOOD | {path: page}) as url:
        found = findings(ALERTS, look(ALERTS, target(timezone=noon, prometheus={"url": url, "timeout": 3})))
    assert {name for name, each in found.items() if each.level is Level.UNKNOWN} == {code}
    assert found["ALERT-RULES-PRESENT"].level is Level.OK


def test_nobody_and_a_black_hole_are_told_apart_in_time() -> None:
    with pytest.raises(Unreachable, match="refuses the connection"):
        look(ALERTS, target(prometheus={"url": f"http://127.0.0.1:{refused_port()}"}))
    with black_hole() as port, pytest.raises(TimedOut, match=r"within 0\.3 s"):
        look(ALERTS, target(prometheus={"url": f"http://127.0.0.1:{port}", "timeout": 0.3}))


def test_alertmanager_is_asked_with_the_credentials_of_prometheus_which_no_error_gives_away() -> None:
    heard: list[bytes] = []

    def talk(client: socket.socket) -> None:
        heard.append(client.recv(65_536))
        client.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: 19\r\n\r\nBearer open sesame!")

    with talking(talk) as port, http_server(GOOD) as url:
        settings = {"url": url, "alertmanager_url": f"http://127.0.0.1:{port}", "token": "env:IT"}
        seen = look(ALERTS, target("open sesame", prometheus=settings))
    assert heard
    assert all(b"Authorization: Bearer open sesame\r\n" in request for request in heard)
    assert "answers 500" in seen.alertmanager.reason
    assert "sesame" not in seen.alertmanager.reason
