"""Metrics pages of the application that are odd, change, or are none."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from atomops.errors import AccessDenied, AtomOpsError, BadAnswer, NotThere, TemporaryError
from atomops.facts.metrics import MetricsFacts
from atomops.probes.parts import METRICS
from atomops.verdict import Level, Unseen
from tests.peers import Page, http_server
from tests.targets import findings, look, target
from tests.waiting import PATIENCE

HTML = Page(200, b"<!DOCTYPE html><html>Sign in</html>", {"Content-Type": "text/html"})
COUNTERS = (
    b"# TYPE http_requests_total counter\n"
    b'http_requests_total{endpoint="/a",status="200"} 90\nhttp_requests_total{endpoint="/a",status="500"} 10\n'
)


def scrape(pages: dict[str, Page], **app: Any) -> MetricsFacts:  # noqa: ANN401 - as in an inventory
    with http_server(pages) as url:
        seen = look(METRICS, target(app={"url": url, "timeout": PATIENCE, "metrics_interval": 0.1, **app}))
    assert isinstance(seen, MetricsFacts)
    return seen


def one_after_the_other(first: bytes, then: bytes) -> dict[str, Page]:
    """The page answers `first` once, and `then` from then on."""
    pages = {"/metrics": Page(200, then)}
    last = pages["/metrics"]
    pages["/metrics"] = Page(200, first, wait=lambda _over: pages.update({"/metrics": last}))
    return pages


@pytest.mark.parametrize(
    ("page", "kind", "words"),
    [
        (HTML, BadAnswer, "is no metrics page (HTML)"),
        (Page(200, b"<html>welcome</html>"), BadAnswer, "is no metrics page"),
        (Page(200, b'{"status": "alive"}'), BadAnswer, "is no metrics page"),
        (Page(200, b"\xff\xfe\x00"), BadAnswer, "is no metrics page"),
        (Page(401, b""), AccessDenied, "without a login"),
        (Page(404, b""), NotThere, "set app.metrics_path"),
        (Page(400, b"Invalid host header"), BadAnswer, "set app.host_header"),
        (Page(302, b"", {"Location": "/login"}), BadAnswer, "answers 302"),
        (Page(503, b"starting"), TemporaryError, "answers 503"),
        (Page(429, b""), TemporaryError, "answers 429"),
    ],
)
def test_every_odd_metrics_page_has_a_kind_and_a_next_step(page: Page, kind: type[AtomOpsError], words: str) -> None:
    with pytest.raises(AtomOpsError) as raised:
        scrape({"/metrics": page})
    assert type(raised.value) is kind
    assert words in str(raised.value)
    assert raised.value.action
    assert "\n" not in str(raised.value)


def test_a_missing_page_names_all_that_were_tried() -> None:
    with pytest.raises(NotThere, match="/health/metrics or /metrics"):
        scrape({})


@pytest.mark.parametrize("elsewhere", [HTML, Page(200, b""), Page(200, b"up 1\n")])
def test_the_page_that_counts_requests_is_taken_whatever_the_others_answer(elsewhere: Page) -> None:
    seen = scrape({"/health/metrics": elsewhere, "/metrics": Page(200, COUNTERS)})
    assert seen.source.endswith("/metrics")
    assert (seen.profile, seen.values["requests"]) == ("atom", 0)
    assert "HTTP-ERROR-RATIO" not in findings(METRICS, seen)


@pytest.mark.parametrize("path", ["/own/metrics", "own/metrics"])
def test_a_configured_page_is_the_only_one_asked(path: str) -> None:
    assert scrape({"/own/metrics": Page(200, COUNTERS)}, metrics_path=path).profile == "atom"
    with pytest.raises(NotThere, match="/own/metrics"):
        scrape({"/metrics": Page(200, COUNTERS)}, metrics_path=path)


def test_openmetrics_is_read_by_its_own_rules() -> None:
    body = b"# TYPE http_requests counter\n" + b'http_requests_total{status="200"} 7.0 # {trace_id="a b"} 1.0 1.6e9\n'
    kind = {"Content-Type": "application/openmetrics-text; version=1.0.0; charset=utf-8"}
    assert scrape({"/metrics": Page(200, body + b"# EOF\n", kind)}).profile == "atom"
    with pytest.raises(BadAnswer, match="Missing # EOF"):
        scrape({"/metrics": Page(200, body, kind)})


def test_a_page_without_requests_is_unknown_and_names_what_was_looked_for() -> None:
    seen = scrape({"/metrics": Page(200, b"process_cpu_seconds_total 3\n")})
    assert isinstance(seen.profile, Unseen)
    assert "http_requests_total, atom_http_requests_total" in seen.profile.reason
    assert {finding.level for code, finding in findings(METRICS, seen).items() if code != "METRICS-REACHABLE"} == {
        Level.UNKNOWN
    }


def test_a_page_that_ends_nowhere_ends() -> None:
    with pytest.raises(AtomOpsError, match="bytes"):
        scrape({"/metrics": Page(200, b"x 1\n" * (5 * 1024 * 1024))})


def test_two_scrapes_are_judged_by_what_happened_between_them() -> None:
    later = COUNTERS.replace(b"} 90", b"} 180").replace(b"} 10", b"} 20")
    found = findings(METRICS, scrape(one_after_the_other(COUNTERS, later)))
    assert found["HTTP-ERROR-RATIO"].observed == pytest.approx(0.1)
    assert found["HTTP-ERROR-RATIO"].level is Level.CRITICAL
    assert found["HTTP-LATENCY-P95"].level is Level.UNKNOWN


@pytest.mark.parametrize(
    ("later", "words"),
    [
        (COUNTERS.replace(b"} 90", b"} 5"), "fell between the two scrapes"),
        (COUNTERS + b"process_start_time_seconds 1.7e9\n", "different processes"),
    ],
)
def test_a_restart_or_another_replica_between_the_scrapes_is_unknown(later: bytes, words: str) -> None:
    found = findings(METRICS, scrape(one_after_the_other(COUNTERS, later)))
    for code in ("HTTP-ERROR-RATIO", "HTTP-LATENCY-P95", "HTTP-REQUEST-RATE"):
        assert found[code].level is Level.UNKNOWN
    assert words in found["HTTP-REQUEST-RATE"].summary


def test_the_host_header_is_sent() -> None:
    class Strict(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers["Host"] == "atom.example.com"
            self.send_response(200 if known else 400)
            self.end_headers()
            self.wfile.write(COUNTERS if known else b"Invalid host header")

        def log_message(self, *_: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Strict) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        app = {"url": f"http://127.0.0.1:{server.server_port}", "metrics_interval": 0.1}
        assert look(METRICS, target(app={**app, "host_header": "atom.example.com"})).profile == "atom"
        with pytest.raises(BadAnswer, match=r"set app\.host_header"):
            look(METRICS, target(app=app))
        server.shutdown()
