from hypothesis import given, settings

from atomops.reports.report import Report
from atomops.reports.table import rows
from atomops.verdict import Level
from tests.samples import bad_morning, reports


def test_what_needs_somebody_comes_first() -> None:
    table = rows(bad_morning())
    assert [row["check"] for row in table[:4]] == [
        *("PG-SLOT-RETAINED", "PG-SEQUENCE-FULL", "HTTP-LATENCY-P95", "PG-INDEX-UNUSED"),
    ]
    assert table[0] == {
        "level": "🔴 CRITICAL",
        "check": "PG-SLOT-RETAINED",
        "section": "Database",
        "finding": "the slot standby_2 holds back 14.2 GiB of write-ahead log",
        "observed": "14.2 GiB",
        "next": "look at its consumer; if that is gone: SELECT pg_drop_replication_slot('standby_2');",
        "since last report": "new",
    }
    assert table[3]["next"] == "known until 2027-01-31: kept for the yearly report"


@given(reports())
@settings(max_examples=50)
def test_every_finding_has_one_row_on_one_line(report: Report) -> None:
    table = rows(report)
    assert len(table) == len(report.findings)
    assert not any("\n" in cell or len(cell) > 300 for row in table for cell in row.values())
    ranks = [Level(row["level"].split()[-1]).rank for row in table]
    assert ranks == sorted(ranks, reverse=True)
