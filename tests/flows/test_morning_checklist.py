import datetime as dt
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import State

from atomops.errors import InventoryError, NotThere
from atomops.reports.json import from_json
from atomops.reports.report import Report
from atomops.verdict import Level
from flows.morning_checklist import morning_checklist
from tests.flows import running
from tests.flows.conftest import PASSWORD
from tests.flows.running import artifacts, write
from tests.peers import Page, black_hole, http_server, refused_port, talking

pytestmark = pytest.mark.slow(18)

SECTIONS = {"Health", "Database", "Agent executions", "Redis", "Error logs", "Metrics", "TLS"}


def run() -> tuple[State[Any], Any]:
    return running.run(morning_checklist)


@pytest.fixture
def silent() -> Iterator[int]:
    with black_hole() as port:
        yield port


def test_with_every_server_down_the_report_is_critical_and_nothing_is_ok(inventory: Path) -> None:
    port = refused_port()
    write(
        inventory,
        app=f'url = "https://127.0.0.1:{port}"',
        postgres=f'dsn = "postgresql://a@127.0.0.1:{port}/atom"\npassword = "env:PASSWORD"',
        redis=f'url = "redis://127.0.0.1:{port}"\npassword = "env:PASSWORD"',
        prometheus=f'url = "http://127.0.0.1:{port}"',
        logs='paths = ["/nowhere/atom.log"]',
    )
    state, report = run()
    assert isinstance(report, Report)
    assert state.is_failed()
    assert state.message == report.summary
    assert {finding.level for finding in report.findings} == {Level.CRITICAL, Level.UNKNOWN}
    assert {finding.section for finding in report.findings} == SECTIONS


def test_silent_servers_are_waited_for_side_by_side_and_only_once(inventory: Path) -> None:
    happened: list[str] = []

    def listen(client: socket.socket) -> None:
        happened.append("asked")
        while client.recv(65_536):
            pass
        happened.append("given up")

    with talking(listen) as silent:
        write(
            inventory,
            app=f'url = "https://127.0.0.1:{silent}"\ntimeout = 6',
            postgres=f'dsn = "postgresql://a@127.0.0.1:{silent}/atom"\nconnect_timeout = 6',
            redis=f'url = "redis://127.0.0.1:{silent}"\ntimeout = 6',
            prometheus=f'url = "http://127.0.0.1:{silent}"\ntimeout = 6',
        )
        _, report = run()
        first = happened.index("given up")
        assert first >= 4  # whoever asks, has asked before anybody gives up
        assert "asked" not in happened[first:]
    assert not [finding for finding in report.findings if finding.level is Level.OK]


def test_one_hanging_server_neither_delays_nor_spoils_the_rest(inventory: Path, silent: int) -> None:
    pages = {"/health/live": Page(200, b"{}"), "/health/ready": Page(200, b'{"checks": {"database": "healthy"}}')}
    with http_server(pages) as url:
        write(inventory, app=f'url = "{url}"', redis=f'url = "redis://127.0.0.1:{silent}"\ntimeout = 1')
        _, report = run()
    levels = {finding.code: finding.level for finding in report.findings}
    assert levels["HTTP-READY"] is Level.OK
    assert levels["HTTP-COMPONENTS"] is Level.OK
    assert levels["REDIS-REACHABLE"] is Level.CRITICAL
    assert levels["REDIS-MEMORY"] is Level.UNKNOWN


def test_parts_that_are_not_configured_are_not_checked_and_nothing_fails(inventory: Path) -> None:
    write(inventory)
    state, report = run()
    assert report.findings == ()
    assert report.level is Level.UNKNOWN
    assert state.name == "UNKNOWN"
    assert {gap.section for gap in report.not_checked} >= {
        "Health",
        "Database",
        "Redis",
        "Error logs",
        "Metrics",
        "TLS",
    }


