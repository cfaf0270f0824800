"""What was logged, refused and failed since a change: by the ends of the files, not by the times of their lines."""

import asyncio
import datetime as dt
import gzip
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atomops.facts.settling import Errors, Requests, SettlingFacts
from atomops.inventory import Target
from atomops.probes.settling import Baseline, baseline, settle
from atomops.verdict import Unseen
from tests.targets import target


def error(code: str, minutes_ago: float = 0) -> str:
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes_ago)
    return json.dumps({"level": "ERROR", "message": "failed", "error_code": code, "timestamp": moment.isoformat()})


def add(path: Path, *lines: str) -> None:
    with path.open("a", encoding="utf-8") as log:
        log.writelines(f"{line}\n" for line in lines)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "atom.log"
    add(path, *[error("KNOWN", 60) for _ in range(24)])
    return path


def at(log: Path, **parts: Any) -> Target:  # noqa: ANN401 - as in an inventory
    return target(logs={"paths": [str(log)]}, **parts)


def before(of: Target) -> Baseline:
    return asyncio.run(baseline(of))


def settled(of: Target, earlier: Baseline, seconds: float = 0) -> SettlingFacts:
    return asyncio.run(settle(of, earlier, seconds))


def errors(of: Target, earlier: Baseline) -> Errors:
    seen = settled(of, earlier).errors
    assert isinstance(seen, Errors)
    return seen


def kinds(seen: Errors) -> dict[str, int]:
    return {group.name: group.count for group in seen.groups}


def test_only_what_was_written_since_counts_and_what_is_new_is_told_from_what_is_known(log: Path) -> None:
    earlier = before(at(log))
    add(log, error("KNOWN"), error("FRESH"), error("FRESH"))
    seen = errors(at(log), earlier)
    assert kinds(seen) == {"FRESH": 2, "KNOWN": 1}
    assert [group.name for group in seen.new] == ["FRESH"]
    assert (seen.records, seen.before, seen.before_hours) == (3, 24, 24)
    assert 0 < seen.expected < 1


def test_lines_without_a_time_or_with_another_clock_count_all_the_same(log: Path) -> None:
    earlier = before(at(log))
    add(log, "ERROR:core.widgets:Out of widgets", error("LATE", 600))
    assert errors(at(log), earlier).records == 2


def test_a_log_that_was_rotated_meanwhile_is_read_in_both_its_files(log: Path) -> None:
    earlier = before(at(log))
    add(log, error("OLD-FILE"))
    log.rename(log.with_name("atom.log.1"))
    add(log, error("NEW-FILE"))
    assert kinds(errors(at(log), earlier)) == {"NEW-FILE": 1, "OLD-FILE": 1}


def test_a_log_that_was_copied_and_emptied_meanwhile_counts_nothing_of_before(log: Path) -> None:
    earlier = before(at(log))
    add(log, error("IN-COPY"))
    with gzip.open(log.with_name("atom.log.1.gz"), "wb") as packed:
        packed.write(log.read_bytes())
    log.write_text("")
    add(log, error("AFTERWARDS"))
    assert kinds(errors(at(log), earlier)) == {"AFTERWARDS": 1, "IN-COPY": 1}


def test_logs_that_are_not_configured_or_not_there_are_no_silence(log: Path) -> None:
    nothing = target()
    assert settled(nothing, before(nothing)).errors is None
    assert settled(nothing, before(nothing)).requests is None
    assert settled(nothing, before(nothing)).is_ready is None
    earlier = before(at(log))
    log.unlink()
    seen = settled(at(log), earlier).errors
    assert isinstance(seen, Unseen)
    assert "does not exist" in seen.reason


class Page(http.server.BaseHTTPRequestHandler):
    """Ready but for the second question; thirty requests between two looks at the metrics, six of them failed."""

    looks = 0
    questions = 0

    def do_GET(self) -> None:
        if self.path == "/metrics":
            type(self).looks += 1
            lines = [f'http_requests_total{{endpoint="/api",status="200"}} {24 * self.looks}']
            lines += [f'http_requests_total{{endpoint="/api",status="500"}} {6 * self.looks}']
            self._answer(200, "text/plain", "# TYPE http_requests_total counter\n" + "\n".join(lines) + "\n")
        else:
            type(self).questions += self.path.endswith("ready")
            is_ready = self.path.endswith("live") or self.questions != 2
            status = "ready" if is_ready else "not_ready"
            self._answer(200 if is_ready else 503, "application/json", json.dumps({"status": status}))

    def _answer(self, status: int, content: str, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def url() -> Iterator[str]:
    handler = type("Handler", (Page,), {})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_readiness_in_between_and_the_share_of_failed_requests_are_those_of_that_time(
    log: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atomops.probes.readiness._CALM_SECONDS", 0.1)
    app = {"url": url, "metrics_interval": 0.1, "metrics_path": "/metrics"}
    of = at(log, profile="atom", app=app)
    seen = settled(of, before(of), seconds=2.5)
    assert (seen.is_ready, seen.refused) == (True, 1)
    assert seen.asked >= 3
    assert seen.last_refusal == "503, status not_ready"
    assert isinstance(seen.requests, Requests)
    assert (seen.requests.asked, seen.requests.failed_ratio, seen.requests.before) == (30, 0.2, 0.2)
    assert seen.requests.seconds > 2.4
