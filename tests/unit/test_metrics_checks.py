import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from atomops.facts.metrics import MetricsFacts, PrometheusState, ScrapeTarget
from atomops.facts.outcome import Outcome
from atomops.registry import checks, judge_all
from atomops.verdict import Finding, Gap, Level, Unseen

MINE = [check for check in checks() if check.facts is MetricsFacts]
UP = ScrapeTarget("atom", "10.0.0.1:8000", up=True)
DOWN = ScrapeTarget("atom", "10.0.0.2:8000", up=False)
GONE = Unseen("Prometheus has no data of it", "look there")
GOOD = MetricsFacts(
    at=dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC),
    source="Prometheus http://prometheus",
    window=300,
    minimum_requests=20,
    profile="guide",
    values={
        "requests": 3000,
        "request_rate": 10,
        "hourly_rate": 11,
        "hourly_rate_last_week": 10,
        "error_ratio": 0.001,
        "latency_p95": 0.2,
        "latency_max": 2.5,
        "cache_hit_ratio": 0.95,
        "active_workers": 4,
        "queue_depth": 2,
    },
    prometheus=PrometheusState(selector="", targets=(UP,), warnings=(), infos=(), clock_offset=0.2),
)
SCRAPED = replace(GOOD, source="two scrapes of http://atom/metrics", prometheus=None)


def judged(facts: MetricsFacts | None, unseen: Unseen | None = None) -> tuple[dict[str, Finding], list[Gap]]:
    outcome = Outcome("metrics", 0.1, facts=facts, unseen=unseen)
    found, gaps = judge_all(MINE, {MetricsFacts: outcome}, {}, {})
    return {finding.code: finding for finding in found}, gaps


def told(**values: float | Unseen) -> MetricsFacts:
    return replace(GOOD, values={**GOOD.values, **values})


def monitored(**parts: object) -> MetricsFacts:
    assert GOOD.prometheus is not None
    return replace(GOOD, prometheus=replace(GOOD.prometheus, **parts))  # type: ignore[arg-type] # any part of it


def level(facts: MetricsFacts, code: str) -> Level:
    return judged(facts)[0][code].level


def reasons(facts: MetricsFacts) -> str:
    return "\n".join(gap.reason for gap in judged(facts)[1])


def test_a_healthy_application_is_ok_throughout() -> None:
    found, gaps = judged(GOOD)
    assert {finding.level for finding in found.values()} == {Level.OK}
    assert len(found) == len(MINE)
    assert gaps == []


def test_facts_survive_json() -> None:
    adapter = TypeAdapter(MetricsFacts)
    for facts in (GOOD, SCRAPED, told(error_ratio=GONE), monitored(targets=GONE), replace(GOOD, profile=GONE)):
        assert adapter.validate_json(adapter.dump_json(facts)) == facts


def test_every_check_says_where_its_threshold_comes_from() -> None:
    assert all(check.source and check.guarantee for check in MINE)


def test_a_failed_probe_leaves_nothing_ok() -> None:
    found, _ = judged(None, Unseen("Prometheus http://prometheus refuses the connection", "is it running?"))
    assert found.pop("METRICS-REACHABLE").level is Level.CRITICAL
    assert {finding.level for finding in found.values()} == {Level.UNKNOWN}


