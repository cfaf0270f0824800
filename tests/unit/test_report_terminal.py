import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from atomops.reports.report import Report
from atomops.reports.terminal import print_report
from atomops.verdict import Evidence, Level
from tests.samples import bad_morning, finding, report_of, reports


def printed(report: Report, width: int = 80, *, colours: bool = False) -> str:
    said = io.StringIO()
    print_report(report, Console(file=said, width=width, color_system="standard" if colours else None))
    return said.getvalue()


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(cell_len, printed(bad_morning(), width).splitlines())) <= width


@given(reports(), st.sampled_from([40, 80, 120]))
@settings(max_examples=50)
def test_any_report_fits_any_terminal(report: Report, width: int) -> None:
    assert all(cell_len(line) <= width for line in printed(report, width).split("\n"))


@given(reports())
@settings(max_examples=25)
def test_no_text_of_a_server_moves_the_cursor_or_colours_anything(report: Report) -> None:
    assert "\x1b" not in printed(report)


def test_text_of_a_server_is_never_read_as_markup() -> None:
    report = report_of(finding(level=Level.CRITICAL, summary="[red]gone[/] [link=http://x.test]here[/link]"))
    assert printed(report, 120, colours=True).count("[red]gone[/] [link=http://x.test]here[/link]") == 2


def test_the_verdict_comes_first_then_what_is_new_then_what_to_do() -> None:
    said = printed(bad_morning(), 120)
    parts = [
        "CRITICAL   grade D",
        "1 critical, 1 unknown and 1 warning among 9 checks",
        "new  PG-SLOT-RETAINED",
        "resolved  REDIS-MEMORY",
        "CRITICAL  PG-SLOT-RETAINED  new  the slot standby_2",
        "➜ look at its consumer",
        "warning from 1.0 GiB; critical from 10.0 GiB (check catalogue)",
        "docs/runbook/pg-slot-retained.md",
        "standby_2  14.2 GiB  no",
        "UNKNOWN   PG-SEQUENCE-FULL",
        "WARNING   HTTP-LATENCY-P95",
        "known until 2027-01-31: kept for the yearly report",
        "Database  2/5",
        "postgres.xid_age",
        "not configured: app.url is http",
    ]
    places = [said.find(part) for part in parts]
    assert -1 not in places, parts[places.index(-1)]
    assert places == sorted(places)


def test_wide_evidence_is_cut_and_says_what_was_left_out() -> None:
    columns = [f"column {number}" for number in range(9)]
    evidence = Evidence.of(columns, [[letter * 60 for _ in columns] for letter in "abcdefg"])
    said = printed(report_of(finding(level=Level.WARNING, evidence=evidence)))
    assert "column 0" in said
    assert "and 2 more rows and 4 more columns" in said


def test_a_report_of_nothing_is_printed() -> None:
    assert "Nothing was checked" in printed(report_of())


def test_findings_of_one_cause_are_named_beside_the_first() -> None:
    down: dict[str, Any] = {"level": Level.UNKNOWN, "summary": "db:5432 refused", "action": "start it"}
    assert "1 check more says the same: B" in printed(report_of(finding("A", **down), finding("B", **down)))


def test_a_plan_is_printed_whole_step_by_step_however_long_its_commands_are() -> None:
    command = "pg_restore " + " ".join(f"--option-{number}" for number in range(30))
    plan = Evidence.of(("step", "exactly"), [("restore it", command), ("restore it", "COMMIT"), ("wait", "")])
    said = printed(report_of(finding(level=Level.OK, unit="failures", evidence=plan), finding(level=Level.OK)), 80)
    assert " 1  restore it" in said
    assert " 2  wait" in said
    assert "".join(command.split()) in "".join(said.split())


def test_what_was_done_to_several_things_is_a_table() -> None:
    drill = Evidence.of(("set", "store", "proof"), [("atom-1", "/backups", "restored")])
    assert "atom-1  /backups  restored" in printed(report_of(finding(level=Level.OK, unit="failures", evidence=drill)))


def test_what_passed_without_a_plan_shows_no_steps() -> None:
    rows = Evidence.of(("table",), [("agents",)])
    assert "agents" not in printed(report_of(finding(level=Level.OK, unit="rows", evidence=rows)))


def test_the_rows_of_a_listing_are_all_shown_however_well_all_is() -> None:
    rows = Evidence(("agent",), tuple((f"agent-{number:02}",) for number in range(30)))
    for level in (Level.OK, Level.WARNING):
        listed = printed(report_of(finding(level=level, evidence=rows, listing=True)))
        assert all(f"agent-{number:02}" in listed for number in range(30))
    assert "agent-05" not in printed(report_of(finding(level=Level.WARNING, evidence=rows)))
    assert "agent-00" not in printed(report_of(finding(evidence=rows)))
