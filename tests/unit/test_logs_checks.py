import datetime as dt
from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from atomops.checks import logs
from atomops.facts.logs import ErrorGroup, FileRead, FileSkipped, LogFacts
from atomops.facts.outcome import Outcome
from atomops.registry import Check, checks
from atomops.verdict import Finding, Gap, Level, Unseen

AT = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def group(name: str, count: int = 1, level: str = "ERROR") -> ErrorGroup:
    return ErrorGroup(level, None, name, f"{name} 7", "core.llm", count, AT - 5 * HOUR, AT - HOUR)


def facts(*groups: ErrorGroup) -> LogFacts:
    critical = sum(each.count for each in groups if each.level == "CRITICAL")
    total = sum(each.count for each in groups)
    return LogFacts(
        at=AT,
        hours=24,
        files=(FileRead("/var/log/atom/atom.log", 4_000, 1_000),),
        skipped=(),
        groups=groups,
        totals={level: count for level, count in {"ERROR": total - critical, "FATAL": critical}.items() if count},
        critical=critical,
        ungrouped=0,
        lines=100,
        bytes=3_000,
        not_json=10,
        unreadable=0,
        undated=0,
        levelled=100,
        unfinished=(),
        newest=AT - dt.timedelta(minutes=1),
        ahead=0,
    )


SKIPPED = (FileSkipped("/var/log/atom/w.log", "missing", "does not exist", "correct logs.paths"),)


def check(code: str) -> Check:
    return next(each for each in checks() if each.code == code)


def judge(code: str, seen: LogFacts, before: LogFacts | None = None) -> Finding | Gap:
    return check(code).judge(Outcome("logs", 0.5, seen), before)


def level(code: str, seen: LogFacts, before: LogFacts | None = None) -> Level | str:
    judged = judge(code, seen, before)
    return judged.level if isinstance(judged, Finding) else judged.reason


def summary(code: str, seen: LogFacts, before: LogFacts | None = None) -> str:
    judged = judge(code, seen, before)
    assert isinstance(judged, Finding)
    return judged.summary


def test_facts_survive_as_the_facts_of_the_previous_look() -> None:
    seen = replace(facts(group("a")), skipped=SKIPPED)
    adapter = TypeAdapter(LogFacts)
    assert adapter.validate_json(adapter.dump_json(seen)) == seen


def test_a_log_that_cannot_be_read_is_critical_and_the_rest_unknown() -> None:
    outcome: Outcome[LogFacts] = Outcome("logs", 0.1, unseen=Unseen("the log file x does not exist", "ls -l"))
    ours = [each for each in checks() if each.section == logs.SECTION]
    levels = {each.code: each.judge(outcome, None) for each in ours}
    reachable = levels.pop("LOG-REACHABLE")
    assert isinstance(reachable, Finding)
    assert (reachable.level, reachable.summary) == (Level.CRITICAL, "the log file x does not exist")
    assert {judged.level for judged in levels.values() if isinstance(judged, Finding)} == {Level.UNKNOWN}


def test_a_quiet_and_complete_log_is_fine() -> None:
    seen = facts()
    ours = [each.code for each in checks() if each.section == logs.SECTION]
    assert {level(code, seen, seen) for code in ours} == {Level.OK}


def test_the_reading_of_the_log_says_how_much_it_was() -> None:
    text = summary("LOG-REACHABLE", replace(facts(), unfinished=("/var/log/atom/atom.log",)))
    assert "100 lines, 10 of them not JSON" in text
    assert "the last line of /var/log/atom/atom.log was still being written" in text


def test_errors_are_counted_with_their_evidence_and_without_a_verdict() -> None:
    judged = judge("LOG-ERRORS", replace(facts(group("a", 5), group("b", 2, "CRITICAL")), undated=3, ungrouped=4))
    assert isinstance(judged, Finding)
    assert (judged.level, judged.observed) == (Level.OK, 7)
    assert judged.summary.startswith("7 errors in 24 h (5 ERROR, 2 FATAL); 3 of them")
    assert judged.evidence is not None
    assert judged.evidence.rows[0] == ("ERROR", "", "5", "a", "a 7", "core.llm", "11-24 08:00")


def test_one_critical_record_is_critical() -> None:
    assert level("LOG-CRITICAL", facts(group("a", 50))) == Level.OK
    assert level("LOG-CRITICAL", facts(group("a", 1, "CRITICAL"))) == Level.CRITICAL


def test_critical_records_beyond_the_groups_still_count() -> None:
    assert level("LOG-CRITICAL", replace(facts(), critical=1, ungrouped=1)) == Level.CRITICAL


def test_a_new_kind_of_error_is_a_warning() -> None:
    before = replace(facts(group("a", 3)), at=AT - 24 * HOUR)
    assert level("LOG-ERRORS-NEW", facts(group("a", 30)), before) == Level.OK
    assert level("LOG-ERRORS-NEW", facts(group("a"), group("b")), before) == Level.WARNING
    assert level("LOG-ERRORS-NEW", facts(group("a", 1, "CRITICAL")), before) == Level.WARNING