def test_without_any_data_of_the_application_nothing_of_it_is_ok() -> None:
    nothing = replace(monitored(targets=GONE), profile=GONE, values={})
    found, _ = judged(nothing)
    fine = {code for code, finding in found.items() if finding.level is Level.OK}
    assert fine == {"METRICS-REACHABLE", "METRICS-WARNINGS", "METRICS-CLOCK-SKEW"}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("error_ratio", "HTTP-ERROR-RATIO"),
        ("latency_p95", "HTTP-LATENCY-P95"),
        ("request_rate", "HTTP-REQUEST-RATE"),
        ("hourly_rate", "HTTP-REQUEST-RATE-CHANGE"),
        ("requests", "HTTP-ERROR-RATIO"),
        ("requests", "HTTP-LATENCY-P95"),
        ("cache_hit_ratio", "CACHE-HIT-RATIO"),
        ("active_workers", "APP-WORKERS-ACTIVE"),
        ("queue_depth", "APP-QUEUE-DEPTH"),
    ],
)
def test_a_value_that_was_not_seen_is_unknown_for_just_its_checks(name: str, code: str) -> None:
    found, _ = judged(told(**{name: GONE}))
    assert (found[code].level, found[code].action) == (Level.UNKNOWN, "look there")
    unknown = {other for other, finding in found.items() if finding.level is Level.UNKNOWN}
    assert unknown <= {"HTTP-ERROR-RATIO", "HTTP-LATENCY-P95"} if name == "requests" else unknown == {code}


@pytest.mark.parametrize(
    ("value", "expected"), [(0, Level.OK), (0.009, Level.OK), (0.01, Level.WARNING), (0.05, Level.CRITICAL)]
)
def test_the_share_of_errors_is_judged_at_one_and_five_per_cent(value: float, expected: Level) -> None:
    assert level(told(error_ratio=value), "HTTP-ERROR-RATIO") is expected


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_errors_never_score_better(one: float, other: float) -> None:
    better, worse = (level(told(error_ratio=share), "HTTP-ERROR-RATIO") for share in sorted((one, other)))
    assert worse.rank >= better.rank


@given(st.floats(0, 100), st.floats(0, 100))
def test_slower_answers_never_score_better(one: float, other: float) -> None:
    better, worse = (
        level(told(latency_p95=seconds, latency_max=1e9), "HTTP-LATENCY-P95") for seconds in sorted((one, other))
    )
    assert worse.rank >= better.rank


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_less_traffic_than_last_week_never_scores_better(one: float, other: float) -> None:
    worse, better = (judged(told(hourly_rate=rate, hourly_rate_last_week=1000))[0] for rate in sorted((one, other)))
    code = "HTTP-REQUEST-RATE-CHANGE"
    assert (worse[code].observed or 0) >= (better[code].observed or 0)
    assert worse[code].level.rank >= better[code].level.rank


def test_three_requests_make_no_ratio_and_say_so() -> None:
    found, _ = judged(few := told(requests=3, error_ratio=1.0, latency_p95=30))
    assert not {"HTTP-ERROR-RATIO", "HTTP-LATENCY-P95"} & found.keys()
    assert "error ratio: 3 requests in 5 minutes; fewer than 20 say nothing" in reasons(few)
    assert found["HTTP-REQUEST-RATE"].level is Level.OK


def test_no_traffic_at_all_is_a_gap_and_a_counter_without_data_is_unknown() -> None:
    assert "0 requests" in reasons(told(requests=0, error_ratio=GONE))
    assert level(told(requests=GONE), "HTTP-ERROR-RATIO") is Level.UNKNOWN


def test_latency_above_all_buckets_is_not_called_fast() -> None:
    assert level(told(latency_p95=0.5, latency_max=0.5), "HTTP-LATENCY-P95") is Level.UNKNOWN
    found, _ = judged(told(latency_p95=10, latency_max=10))
    assert found["HTTP-LATENCY-P95"].level is Level.CRITICAL
    assert found["HTTP-LATENCY-P95"].summary == "P95 latency is at least 10.0 s over the last 5 minutes"


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (10, 10, Level.OK),
        (2.9, 1, Level.OK),
        (3.1, 1, Level.WARNING),
        (1, 3.1, Level.WARNING),
        (0, 1, Level.CRITICAL),
        (1, 0, Level.CRITICAL),
    ],
)
def test_traffic_is_compared_with_last_week_both_ways(now: float, before: float, expected: Level) -> None:
    assert level(told(hourly_rate=now, hourly_rate_last_week=before), "HTTP-REQUEST-RATE-CHANGE") is expected


