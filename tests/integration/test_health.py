import asyncio
import datetime as dt
import json
import socket
import threading
import time
from dataclasses import replace
from email.utils import format_datetime
from pathlib import Path

import pytest

from atomops.errors import AtomOpsError, NotThere, PermanentError, TimedOut, Unreachable
from atomops.facts.health import Component, HealthFacts
from atomops.inventory import App, Target
from atomops.probes import health, names
from atomops.verdict import Unseen
from tests.peers import Page, black_hole, hang, http_server, refused_port, saying, talking

LIVE, READY = "/health/live", "/health/ready"
ALIVE = Page(body=b'{"status": "alive", "timestamp": "2026-11-24T09:00:00+00:00"}')
GUIDE = Page(body=b'{"checks": {"database": "healthy", "redis": "unhealthy"}}')
SECONDS = 0.5  # for who never answers; whoever answers, but on a busy machine, has PLENTY
PLENTY = 120


def look(url: str, host: str | None = None, *, timeout: float = PLENTY) -> HealthFacts:
    app = App(url=url, timeout=timeout, host_header=host)
    return asyncio.run(health.look(Target(name="t", app=app)))


def asked(live: Page = ALIVE, ready: Page = GUIDE, *, timeout: float = PLENTY) -> HealthFacts:
    with http_server({LIVE: live, READY: ready}) as url:
        return look(url, timeout=timeout)


def failure(url: str, *, timeout: float = PLENTY) -> AtomOpsError:
    with pytest.raises(AtomOpsError) as caught:
        look(url, timeout=timeout)
    return caught.value


def dated(when: str) -> Page:
    return Page(body=b"{}", headers={"Date": when})


def application(status: int = 200, **changes: object) -> Page:
    checks = {
        "database": {"healthy": True, "message": "Database connection OK", "latency_ms": 2.5},
        "disk": {"healthy": True, "message": "12.1 GB free", "free_gb": 12.1},
    }
    body = {"status": "ready" if status == 200 else "not_ready", "checks": checks | changes}
    return Page(status, json.dumps(body if status == 200 else {"detail": body}).encode())


def verdicts(facts: HealthFacts) -> dict[str, bool]:
    assert isinstance(facts.components, tuple)
    return {component.name: component.healthy for component in facts.components}


def test_both_endpoints_of_the_guide_are_read() -> None:
    facts = asked()

    assert (facts.live.status, facts.live.problem) == (200, "")
    assert (facts.ready.status, facts.ready.problem) == (200, "")
    assert facts.live.latency is not None
    assert facts.live.latency > 0
    assert verdicts(facts) == {"database": True, "redis": False}


def test_the_applications_components_are_booleans_with_words_and_a_latency() -> None:
    facts = asked(ready=application())

    assert isinstance(facts.components, tuple)
    assert facts.components[0] == Component("database", True, "Database connection OK", 0.0025)  # noqa: FBT003


def test_the_body_of_a_503_is_read_though_it_is_wrapped() -> None:
    facts = asked(ready=application(503, database={"healthy": False, "message": "connection refused"}))

    assert facts.ready.problem == "503, status not_ready"
    assert verdicts(facts) == {"database": False, "disk": True}


@pytest.mark.parametrize(
    ("value", "healthy"),
    [
        (True, True),
        ("healthy", True),
        ("OK", True),
        ({"status": "up"}, True),
        ({"healthy": False, "status": "healthy"}, False),
        ("degraded", False),
        (None, False),
        (1, False),
        ({"latency_ms": 3}, False),
        ({"healthy": "yes, mostly"}, False),
        ([], False),
    ],
)
def test_a_component_is_healthy_only_when_it_says_so(value: object, healthy: bool) -> None:  # noqa: FBT001 - a case
    assert verdicts(asked(ready=application(thing=value)))["thing"] is healthy


