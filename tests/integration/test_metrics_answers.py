"""Servers that answer as Prometheus should not, or not at all."""

import json
import time
from base64 import b64encode
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from atomops.errors import (
    AccessDenied,
    AtomOpsError,
    BadAnswer,
    TemporaryError,
    TimedOut,
    Unreachable,
)
from atomops.facts.metrics import MetricsFacts
from atomops.probes.parts import METRICS
from atomops.verdict import Level, Unseen
from tests.peers import Page, black_hole, hang, http_server, refused_port
from tests.targets import findings, look, target
from tests.waiting import PATIENCE

QUERY = "/api/v1/query"
HTML = Page(200, b"<!DOCTYPE html><html>Sign in</html>", {"Content-Type": "text/html"})


def success(result: object, kind: str = "vector", **more: object) -> Page:
    body = {"status": "success", "data": {"resultType": kind, "result": result}, **more}
    return Page(200, json.dumps(body).encode())


def failure(status: int, kind: str, error: str) -> Page:
    return Page(status, json.dumps({"status": "error", "errorType": kind, "error": error}).encode())


def ask(page: Page, secret: str = "", **settings: object) -> MetricsFacts:
    with http_server({QUERY: page}) as url:
        seen = look(METRICS, target(secret, prometheus={"url": url, "timeout": PATIENCE, **settings}))
    assert isinstance(seen, MetricsFacts)
    return seen


@pytest.mark.parametrize(
    ("page", "kind", "words"),
    [
        (Page(401, b"no"), AccessDenied, "check prometheus.username, password or token"),
        (Page(403, b"<html>no</html>"), AccessDenied, "refuses us (403)"),
        (Page(404, b"404 page not found"), BadAnswer, "path prefix included"),
        (HTML, BadAnswer, "answers 200 and not as Prometheus does"),
        (Page(302, b"", {"Location": "https://login/?state=secret"}), BadAnswer, "redirects to https://login/ (302)"),
        (Page(429, b"slow down"), TemporaryError, "asked too much"),
        (Page(502, b"<html>bad gateway</html>"), TemporaryError, "answers 502"),
        (failure(503, "timeout", "query timed out"), TemporaryError, "timeout: query timed out"),
        (failure(500, "internal", "disk"), TemporaryError, "internal: disk"),
        (
            failure(400, "bad_data", "1:3: parse error"),
            BadAnswer,
            "cannot evaluate time() (bad_data: 1:3: parse error)",
        ),
        (failure(422, "execution", "too many samples"), BadAnswer, "execution: too many samples"),
        (Page(200, b""), BadAnswer, "not as Prometheus does"),
        (Page(200, b"[1, 2]"), BadAnswer, "not as Prometheus does"),
        (Page(200, b'{"status": "success"}'), BadAnswer, "unknown form"),
        (success([{"metric": {}, "value": [0, "many"]}]), BadAnswer, "unknown form"),
        (success([{"metric": {}}]), BadAnswer, "unknown form"),
    ],
)
def test_every_odd_answer_of_prometheus_has_a_kind_and_a_next_step(
    page: Page, kind: type[AtomOpsError], words: str
) -> None:
    with pytest.raises(AtomOpsError) as raised:
        ask(page)
    assert type(raised.value) is kind
    assert words in str(raised.value)
    assert raised.value.action
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_proxy_that_answers_with_our_request_does_not_give_the_secret_away() -> None:
    basic = b64encode(b"atom:open sesame")
    echo = Page(500, b"Authorization: Basic " + basic + b"\nAuthorization: Bearer open sesame")
    for how in ({"username": "atom", "password": "env:IT"}, {"token": "env:IT"}):
        with pytest.raises(TemporaryError) as raised:
            ask(echo, "open sesame", **how)
        assert "sesame" not in str(raised.value)
        assert how.get("username") is None or basic.decode() not in str(raised.value)


def test_warnings_and_information_are_kept_once_each() -> None:
    seen = ask(success([{"metric": {}, "value": [0, "1"]}], warnings=["a store is missing"], infos=["not a counter"]))
    assert seen.prometheus is not None
    assert (seen.prometheus.warnings, seen.prometheus.infos) == (("a store is missing",), ("not a counter",))
    assert findings(METRICS, seen)["METRICS-WARNINGS"].level is Level.WARNING


@pytest.mark.parametrize(("text", "word"), [("NaN", "NaN"), ("+Inf", "infinite"), ("-Inf", "infinite")])
def test_what_is_no_number_is_unknown(text: str, word: str) -> None:
    seen = ask(success([{"metric": {}, "value": [0, text]}]))
    value = seen.values["error_ratio"]
    assert isinstance(value, Unseen)
    assert word in value.reason
    found = findings(METRICS, seen)
    assert {found[code].level for code in ("HTTP-ERROR-RATIO", "HTTP-REQUEST-RATE")} == {Level.UNKNOWN}


def test_a_clock_that_is_an_hour_off_is_critical() -> None:
    now = time.time()
    seen = ask(success([now, str(now + 3600)], "scalar"))
    assert "1 hour ahead of ours" in findings(METRICS, seen)["METRICS-CLOCK-SKEW"].summary
    assert findings(METRICS, seen)["METRICS-CLOCK-SKEW"].level is Level.CRITICAL


def test_a_prometheus_that_nobody_reaches_is_not_replaced_by_the_page() -> None:
    with http_server({"/metrics": Page(200, b"http_requests_total 1\n")}) as app:
        down = target(app={"url": app}, prometheus={"url": f"http://127.0.0.1:{refused_port()}"})
        with pytest.raises(Unreachable, match="refuses the connection"):
            look(METRICS, down)


@pytest.mark.parametrize("part", ["prometheus", "app"])
def test_black_holes_and_slow_servers_end_within_the_time_out(part: str) -> None:
    slow = Page(200, b"{}", wait=hang)
    with black_hole() as port, http_server({QUERY: slow, "/metrics": slow, "/health/metrics": slow}) as url:
        for address in (f"http://127.0.0.1:{port}", url):
            hanging: dict[str, Any] = {part: {"url": address, "timeout": 0.3}}
            with pytest.raises(TimedOut, match=r"within 0\.3 s"):
                look(METRICS, target(**hanging))


def test_a_query_that_hangs_costs_only_its_own_check() -> None:
    numbers = count()
    one = success([{"metric": {"job": "atom"}, "value": [0, "1"]}])
    seen = ask(replace(one, wait=lambda over: hang(over) if next(numbers) == 5 else None), timeout=5)
    hanging = [value for value in [*seen.values.values(), targets(seen)] if isinstance(value, Unseen)]
    assert len(hanging) == 1
    assert "did not answer within" in hanging[0].reason


def targets(seen: MetricsFacts) -> object:
    assert seen.prometheus is not None
    return seen.prometheus.targets


def test_the_prefix_of_the_address_is_kept() -> None:
    with http_server({"/prom/api/v1/query": success([{"metric": {}, "value": [0, "1"]}])}) as url:
        assert look(METRICS, target(prometheus={"url": f"{url}/prom/"})).profile == "atom"
        with pytest.raises(BadAnswer, match=r"no /api/v1/query \(404\)"):
            look(METRICS, target(prometheus={"url": url}))