def test_a_handful_of_requests_in_either_week_is_no_change() -> None:
    assert "too few to compare" in reasons(told(hourly_rate=0, hourly_rate_last_week=0.005))


def test_the_first_week_is_a_gap() -> None:
    assert "nothing is known of the same hour a week ago" in reasons(told(hourly_rate_last_week=GONE))


@pytest.mark.parametrize(
    ("value", "share", "expected"),
    [
        (0.95, 0.95, Level.OK),
        (95, 0.95, Level.OK),
        (1, 1, Level.OK),
        (0.89, 0.89, Level.WARNING),
        (42, 0.42, Level.WARNING),
        (0, 0, Level.WARNING),
        (101, None, Level.UNKNOWN),
        (-1, None, Level.UNKNOWN),
    ],
)
def test_a_cache_that_counts_to_100_is_read_as_one_that_counts_to_1(
    value: float, share: float | None, expected: Level
) -> None:
    finding = judged(told(cache_hit_ratio=value))[0]["CACHE-HIT-RATIO"]
    assert (finding.observed, finding.level) == (share, expected)


def test_metrics_that_the_profile_does_not_have_are_gaps_by_their_names() -> None:
    none = replace(GOOD, profile="lean", values={})
    found, gaps = judged(none)
    wanted = ("error ratio", "latency p95", "request rate", "hourly rate", "cache hit ratio", "active workers")
    assert {gap.reason for gap in gaps} == {
        f"{name}: the profile lean has no metric for it" for name in (*wanted, "queue depth")
    }
    assert {finding.level for finding in found.values()} == {Level.OK}


def test_a_target_that_is_down_is_critical_and_named() -> None:
    found, _ = judged(monitored(targets=(UP, DOWN)))
    assert found["METRICS-TARGET-DOWN"].level is Level.CRITICAL
    assert found["METRICS-TARGET-DOWN"].summary == "1 of 2 scrape targets of the application down"
    evidence = found["METRICS-TARGET-DOWN"].evidence
    assert evidence is not None
    assert evidence.rows == (("atom", "10.0.0.2:8000"),)


def test_an_absent_target_is_unknown() -> None:
    assert level(monitored(targets=GONE), "METRICS-TARGET-DOWN") is Level.UNKNOWN


def test_numbers_of_two_jobs_are_a_warning_unless_a_selector_chose_them() -> None:
    both = monitored(targets=(UP, ScrapeTarget("billing", "10.0.0.9:80", up=True)))
    assert level(both, "METRICS-JOBS-MIXED") is Level.WARNING
    assert "atom, billing" in judged(both)[0]["METRICS-JOBS-MIXED"].summary
    assert 'job="atom"' in reasons(monitored(selector='job="atom"'))


def test_warnings_of_prometheus_count_and_information_does_not() -> None:
    assert level(monitored(warnings=("a store is missing",)), "METRICS-WARNINGS") is Level.WARNING
    finding = judged(monitored(infos=("metric might not be a counter",)))[0]["METRICS-WARNINGS"]
    assert finding.level is Level.OK
    assert finding.evidence is not None
    assert finding.evidence.rows == (("information", "metric might not be a counter"),)


@pytest.mark.parametrize(
    ("offset", "expected", "words"),
    [
        (-59, Level.OK, "behind ours"),
        (-61, Level.WARNING, "behind ours"),
        (3600, Level.CRITICAL, "1 hour ahead of ours"),
    ],
)
def test_a_clock_that_is_off_is_judged_both_ways(offset: float, expected: Level, words: str) -> None:
    finding = judged(monitored(clock_offset=offset))[0]["METRICS-CLOCK-SKEW"]
    assert finding.level is expected
    assert words in finding.summary


def test_without_prometheus_what_only_it_knows_is_a_gap() -> None:
    found, gaps = judged(SCRAPED)
    assert {finding.level for finding in found.values()} == {Level.OK}
    assert len(gaps) == 5
    assert all("Prometheus" in gap.reason for gap in gaps)
