import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from atomops.commands import promql
from atomops.profiles import load_profile
from atomops.profiles.profile import Counter, Gauge, Histogram

PLAIN = Counter(kind="counter", name="atom_http_errors_total")
CHOSEN = Counter(kind="counter", name="http_requests_total", match={"status": "5.."}, exclude={"endpoint": "/health.*"})
LATENCY = Histogram(kind="histogram", name="atom_latency_seconds")


def test_every_rate_is_a_sum_over_all_series() -> None:
    assert promql.rate(PLAIN, "5m") == "sum(rate(atom_http_errors_total[5m]))"
    assert promql.rate(PLAIN, "5m", 'job="atom"') == 'sum(rate(atom_http_errors_total{job="atom"}[5m]))'
    assert promql.increase(PLAIN, "90s") == "sum(increase(atom_http_errors_total[90s]))"


def test_last_week_is_an_offset_of_the_range() -> None:
    assert promql.rate(PLAIN, "1h", offset="1w") == "sum(rate(atom_http_errors_total[1h] offset 1w))"


def test_a_selection_without_series_is_0_only_where_the_counter_has_the_label() -> None:
    assert promql.rate(CHOSEN, "5m", 'job="atom"') == (
        '(sum(rate(http_requests_total{status=~"5..",endpoint!~"/health.*",job="atom"}[5m]))'
        ' or 0 * sum(rate(http_requests_total{status!="",job="atom"}[5m])))'
    )


def test_the_quantile_is_over_the_rate_of_buckets_by_le() -> None:
    assert promql.quantile(0.95, LATENCY, "5m") == (
        "histogram_quantile(0.95, sum by (le) (rate(atom_latency_seconds_bucket[5m])))"
    )


def test_a_gauge_is_combined_and_scaled_as_the_profile_says() -> None:
    gauge = Gauge(kind="gauge", name="governance_cache_hit_rate", combine="avg", scale=0.01)
    assert promql.gauge(gauge) == "avg(governance_cache_hit_rate) * 0.01"


def test_scrape_targets_are_those_of_the_application() -> None:
    lately = "atom_http_errors_total or atom_http_errors_total offset 1h or atom_http_errors_total offset 1d"
    assert promql.is_exported(PLAIN) == f"count({lately})"
    assert promql.scrape_targets(PLAIN) == f"up and on (job) group by (job) ({lately})"
    assert promql.scrape_targets(PLAIN, 'job="atom"') == 'up{job="atom"}'
    assert promql.scrape_targets(PLAIN, 'cluster="eu"').startswith('up{cluster="eu"} and on (job)')


@pytest.mark.parametrize(
    ("extra", "named"),
    [('job="atom"', True), ('a="b", job=~"x"', True), ('job != "x"', True), ('kube_job="atom"', False), ("", False)],
)
def test_a_selector_names_the_job_only_by_the_label_job(extra: str, named: bool) -> None:  # noqa: FBT001 - a table
    assert promql.names_job(extra) is named


@pytest.mark.parametrize("name", ["atom", "guide"])
def test_the_built_in_profiles_ask_for_traffic_errors_and_latency(name: str) -> None:
    asked = promql.queries(load_profile(name).metrics, "5m")
    wanted = {"requests", "request_rate", "hourly_rate", "hourly_rate_last_week", "error_ratio", "latency_p95"}
    assert wanted <= asked.keys()
    assert ("cache_hit_ratio" in asked) is (name == "guide")


def test_a_metric_of_another_kind_is_not_asked_for_as_a_rate() -> None:
    assert "requests" not in promql.queries({"requests": LATENCY}, "5m")


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])) | st.just("two\nlines"))
def test_any_label_pattern_reads_back_from_its_quotes(text: str) -> None:
    pattern = re.escape(text)
    written = promql.selector(Counter(kind="counter", name="x", match={"label": pattern}))
    assert json.loads(written.removeprefix("x{label=~").removesuffix("}")) == pattern


@pytest.mark.parametrize(
    "wrong", [{"name": "no spaces"}, {"name": "x} or up{"}, {"match": {"a-b": "x"}}, {"match": {"status": "5("}}]
)
def test_a_profile_with_an_impossible_name_or_pattern_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Counter.model_validate({"kind": "counter", "name": "x", **wrong})
