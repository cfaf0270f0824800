import datetime as dt
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomops.reports import phrases
from atomops.reports.grade import GRADES, grade
from atomops.reports.report import Changes, Report
from atomops.verdict import Acknowledgement, Gap, Level
from tests.samples import NINE, TRENDS, bad_morning, finding, report_of, reports, strings_of

levels = st.lists(st.sampled_from(Level), min_size=1, max_size=30)


@given(levels, st.data())
def test_a_worse_finding_never_gives_a_better_grade(given: list[Level], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(given) - 1))
    worse = data.draw(st.sampled_from([level for level in Level if level.rank >= given[place].rank]))
    changed = [*given[:place], worse, *given[place + 1 :]]
    assert GRADES.index(grade(changed, of=30)) >= GRADES.index(grade(given, of=30))


@given(levels)
def test_a_critical_finding_caps_the_grade(others: list[Level]) -> None:
    assert grade([*others, Level.CRITICAL], of=31) in "DF"


@given(st.integers(0, 50))
def test_an_unknown_finding_lowers_the_grade(well: int) -> None:
    assert grade([Level.OK] * well, of=well + 1) in "AF"
    assert grade([*[Level.OK] * well, Level.UNKNOWN], of=well + 1) in "CD"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([Level.OK], "A"),
        ([Level.OK, Level.WARNING], "B"),
        ([Level.WARNING] * 3, "B"),
        ([Level.WARNING] * 4, "C"),
        ([Level.OK] * 9 + [Level.UNKNOWN], "C"),
        ([Level.OK] * 2 + [Level.UNKNOWN], "D"),
        ([Level.OK] * 9 + [Level.CRITICAL], "D"),
        ([Level.CRITICAL] * 3, "F"),
        ([], "F"),
    ],
)
def test_the_grades(given: list[Level], expected: str) -> None:
    assert grade(given, of=len(given)) == expected


def test_an_acknowledged_finding_keeps_its_level_and_does_not_count() -> None:
    known = {"PG-INDEX-UNUSED": Acknowledgement("kept for the yearly report", "2026-11-24")}
    report = report_of(finding("PG-INDEX-UNUSED", Level.CRITICAL), finding(), acknowledgements=known)
    assert (report.level, report.grade) == (Level.OK, "A")
    assert [(each.code, each.level) for each in report.acknowledged] == [("PG-INDEX-UNUSED", Level.CRITICAL)]
    assert report.summary == "1 of 2 checks are well; the others are acknowledged"
    assert report.to_do == []


def test_an_acknowledgement_that_has_ended_does_not_count_and_the_finding_says_so() -> None:
    known = {"PG-INDEX-UNUSED": Acknowledgement("kept for the yearly report", "2026-11-23")}
    report = report_of(finding("PG-INDEX-UNUSED", Level.WARNING), acknowledgements=known)
    assert report.level is Level.WARNING
    assert report.findings[0].acknowledged is None
    assert report.findings[0].summary.endswith("(its acknowledgement ended on 2026-11-23)")


def test_what_is_well_needs_no_acknowledgement() -> None:
    report = report_of(finding(), acknowledgements={"PG-XID-AGE": Acknowledgement("known", "2030-01-01")})
    assert report.findings[0].acknowledged is None


@pytest.mark.parametrize("level", [Level.WARNING, Level.UNKNOWN, Level.CRITICAL])
def test_when_everything_is_acknowledged_nothing_is_known_to_be_well(level: Level) -> None:
    known = {"PG-XID-AGE": Acknowledgement("known", "2030-01-01")}
    report = report_of(finding(level=level), acknowledgements=known)
    assert (report.level, report.grade) == (Level.UNKNOWN, "F")


def test_a_report_of_nothing_is_unknown() -> None:
    report = report_of(gaps=(Gap("TLS", "not configured"),))
    assert (report.level, report.grade, report.summary) == (Level.UNKNOWN, "F", "Nothing was checked")


def test_the_summary_names_the_worst_thing() -> None:
    assert bad_morning().summary == (
        "1 critical, 1 unknown and 1 warning among 9 checks; "
        "Database: the slot standby_2 holds back 14.2 GiB of write-ahead log"
    )
    assert report_of(finding(), finding("PG-PING")).summary == "All is well in 2 checks; Database: PG-XID-AGE is OK"
    assert report_of(finding(unit="failures")).summary == "All is well in 1 check"
    one = report_of(finding(level=Level.UNKNOWN, summary="timed out"))
    assert one.summary == "1 unknown among 1 check; Database: timed out"


def test_the_summary_is_one_line_whatever_a_server_says() -> None:
    report = report_of(finding(level=Level.CRITICAL, summary="Traceback\n" + "very " * 500))
    assert "\n" not in report.summary
    assert len(report.summary) < 300


def test_findings_stand_in_the_order_of_their_sections_the_worst_first() -> None:
    report = report_of(
        finding("R", Level.CRITICAL, "Redis"),
        finding("D1"),
        finding("D2", Level.UNKNOWN),
        finding("X", Level.OK, "Somewhere else"),
        finding("D3", Level.WARNING),
        finding("H", Level.OK, "Health"),
    )
    assert [each.code for each in report.findings] == ["H", "D2", "D3", "D1", "R", "X"]
    assert [first.code for first, _ in report.to_do] == ["R", "D2", "D3"]


