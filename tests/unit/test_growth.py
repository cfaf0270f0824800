import datetime as dt
import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from atomops.facts.capacity import CapacityFacts, FileSystem, Load, Memory, Sample, WatchedPath
from atomops.facts.growth import APART, MOST_SAMPLES, OLDEST, carried, days_to_full, is_long_enough
from atomops.verdict import Unseen

NOW = dt.datetime(2026, 11, 24, 17, tzinfo=dt.UTC)
DISK = FileSystem("/", "fd00", 1000, 400, 500, 100, 90)
SEEN = CapacityFacts(
    at=NOW,
    host="ops-1, where this flow runs",
    source="the operating system",
    paths=(WatchedPath("/var/lib/postgresql", "/"),),
    file_systems=(DISK,),
    past={},
    memory=Memory(16, 8),
    load=Load(1, 4),
)
used = st.floats(0, 1e15)
series = st.lists(
    st.tuples(st.integers(1, 60 * 24 * 30), used), min_size=2, max_size=20, unique_by=lambda pair: pair[0]
)


def samples(points: list[tuple[int, float]]) -> list[Sample]:
    """From minutes and bytes."""
    return [Sample(NOW + dt.timedelta(minutes=minutes), bytes_) for minutes, bytes_ in sorted(points)]


def steady(a_day: float, days: int = 5) -> list[Sample]:
    return [Sample(NOW + dt.timedelta(days=day), 1000 + a_day * day) for day in range(days)]


@pytest.mark.parametrize(("a_day", "expected"), [(10, 50), (500, 1), (1000, 0.5), (0, math.inf), (-10, math.inf)])
def test_the_days_are_what_is_left_by_the_growth_of_a_day(a_day: float, expected: float) -> None:
    assert days_to_full(steady(a_day), 500) == pytest.approx(expected)


@given(series, st.floats(0, 1e15), st.floats(0, 1e12))
def test_faster_growth_never_gives_more_days(points: list[tuple[int, float]], available: float, more: float) -> None:
    slower = samples(points)
    faster = [replace(each, used=each.used + more * (each.at - NOW).total_seconds()) for each in slower]
    assert days_to_full(faster, available) <= days_to_full(slower, available) * (1 + 1e-6)


@given(series, st.floats(0, 1e15), st.floats(0, 1e15))
def test_more_room_never_gives_fewer_days(points: list[tuple[int, float]], one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert days_to_full(samples(points), less) <= days_to_full(samples(points), more)


@given(series, st.floats(0, 1e15))
def test_what_shrinks_is_never_full(points: list[tuple[int, float]], available: float) -> None:
    falling = sorted((bytes_ for _, bytes_ in points), reverse=True)
    assume(falling[0] - falling[-1] > 1e-3 * falling[0])
    shrinking = [replace(each, used=bytes_) for each, bytes_ in zip(samples(points), falling, strict=True)]
    assert days_to_full(shrinking, available) == math.inf


@pytest.mark.parametrize(
    ("hours", "enough"), [([], False), ([0, 24], False), ([0, 1, 23.9], False), ([0, 1, 24], True), ([0, 24, 48], True)]
)
def test_three_samples_over_a_day_make_a_past(hours: list[float], enough: bool) -> None:  # noqa: FBT001 - a column
    assert is_long_enough([Sample(NOW + dt.timedelta(hours=hour), 1) for hour in hours]) is enough


def test_the_last_look_joins_the_past_of_its_file_system() -> None:
    first = carried(SEEN, [DISK], NOW + dt.timedelta(days=1))
    assert first == {"/": (Sample(NOW, 400),)}
    second = carried(replace(SEEN, at=NOW + dt.timedelta(days=1), past=first), [DISK], NOW + dt.timedelta(days=2))
    assert [each.at for each in second["/"]] == [NOW, NOW + dt.timedelta(days=1)]


@pytest.mark.parametrize(
    "other", [replace(DISK, identity="fd01"), replace(DISK, size=2000), replace(DISK, mount="/var")]
)
def test_another_file_system_and_one_of_another_size_begin_anew(other: FileSystem) -> None:
    assert carried(SEEN, [other], NOW + dt.timedelta(days=1)) == {}


@pytest.mark.parametrize("before", [None, replace(SEEN, past=Unseen("Prometheus does not answer"))])
def test_without_an_earlier_look_or_with_one_that_knew_no_past_there_is_none(before: CapacityFacts | None) -> None:
    assert carried(before, [DISK], NOW) == {}


def test_a_clock_that_went_back_leaves_no_sample_of_the_future() -> None:
    assert carried(SEEN, [DISK], NOW - dt.timedelta(hours=1)) == {"/": ()}


@given(st.lists(st.integers(0, 60 * 24), min_size=1, max_size=100))
def test_looks_at_any_pace_leave_a_bounded_past_in_order(pauses: list[int]) -> None:
    seen, at = SEEN, NOW
    for minutes in pauses:
        at += dt.timedelta(minutes=minutes)
        seen = replace(SEEN, at=at, past=carried(seen, [DISK], at))
        assert not isinstance(seen.past, Unseen)
        past = [each.at for each in seen.past.get("/", ())]
        assert len(past) <= MOST_SAMPLES
        assert all(later - earlier >= APART for earlier, later in pairwise(past))
        assert all(at - OLDEST <= each < at for each in past)


def test_looks_every_ten_minutes_still_make_a_past() -> None:
    seen = SEEN
    for look in range(1, 200):
        at = NOW + look * dt.timedelta(minutes=10)
        seen = replace(SEEN, at=at, past=carried(seen, [DISK], at))
    assert not isinstance(seen.past, Unseen)
    assert is_long_enough(seen.past["/"])
