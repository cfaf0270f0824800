import math
from itertools import accumulate, pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from atomops.facts.scrapes import (
    PROCESS_START,
    Page,
    Sample,
    has_requests,
    histogram_quantile,
    increase,
    quantile,
    values,
)
from atomops.profiles import load_profile
from atomops.profiles.profile import Counter, Gauge, Histogram, Metric
from atomops.verdict import Unseen

REQUESTS = Counter(kind="counter", name="requests_total", exclude={"endpoint": "/health.*"})
ERRORS = Counter(kind="counter", name="requests_total", match={"status": "5.."}, exclude={"endpoint": "/health.*"})
LATENCY = Histogram(kind="histogram", name="seconds")

counts = st.lists(st.integers(0, 1000), min_size=2, max_size=8)
shares = st.floats(0.01, 1)


def page(*lines: tuple[str, float, dict[str, str]]) -> Page:
    return tuple(Sample(name, labels, value) for name, value, labels in lines)


def requests(ok: float, failed: float | None = None, health: float = 0) -> Page:
    lines = [
        ("requests_total", ok, {"endpoint": "/a", "status": "200"}),
        ("requests_total", health, {"endpoint": "/health/live", "status": "503"}),
    ]
    return page(*lines, *([("requests_total", failed, {"endpoint": "/a", "status": "500"})] if failed else []))


def histogram(*cumulative: float, bounds: tuple[str, ...] = ("0.1", "0.5", "1", "+Inf")) -> Page:
    return page(*(("seconds_bucket", count, {"le": le}) for le, count in zip(bounds, cumulative, strict=True)))


def buckets(each: list[int]) -> list[tuple[float, float]]:
    bounds = [0.1 * 2**place for place in range(len(each) - 1)] + [math.inf]
    return list(zip(bounds, accumulate(each), strict=True))


@given(counts, shares)
def test_a_quantile_lies_within_its_bucket(each: list[int], share: float) -> None:
    assume(sum(each) > 0)
    drawn = buckets(each)
    value = histogram_quantile(share, drawn)
    assert value is not None
    place = next(place for place, (_, count) in enumerate(drawn) if count >= share * sum(each))
    upper = drawn[place][0] if math.isfinite(drawn[place][0]) else drawn[-2][0]
    lower = drawn[place - 1][0] if place else 0
    assert lower <= value <= upper * (1 + 1e-12)


@given(counts, shares, shares)
def test_a_larger_share_never_has_a_smaller_quantile(each: list[int], one: float, other: float) -> None:
    assume(sum(each) > 0)
    smaller, larger = (histogram_quantile(share, buckets(each)) for share in sorted((one, other)))
    assert smaller is not None
    assert larger is not None
    assert smaller <= larger * (1 + 1e-12)


@given(counts, st.data())
def test_requests_that_become_slower_never_make_the_quantile_better(each: list[int], data: st.DataObject) -> None:
    assume(sum(each) > 0)
    fast, slow = sorted(data.draw(st.lists(st.integers(0, len(each) - 1), min_size=2, max_size=2)))
    slower = list(each)
    slower[fast], slower[slow] = 0, slower[slow] + slower[fast]
    slower = each if fast == slow else slower
    better, worse = histogram_quantile(0.95, buckets(each)), histogram_quantile(0.95, buckets(slower))
    assert better is not None
    assert worse is not None
    assert worse >= better - 1e-9


@given(counts)
def test_the_order_of_buckets_does_not_matter(each: list[int]) -> None:
    assert str(histogram_quantile(0.9, reversed(buckets(each)))) == str(histogram_quantile(0.9, buckets(each)))


def test_a_quantile_in_the_last_bucket_is_the_largest_finite_bound() -> None:
    assert histogram_quantile(0.95, [(0.1, 1), (0.5, 1), (math.inf, 10)]) == 0.5


@pytest.mark.parametrize(
    "incomplete",
    [[], [(math.inf, 5)], [(0.1, 5), (0.5, 9)], [(math.nan, 3), (math.inf, 5)], [(math.inf, 1), (math.nan, 5)]],
)
def test_no_whole_histogram_has_no_quantile(incomplete: list[tuple[float, float]]) -> None:
    assert histogram_quantile(0.95, incomplete) is None


def test_negative_bounds_do_not_interpolate_from_0() -> None:
    assert histogram_quantile(0.5, [(-1.0, 10), (math.inf, 10)]) == -1


def test_counts_that_fall_from_bucket_to_bucket_are_made_to_rise() -> None:
    assert histogram_quantile(1, [(0.1, 5), (0.5, 4), (math.inf, 5)]) == 0.1


@given(st.lists(st.floats(0, 1e9), min_size=2, max_size=6))
def test_growth_adds_up_over_many_scrapes(seen: list[float]) -> None:
    rising = sorted(seen)
    steps = [increase(requests(one), requests(other), REQUESTS) for one, other in pairwise(rising)]
    assert all(isinstance(step, float) for step in steps)
    assert math.fsum(step for step in steps if not isinstance(step, Unseen)) == pytest.approx(rising[-1] - rising[0])