def test_what_is_new_stands_before_what_was_there_of_the_same_level() -> None:
    previous = report_of(finding("OLD", Level.WARNING))
    report = report_of(finding("OLD", Level.WARNING), finding("FRESH", Level.WARNING), previous=previous)
    assert [first.code for first, _ in report.to_do] == ["FRESH", "OLD"]


def test_findings_of_one_cause_come_once() -> None:
    down: dict[str, Any] = {"level": Level.UNKNOWN, "summary": "db:5432 refused", "action": "start it"}
    report = report_of(*(finding(code, **down) for code in ("A", "B", "C")), finding("D", Level.UNKNOWN))
    assert [(first.code, others) for first, others in report.to_do] == [("A", ("B", "C")), ("D", ())]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (Level.OK, Level.WARNING, "new"),
        (Level.OK, Level.UNKNOWN, "new"),
        (Level.WARNING, Level.CRITICAL, "worse"),
        (Level.WARNING, Level.UNKNOWN, "worse"),
        (Level.UNKNOWN, Level.CRITICAL, "worse"),
        (Level.CRITICAL, Level.WARNING, "better"),
        (Level.UNKNOWN, Level.WARNING, "better"),
        (Level.CRITICAL, Level.OK, "resolved"),
        (Level.UNKNOWN, Level.OK, "resolved"),
    ],
)
def test_every_move_of_a_finding_has_its_name(before: Level, now: Level, expected: str) -> None:
    report = report_of(finding(level=now), previous=report_of(finding(level=before)))
    assert report.changes == Changes(**{expected: ("PG-XID-AGE",)})  # type: ignore[arg-type]  # the name of a field


def test_losing_sight_of_something_critical_is_not_better() -> None:
    previous = report_of(finding(level=Level.CRITICAL))
    report = report_of(finding(level=Level.UNKNOWN), previous=previous)
    assert report.changes == Changes(worse=("PG-XID-AGE",))


def test_a_check_that_was_not_asked_again_is_not_resolved() -> None:
    report = report_of(finding(), previous=report_of(finding("PG-PING", Level.CRITICAL), finding()))
    assert report.changes == Changes(unchanged=1)


def test_a_first_report_has_nothing_to_compare_with() -> None:
    assert report_of(finding(level=Level.CRITICAL)).changes == Changes()


def test_a_trend_goes_on_from_the_last_report_and_is_bounded() -> None:
    report: Report | None = None
    for day in range(70):
        at = NINE + dt.timedelta(days=day)
        report = report_of(finding(observed=day), previous=report, at=at)
    assert report is not None
    points = report.trends["postgres.xid_age"]
    assert [value for _, value in points] == list(range(10, 70))
    assert points[-1][0] == "2027-02-01T08:00:05Z"


def test_a_trend_that_no_check_follows_any_more_ends() -> None:
    previous = report_of(finding(observed=1), finding("PG-SIZE", observed=2))
    report = report_of(finding(observed=3), previous=previous, trends={"PG-XID-AGE": TRENDS["PG-XID-AGE"]})
    assert list(report.trends) == ["postgres.xid_age"]


@pytest.mark.parametrize("observed", [None, float("nan"), float("inf")])
def test_a_value_that_was_not_seen_leaves_the_trend_as_it_was(observed: float | None) -> None:
    previous = report_of(finding(observed=1))
    assert report_of(finding(observed=observed), previous=previous).trends == previous.trends


def test_series_beside_a_trend_go_on_as_long_as_their_finding_names_them() -> None:
    first = report_of(finding(observed=3, series={"/a": 1.0, "/b": 2.0}))
    silent = report_of(finding(observed=None), previous=first)
    assert silent.trends == first.trends
    second = report_of(finding(observed=4, series={"/a": 5.0, "/c": float("nan")}), previous=silent)
    values = {name: [value for _, value in points] for name, points in second.trends.items()}
    assert values == {"postgres.xid_age": [3, 4], "postgres.xid_age of /a": [1, 5]}
    assert phrases.last("postgres.xid_age of /a", second.trends["postgres.xid_age of /a"]).startswith("5 ")


@given(reports())
@settings(max_examples=40)
def test_every_text_of_a_report_can_be_printed_stored_and_encoded(report: Report) -> None:
    for text in strings_of(report):
        text.encode()
        assert {character for character in text if unicodedata.category(character) == "Cc"} <= {"\n", "\t"}
        assert not set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068") & set(text)


@given(reports())
@settings(max_examples=40)
def test_the_level_is_that_of_the_worst_finding_that_nobody_acknowledged(report: Report) -> None:
    counting = [each for each in report.findings if each.acknowledged is None]
    assert report.level is max((each.level for each in counting), key=lambda level: level.rank, default=Level.UNKNOWN)


@given(reports())
@settings(max_examples=40)
def test_every_finding_has_moved_or_is_unchanged(report: Report) -> None:
    changes = report.changes
    moved = [*changes.new, *changes.worse, *changes.better, *changes.resolved]
    assert len(moved) + changes.unchanged in {0, len(report.findings)}
    assert len(set(moved)) == len(moved)


def test_a_finding_that_knows_the_past_is_the_trend_itself() -> None:
    previous = report_of(finding(observed=1.0))
    known = (("2026-11-22T00:00:00Z", 5.0), ("2026-11-23T00:00:00Z", 7.0))
    report = report_of(finding(observed=7.0, points=known), previous=previous)
    assert report.trends["postgres.xid_age"] == known