def test_the_report_is_kept_and_shown_without_any_secret(inventory: Path) -> None:
    pages = {"/health/live": Page(200, b"{}"), "/health/ready": Page(500, f"token {PASSWORD} expired".encode())}
    with http_server(pages) as url:
        write(
            inventory,
            app=f'url = "{url}"',
            redis=f'url = "redis://127.0.0.1:{refused_port()}"\npassword = "env:PASSWORD"',
        )
        _, report = run()
        run()
    kept = sorted((inventory.parent / "history" / "test" / "morning-checklist").iterdir())
    assert sorted(path.suffix for path in kept) == [".html", ".html", ".json", ".json"]
    assert not [path for path in kept if PASSWORD in path.read_text(encoding="utf-8")]
    assert "token *** expired" in str(report.findings)
    assert from_json(kept[-1].read_bytes()).changes.unchanged == len(report.findings)
    shown = artifacts("morning-checklist-test")
    assert len(shown) >= 2
    assert not [artifact for artifact in shown if PASSWORD in str(artifact.data)]
    assert artifacts("morning-checklist-test-findings")


def test_a_history_that_cannot_be_written_costs_no_verdict(inventory: Path) -> None:
    write(inventory)
    (inventory.parent / "history").write_text("a file where a folder belongs", encoding="utf-8")
    _, report = run()
    assert isinstance(report, Report)


def test_acknowledged_findings_do_not_count_and_other_limits_do(inventory: Path) -> None:
    pages = {"/health/live": Page(200, b"{}"), "/health/ready": Page(500, b"broken")}
    with http_server(pages) as url:
        write(inventory, app=f'url = "{url}"', limits='"HTTP-LIVE-LATENCY" = { warning = 0 }')
        text = inventory.read_text(encoding="utf-8")
        codes = ("HTTP-READY", "HTTP-COMPONENTS", "METRICS-REACHABLE")
        for code in codes:
            text += f'\n[[targets.test.acknowledged]]\ncode = "{code}"\nreason = "known"\nuntil = 2999-01-01'
        inventory.write_text(text, encoding="utf-8")
        _, report = run()
    levels = {finding.code: finding.level for finding in report.findings}
    assert levels["HTTP-LIVE-LATENCY"] is Level.WARNING
    assert {finding.code for finding in report.acknowledged} == set(codes)
    assert report.level is Level.UNKNOWN  # the metrics that could not be read; the acknowledged criticals do not count


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ('[targets.test.app]\nulr = "x"', InventoryError, "did you mean 'url'"),
        ("[targets.other]", NotThere, "did you mean 'other'"),
        ('[targets.test.limits]\n"PG-XID-AG" = { warning = 1 }', InventoryError, "did you mean 'PG-XID-AGE'"),
        ('[targets.test.limits]\n"PG-XID-AGE" = { warning = 9e9 }', InventoryError, "reached before warning"),
        (
            '[targets.test.redis]\nurl = "redis://x"\npassword = "env:NO_SUCH_VARIABLE"',
            InventoryError,
            "NO_SUCH_VARIABLE",
        ),
        ('[targets.test.redis]\nurl = "redis://x"\npassword = "block:no-such-block"', LookupError, "no-such-block"),
        ('[targets.test]\nprofile = "no/such/folder"', InventoryError, "no/such/folder"),
    ],
)
def test_a_bad_inventory_ends_the_run_before_anything_is_looked_at(
    inventory: Path, text: str, error: type[Exception], words: str
) -> None:
    inventory.write_text(text, encoding="utf-8")
    state, raised = run()
    assert state.is_failed()
    assert isinstance(raised, error)
    assert words in str(raised)


def test_a_late_run_says_that_it_is_stale_instead_of_passing_for_this_morning(inventory: Path) -> None:
    write(inventory)
    planned = dt.datetime.now(dt.UTC) - dt.timedelta(hours=3)
    state = running.run_late(morning_checklist, planned)
    assert (state.name, state.is_completed()) == ("STALE", True)
    assert f"{planned:%Y-%m-%d %H:%M} UTC came too late" in (state.message or "")
    assert not (inventory.parent / "history").exists()


def test_no_flow_file_bears_the_name_of_a_package_that_it_would_hide() -> None:
    import importlib.util  # noqa: PLC0415 - only here
    import sys  # noqa: PLC0415 - only here

    folder = Path(__file__).parents[2] / "flows"
    names = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    elsewhere = [path for path in sys.path if Path(path).resolve() != folder.resolve()]
    assert names
    with ExitStack() as stack:
        stack.callback(setattr, sys, "path", sys.path)
        sys.path = elsewhere
        assert not [name for name in names if importlib.util.find_spec(name)]
