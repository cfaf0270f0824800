import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from atomops.errors import TimedOut, Unreachable
from atomops.inventory import Target
from atomops.probes.parts import HEALTH
from atomops.verdict import Finding, Level
from tests.peers import Page, black_hole, http_server, refused_port
from tests.targets import findings, look, target

ALIVE = Page(200, b'{"status": "alive"}')
WELL = {"database": {"healthy": True, "message": "ok", "latency_ms": 1.2}, "disk": {"healthy": True, "message": "9 GB"}}


def answer(code: int = 200, **body: object) -> Page:
    return Page(code, json.dumps(body).encode(), {"Content-Type": "application/json"})


def seen(ready: Page, live: Page = ALIVE, **app: object) -> dict[str, Finding]:
    with http_server({"/health/live": live, "/health/ready": ready}) as url:
        return findings(HEALTH, look(HEALTH, at(url, **app)))


def at(url: str, **app: object) -> Target:
    return target(app={"url": url, "timeout": 1, **app})


@pytest.mark.parametrize("checks", [WELL, {"database": "healthy", "redis": "healthy"}])
def test_both_shapes_of_components_are_understood(checks: object) -> None:
    found = seen(Page(200, json.dumps({"checks": checks}).encode()))
    assert found["HTTP-COMPONENTS"].level is Level.OK
    assert found["HTTP-COMPONENTS"].observed == 0
    assert found["HTTP-READY"].level is Level.OK


def test_the_body_of_a_503_names_the_sick_component() -> None:
    checks = WELL | {"database": {"healthy": False, "message": "connection refused"}}
    found = seen(answer(503, detail={"status": "not_ready", "checks": checks}))
    assert found["HTTP-LIVE"].level is Level.OK
    assert found["HTTP-READY"].level is Level.CRITICAL
    assert (found["HTTP-COMPONENTS"].level, found["HTTP-COMPONENTS"].observed) == (Level.CRITICAL, 1)
    assert found["HTTP-COMPONENTS"].action == "look at database: connection refused"


@pytest.mark.parametrize("odd", [{"database": "degraded"}, {"database": {"healthy": "yes"}}, {"database": None}])
def test_a_component_is_healthy_only_when_it_says_so_exactly(odd: dict[str, object]) -> None:
    assert seen(answer(checks=odd))["HTTP-COMPONENTS"].level is Level.CRITICAL


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (Page(400, b"Invalid host header"), "set app.host_header"),
        (Page(404, b"Not Found"), "after a failed start"),
        (Page(401, b"{}"), "without one"),
        (Page(302, b"", {"Location": "https://elsewhere/"}), "put that address into app.url"),
        (Page(500, b"Internal Server Error"), "look at the error log"),
        (Page(200, b"<html>welcome</html>"), "a proxy or another application"),
        (Page(200, b"[1, 2]"), "a proxy or another application"),
        (Page(200, b'{"cut": '), "a proxy or another application"),
        (Page(200, b"\xff\xfe\x00"), "a proxy or another application"),
    ],
)
def test_every_odd_answer_is_critical_and_says_what_to_do(page: Page, words: str) -> None:
    found = seen(page)
    assert found["HTTP-READY"].level is Level.CRITICAL
    assert words in found["HTTP-READY"].action
    assert found["HTTP-COMPONENTS"].level is Level.UNKNOWN
    assert found["HTTP-LIVE"].level is Level.OK


def test_no_components_are_unknown_and_not_well() -> None:
    assert seen(answer(status="ready"))["HTTP-COMPONENTS"].level is Level.UNKNOWN


def test_a_hanging_readiness_does_not_spoil_liveness() -> None:
    started = time.monotonic()
    found = seen(Page(200, b"{}", wait=lambda: time.sleep(3)), timeout=0.5)
    assert time.monotonic() - started < 5
    assert found["HTTP-LIVE"].level is Level.OK
    assert found["HTTP-READY"].level is Level.CRITICAL
    assert "did not answer within 0.5 s" in found["HTTP-READY"].summary
    assert found["HTTP-READY-LATENCY"].level is Level.UNKNOWN


def test_a_clock_that_is_an_hour_off_is_critical() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    found = seen(answer(checks=WELL), live=Page(200, b"{}", {"Date": date}))
    assert found["HTTP-CLOCK-SKEW"].level is Level.CRITICAL
    assert "1 hour ahead of ours" in found["HTTP-CLOCK-SKEW"].summary


def test_nobody_answering_raises_the_reason() -> None:
    port = refused_port()
    with pytest.raises(Unreachable, match=f"http://127.0.0.1:{port} refuses the connection"):
        look(HEALTH, at(f"http://127.0.0.1:{port}"))
    with pytest.raises(Unreachable, match="nobody knows"):
        look(HEALTH, at("http://no-such-host.invalid"))
    with black_hole() as port, pytest.raises(TimedOut, match=r"did not answer within 0\.5 s"):
        look(HEALTH, at(f"http://127.0.0.1:{port}", timeout=0.5))


def test_an_endless_body_ends() -> None:
    found = seen(Page(200, b"x" * (17 * 1024 * 1024)), timeout=5)
    assert found["HTTP-READY"].level is Level.CRITICAL
    assert "bytes" in found["HTTP-READY"].summary