def test_a_series_that_appeared_between_the_scrapes_counts_from_0() -> None:
    assert increase(requests(10), requests(10, failed=3), ERRORS) == 3


@pytest.mark.parametrize("first", [requests(50), requests(10, failed=2)])
def test_a_counter_that_fell_or_vanished_makes_the_change_unknown(first: Page) -> None:
    grown = increase(first, requests(20), REQUESTS)
    assert isinstance(grown, Unseen)
    assert "a restart, or replicas" in grown.reason


def test_scrapes_of_two_processes_are_not_compared_even_when_all_grew() -> None:
    first, second = ((*requests(ok), Sample(PROCESS_START, {}, start)) for ok, start in ((10, 1000.0), (90, 2000.0)))
    grown = increase(first, second, REQUESTS)
    assert isinstance(grown, Unseen)
    assert "different processes" in grown.reason


def test_an_absent_counter_is_unknown_and_a_silent_one_is_0() -> None:
    assert isinstance(increase((), (), REQUESTS), Unseen)
    assert increase(requests(5), requests(5), ERRORS) == 0
    assert increase(requests(5), requests(9), ERRORS) == 0


def test_a_label_that_the_exporter_does_not_have_is_unknown_and_not_free_of_errors() -> None:
    renamed = page(("requests_total", 7, {"endpoint": "/a", "code": "500"}))
    grown = increase(renamed, renamed, ERRORS)
    assert isinstance(grown, Unseen)
    assert "with the label status" in grown.reason


def test_health_requests_are_not_the_users() -> None:
    metrics: dict[str, Metric] = {"requests": REQUESTS, "errors": ERRORS}
    found = values(requests(10, health=0), requests(20, failed=10, health=500), 5, metrics)
    assert found == {"requests": 20, "request_rate": 4, "error_ratio": 0.5}


@pytest.mark.parametrize("label", ["endpoint", "exported_endpoint"])
def test_the_atom_profile_knows_health_requests_by_either_name_of_the_label(label: str) -> None:
    metrics = load_profile("atom").metrics
    probed, used = (
        page(("http_requests_total", 50, {label: path, "status": "503"})) for path in ("/health/ready", "/a")
    )
    assert values((), probed, 5, metrics)["requests"] == 0
    assert values((), used, 5, metrics)["requests"] == 50


def test_no_requests_have_no_ratio_and_no_quantile() -> None:
    metrics: dict[str, Metric] = {"requests": REQUESTS, "errors": ERRORS, "latency": LATENCY}
    still = requests(10) + histogram(1, 2, 3, 4)
    found = values(still, still, 5, metrics)
    assert found["requests"] == 0
    for name in ("error_ratio", "latency_p95", "latency_max"):
        assert isinstance(found[name], Unseen), name


def test_a_profile_without_errors_still_counts_requests() -> None:
    found = values(requests(10), requests(20), 5, {"requests": REQUESTS})
    assert found == {"requests": 10, "request_rate": 2}


def test_an_error_counter_that_nobody_exports_is_unknown_and_not_free_of_errors() -> None:
    metrics: dict[str, Metric] = {"requests": REQUESTS, "errors": Counter(kind="counter", name="errors_total")}
    missing = values(requests(10), requests(20), 5, metrics)["error_ratio"]
    assert isinstance(missing, Unseen)
    assert missing.reason == "the metrics page has no errors_total"


def test_a_page_is_known_by_the_counter_of_requests() -> None:
    assert has_requests(requests(1), {"requests": REQUESTS})
    assert not has_requests(requests(1), {"requests": Counter(kind="counter", name="other_total")})
    assert not has_requests(requests(1), {})


def test_the_quantile_is_that_of_the_requests_between_the_scrapes() -> None:
    slow_past, fast_now = histogram(0, 0, 0, 1000), histogram(100, 100, 100, 1100)
    assert quantile(0.95, slow_past, fast_now, LATENCY) == pytest.approx(0.095)


def test_an_unreadable_bound_is_unknown() -> None:
    odd = histogram(1, 2, 3, 4, bounds=("0.1", "many", "1", "+Inf"))
    assert isinstance(quantile(0.95, odd, odd, LATENCY), Unseen)


@pytest.mark.parametrize(("combine", "value"), [("sum", 60), ("avg", 20), ("min", 10), ("max", 30)])
def test_series_of_a_gauge_are_combined_and_scaled(combine: str, value: float) -> None:
    gauge = Gauge.model_validate({"kind": "gauge", "name": "g", "combine": combine, "scale": 10})
    found = values((), page(*(("g", each, {"pod": str(each)}) for each in (1, 2, 3))), 5, {"depth": gauge})
    assert found == {"depth": value}


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_a_gauge_that_is_no_number_is_unknown(odd: float) -> None:
    found = values((), page(("g", odd, {})), 5, {"depth": Gauge(kind="gauge", name="g")})
    assert isinstance(found["depth"], Unseen)


def test_an_absent_gauge_is_unknown() -> None:
    guide = load_profile("guide")
    found = values((), (), 5, guide.metrics)
    assert all(isinstance(value, Unseen) for value in found.values())
    assert {"cache_hit_ratio", "queue_depth", "active_workers"} <= found.keys()
