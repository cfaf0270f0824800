import datetime as dt
import json
import socket
from pathlib import Path
from typing import Any

from prefect.client.schemas.objects import State

from atomops.reports.report import Report
from atomops.verdict import Level
from flows.end_of_day_checklist import PARTS, end_of_day_checklist
from flows.morning_checklist import morning_checklist
from tests.flows import running
from tests.flows.conftest import PASSWORD
from tests.flows.running import artifacts, write
from tests.peers import Page, black_hole, http_server, refused_port

NAME = "end-of-day-checklist"


def run() -> tuple[State[Any], Any]:
    return running.run(end_of_day_checklist)


def success(data: object) -> Page:
    return Page(200, json.dumps({"status": "success", "data": data}).encode())


def prometheus(*severities: str) -> dict[str, Page]:
    """What a Prometheus answers where alerts of these severities fire."""
    since = dt.datetime.now(dt.UTC).isoformat()
    alerts = [
        {"labels": {"alertname": f"Atom{number}", "severity": severity}, "state": "firing", "activeAt": since}
        for number, severity in enumerate(severities)
    ]
    rule = {"name": "Atom", "type": "alerting", "query": "up == 0", "health": "ok", "alerts": alerts}
    return {
        "/api/v1/rules": success({"groups": [{"name": "atom", "rules": [rule]}]}),
        "/api/v1/label/__name__/values": success(["up"]),
        "/api/v1/query_range": success({"resultType": "matrix", "result": []}),
    }


def test_what_fires_and_what_is_left_is_in_one_report_in_the_guides_order(inventory: Path) -> None:
    with http_server(prometheus("critical", "warning")) as url:
        write(inventory, prometheus=f'url = "{url}"', host=f'paths = ["{inventory.parent}", "/nowhere"]')
        state, report = run()
    assert isinstance(report, Report)
    assert state.is_failed()
    assert state.message == report.summary
    assert "1 critical alert firing: Atom0" in report.summary
    levels = {finding.code: finding.level for finding in report.findings}
    assert levels["ALERTS-FIRING"] is Level.WARNING
    assert levels["DISK-PATHS"] is Level.UNKNOWN
    assert levels["DISK-USED"] is not Level.UNKNOWN
    sections = list(dict.fromkeys(finding.section for finding in report.findings))
    told = [section for part in PARTS for section in part.sections]
    assert sections == sorted(sections, key=told.index)
    assert {"Alerts", "Capacity"} <= set(sections)
    (used,) = [finding for finding in report.findings if finding.code == "DISK-USED"]
    assert f"on {socket.gethostname()}, where this flow runs" in used.summary
    assert {"host.disk_used", "host.memory_available", "host.load"} <= set(report.trends)
    (shown,) = artifacts(f"{NAME}-test")[-1:]
    assert str(shown.data).startswith("# 🔴 CRITICAL")


def test_with_prometheus_down_the_disks_are_still_looked_at(inventory: Path) -> None:
    down = f'url = "http://127.0.0.1:{refused_port()}"\npassword = "env:PASSWORD"\nusername = "atom"'
    write(inventory, prometheus=down, host=f'paths = ["{inventory.parent}"]')
    state, report = run()
    levels = {finding.code: finding.level for finding in report.findings}
    assert state.is_failed()
    assert levels["ALERTS-REACHABLE"] is Level.CRITICAL
    assert levels["ALERTS-FIRING-CRITICAL"] is Level.UNKNOWN
    assert levels["DISK-PATHS"] is Level.OK
    assert not [path for path in (inventory.parent / "history").rglob("*.*") if PASSWORD in path.read_text("utf-8")]


def test_a_prometheus_that_swallows_every_question_ends_in_time_and_nothing_of_it_is_ok(inventory: Path) -> None:
    with black_hole() as silent:
        settings = f'url = "http://127.0.0.1:{silent}"\nalertmanager_url = "http://127.0.0.1:{silent}"\ntimeout = 1'
        write(inventory, prometheus=settings, host='paths = ["/"]\ninstance = "db:9100"')
        _, report = run()
    assert not [finding for finding in report.findings if finding.level is Level.OK]


def test_parts_that_are_not_configured_are_not_checked_and_nothing_fails(inventory: Path) -> None:
    write(inventory)
    state, report = run()
    assert (report.findings, report.level, state.name) == ((), Level.UNKNOWN, "UNKNOWN")
    assert {gap.section for gap in report.not_checked} >= {section for part in PARTS for section in part.sections}


def test_both_checklists_keep_reports_of_their_own_and_compare_only_those(inventory: Path) -> None:
    pages = {"/health/live": Page(200, b"{}"), "/health/ready": Page(200, b'{"checks": {"database": "healthy"}}')}
    with http_server(pages) as url:
        write(inventory, app=f'url = "{url}"', host=f'paths = ["{inventory.parent}"]')
        for _ in range(2):
            reports = [running.run(flow)[1] for flow in (morning_checklist, end_of_day_checklist)]
    morning, evening = reports
    assert not {finding.code for finding in morning.findings} & {finding.code for finding in evening.findings}
    assert {report.flow: report.changes.resolved for report in reports} == {"morning-checklist": (), NAME: ()}
    assert evening.changes.unchanged == len(evening.findings)
    assert len(evening.trends["host.load"]) == 2
    assert "host.load" not in morning.trends
    kept = {path.name for path in (inventory.parent / "history" / "test" / "facts").iterdir()}
    assert {"CapacityFacts.json", "HealthFacts.json"} <= kept


def test_a_late_run_is_stale_instead_of_passing_for_this_evening(inventory: Path) -> None:
    write(inventory, host='paths = ["/"]')
    state = running.run_late(end_of_day_checklist, dt.datetime.now(dt.UTC) - dt.timedelta(hours=3))
    assert (state.name, state.is_completed()) == ("STALE", True)
    assert (state.message or "").startswith(NAME)
    assert not (inventory.parent / "history").exists()