@pytest.mark.parametrize(
    ("then", "now", "expected"), [(7, 20, "OK"), (6, 20, "WARNING"), (1, 19, "OK"), (20, 61, "WARNING")]
)
def test_three_times_as_many_and_at_least_twenty_is_a_spike(then: int, now: int, expected: str) -> None:
    assert level("LOG-ERRORS-SPIKING", facts(group("a", now)), facts(group("a", then))) == expected


def test_a_new_kind_is_new_and_no_spike() -> None:
    assert level("LOG-ERRORS-SPIKING", facts(group("a", 500)), facts()) == Level.OK


def test_what_is_gone_is_told() -> None:
    judged = judge("LOG-ERRORS-GONE", facts(), facts(group("a")))
    assert isinstance(judged, Finding)
    assert (judged.level, judged.observed) == (Level.OK, 1)


@pytest.mark.parametrize("code", ["LOG-ERRORS-NEW", "LOG-ERRORS-SPIKING", "LOG-ERRORS-GONE"])
def test_the_first_look_has_nothing_to_compare_with(code: str) -> None:
    assert level(code, facts(group("a"))) == logs.FIRST_LOOK


@pytest.mark.parametrize("code", ["LOG-ERRORS-NEW", "LOG-ERRORS-SPIKING", "LOG-ERRORS-GONE"])
def test_looks_of_different_length_are_not_compared(code: str) -> None:
    assert level(code, facts(group("a")), replace(facts(), hours=1)) == Level.UNKNOWN


def test_a_look_with_errors_left_out_cannot_tell_what_is_new_or_gone() -> None:
    more = replace(facts(group("a")), ungrouped=1)
    assert level("LOG-ERRORS-NEW", facts(group("a"), group("b")), more) == Level.UNKNOWN
    assert level("LOG-ERRORS-GONE", more, facts(group("b"))) == Level.UNKNOWN


NOTHING_FOUND = ["LOG-ERRORS", "LOG-CRITICAL", "LOG-ERRORS-NEW", "LOG-ERRORS-SPIKING", "LOG-ERRORS-GONE"]


@pytest.mark.parametrize("code", NOTHING_FOUND)
def test_nothing_found_in_a_log_with_a_missing_part_is_unknown(code: str) -> None:
    seen = replace(facts(), skipped=SKIPPED)
    assert level(code, seen, facts()) == Level.UNKNOWN
    assert "w.log does not exist" in summary(code, seen, facts())


@pytest.mark.parametrize("code", NOTHING_FOUND)
@pytest.mark.parametrize("newest", [None, AT - 30 * HOUR])
def test_nothing_found_where_nothing_was_written_is_unknown(code: str, newest: dt.datetime | None) -> None:
    assert level(code, replace(facts(), newest=newest), facts()) == Level.UNKNOWN


@pytest.mark.parametrize("code", NOTHING_FOUND)
def test_nothing_found_in_lines_of_an_unknown_shape_is_unknown(code: str) -> None:
    assert level(code, replace(facts(), levelled=0), facts()) == Level.UNKNOWN


def test_what_was_found_counts_even_when_a_part_is_missing() -> None:
    assert level("LOG-CRITICAL", replace(facts(group("a", 1, "CRITICAL")), skipped=SKIPPED)) == Level.CRITICAL


def test_a_missing_file_is_a_warning_with_its_repair() -> None:
    judged = judge("LOG-FILES-MISSING", replace(facts(), skipped=SKIPPED))
    assert isinstance(judged, Finding)
    assert (judged.level, judged.action) == (Level.WARNING, "correct logs.paths")
    assert "/var/log/atom/w.log does not exist" in judged.summary


def test_unreadable_lines_are_a_warning() -> None:
    assert level("LOG-UNREADABLE", replace(facts(), unreadable=1)) == Level.WARNING


@pytest.mark.parametrize(
    ("newest", "expected"),
    [(AT - HOUR / 2, "OK"), (AT - HOUR, "WARNING"), (AT - 24 * HOUR, "CRITICAL"), (None, "CRITICAL")],
)
def test_a_silent_log_is_a_finding(newest: dt.datetime | None, expected: str) -> None:
    assert level("LOG-SILENT", replace(facts(), newest=newest)) == expected


def test_a_log_without_a_record_is_silent_whatever_the_window() -> None:
    assert level("LOG-SILENT", replace(facts(), newest=None, hours=0.5)) == Level.CRITICAL


def test_a_clock_that_is_ahead_is_a_warning() -> None:
    assert level("LOG-CLOCK-AHEAD", replace(facts(), ahead=3_600)) == Level.WARNING
    assert level("LOG-CLOCK-AHEAD", replace(facts(), ahead=2)) == Level.OK