@pytest.mark.parametrize(
    ("page", "problem", "action"),
    [
        (Page(400, b"Invalid host header"), "400: 'Invalid host header'", "app.host_header"),
        (Page(400, b'{"error": "x"}'), "400:", "error log"),
        (Page(404, b'{"detail": "Not Found"}'), "404", "/alive"),
        (Page(401, b"{}"), "401: health is behind a login", "without one"),
        (Page(403, b""), "403: health is behind a login", "without one"),
        (Page(500, b"Internal Server Error"), "500: 'Internal Server Error'", "error log"),
        (Page(502, b"<html>bad gateway</html>"), "502: '<html>", "proxy"),
        (Page(503, b"<html>busy</html>"), "503: '<html>", "proxy"),
        (Page(200, b"<html>welcome</html>"), "200, but not a JSON object: '<html>welcome", "app.url"),
        (Page(200, b""), "200, but not a JSON object: nothing", "app.url"),
        (Page(200, b"[1, 2]"), "200, but not a JSON object: '[1, 2]'", "app.url"),
        (Page(200, b'"alive"'), "200, but not a JSON object", "app.url"),
        (Page(200, b"\xff\xfe\x00"), "200, but not a JSON object", "app.url"),
        (Page(200, b'{"status": "dying"}'), "200, but its status is dying", "error log"),
        (Page(200, b'{"a": "' + b"x" * 2**20 + b'"}'), "200, but more than 1.0 MiB", "app.url"),
        (Page(302, b"", {"Location": "https://login.example.com/"}), "302: redirected to https://login", "app.url"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_odd_answer_of_one_endpoint_is_a_problem_of_that_endpoint(page: Page, problem: str, action: str) -> None:
    facts = asked(live=page)

    assert facts.live.status == page.status
    assert facts.live.problem.startswith(problem)
    assert action in facts.live.action
    assert facts.ready.problem == ""


@pytest.mark.parametrize("body", [b"{}", b'{"checks": {}}', b'{"checks": ["database"]}', b'{"checks": null}', b"[]"])
def test_a_readiness_answer_that_names_no_components_leaves_them_unseen(body: bytes) -> None:
    assert isinstance(asked(ready=Page(body=body)).components, Unseen)


def test_a_readiness_that_hangs_does_not_spoil_a_liveness_that_works() -> None:
    facts = asked(ready=Page(wait=hang), timeout=2)

    assert facts.live.problem == ""
    assert (facts.ready.status, facts.ready.latency) == (None, None)
    assert "did not answer within 2 s" in facts.ready.problem
    assert isinstance(facts.components, Unseen)


def test_an_answer_that_drips_without_end_is_a_time_out() -> None:
    def drip(client: socket.socket) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n{")
        while True:
            client.sendall(b" ")
            time.sleep(0.05)

    with talking(drip) as port:
        error = failure(f"http://127.0.0.1:{port}", timeout=SECONDS)

    assert isinstance(error, TimedOut)
    assert "did not answer within 0.5 s" in error.what


def test_a_slow_answer_is_measured_for_itself() -> None:
    live_is_asked = threading.Event()

    def slowly(_over: threading.Event) -> None:
        live_is_asked.wait()
        time.sleep(2)

    facts = asked(live=replace(ALIVE, wait=lambda _over: live_is_asked.set()), ready=Page(wait=slowly))

    assert facts.live.latency is not None
    assert facts.ready.latency is not None
    assert facts.ready.latency >= 2
    assert facts.live.latency < facts.ready.latency


def test_the_host_header_that_the_inventory_names_is_sent() -> None:
    heard: list[bytes] = []

    def talk(client: socket.socket) -> None:
        heard.append(client.recv(65_536))
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with talking(talk) as port:
        look(f"http://127.0.0.1:{port}", "atom.example.com")

    assert len(heard) == 2
    assert all(b"\r\nHost: atom.example.com\r\n" in request for request in heard)


@pytest.mark.parametrize("host", ["atom\r\nX-Evil: 1", "日本"])
def test_a_host_header_that_cannot_be_sent_is_a_permanent_error(host: str) -> None:
    with http_server({}) as url, pytest.raises(PermanentError, match="host_header"):
        look(url, host)


def test_an_address_that_cannot_be_asked_is_a_permanent_error() -> None:
    error = failure("http://xn--/")

    assert isinstance(error, PermanentError)
    assert "cannot be asked" in error.what


def test_refused_is_unreachable() -> None:
    url = f"http://127.0.0.1:{refused_port()}"
    error = failure(url)

    assert isinstance(error, Unreachable)
    assert str(error) == f"{url} refuses the connection: is it running, and on this port?"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_black_holed_server_ends_as_a_time_out(scheme: str) -> None:
    with black_hole() as port:
        error = failure(f"{scheme}://127.0.0.1:{port}", timeout=SECONDS)

    assert isinstance(error, TimedOut)


def test_an_unknown_host_is_named() -> None:
    error = failure("http://nosuch.invalid")

    assert isinstance(error, Unreachable | TimedOut)
    assert "nosuch.invalid" in error.what


def test_a_name_server_that_hangs_holds_up_neither_the_probe_nor_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_PATIENCE", 0.1)
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait())

    with pytest.raises(TimedOut, match="the name server did not say"):
        look("http://atom.example.com:1")
    over.set()


def test_a_server_without_tls_at_an_https_address_is_a_permanent_error() -> None:
    with http_server({}) as url:
        error = failure(url.replace("http", "https"))

    assert isinstance(error, PermanentError)
    assert "does not speak TLS" in error.what


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
def test_a_connection_that_is_closed_too_early_is_unreachable(answer: bytes) -> None:
    with saying(answer) as port:
        assert isinstance(failure(f"http://127.0.0.1:{port}"), Unreachable)


def test_who_does_not_speak_http_is_a_permanent_error() -> None:
    with saying(b"-ERR unknown command\r\n\r\n") as port:
        error = failure(f"http://127.0.0.1:{port}")

    assert isinstance(error, PermanentError)
    assert "does not speak HTTP" in error.what


def test_a_ca_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    app = App(url="https://127.0.0.1:1", ca_file=tmp_path / "ca.pem")
    with pytest.raises(NotThere, match=r"ca\.pem cannot be read \(No such file"):
        asyncio.run(health.look(Target(name="t", app=app)))


def test_a_ca_file_without_a_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing", encoding="utf-8")
    app = App(url="https://127.0.0.1:1", ca_file=tmp_path / "ca.pem")
    with pytest.raises(PermanentError, match=r"ca\.pem holds no certificate"):
        asyncio.run(health.look(Target(name="t", app=app)))


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, f"http://127.0.0.1:{refused_port()}")

    assert asked().live.problem == ""


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_a_clock_that_is_an_hour_off_is_seen_from_the_date_header(hours: int) -> None:
    before = dt.datetime.now(dt.UTC)
    date = format_datetime(before + dt.timedelta(hours=hours), usegmt=True)
    offset = asked(live=dated(date), ready=Page(wait=lambda _over: time.sleep(0.3))).clock_offset
    took = (dt.datetime.now(dt.UTC) - before).total_seconds()

    assert isinstance(offset, float)
    assert -1 - took <= offset - 3600 * hours <= 1  # the header tells whole seconds


@pytest.mark.parametrize("page", [ALIVE, dated("yesterday")])
def test_a_date_header_that_is_missing_or_unreadable_leaves_the_clock_unseen(page: Page) -> None:
    assert isinstance(asked(live=page).clock_offset, Unseen)


def test_the_version_is_kept_when_an_answer_tells_it() -> None:
    assert asked(live=Page(body=b'{"version": "2.3.1", "deployed_sha": "abc123"}')).version == "2.3.1 abc123"
    assert asked().version == ""
