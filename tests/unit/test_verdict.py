import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.verdict import Evidence, Level, Limit, NotSeen, Unseen, known, worst

bounds = st.floats(-1e9, 1e9)
limits = st.tuples(bounds, bounds, st.sampled_from(["higher", "lower"])).map(
    lambda drawn: (
        Limit(min(drawn[:2]), max(drawn[:2]), "higher")
        if drawn[2] == "higher"
        else Limit(max(drawn[:2]), min(drawn[:2]), "lower")
    )
)


@given(limits, st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_a_worse_value_never_gets_a_better_level(limit: Limit, one: float, other: float) -> None:
    better, worse = sorted((one, other), reverse=limit.worse == "lower")
    assert limit.judge(worse).rank >= limit.judge(better).rank


@given(limits)
def test_what_is_not_a_number_is_unknown_whatever_the_limit(limit: Limit) -> None:
    assert limit.judge(None) is Level.UNKNOWN
    assert limit.judge(math.nan) is Level.UNKNOWN


@given(st.lists(st.sampled_from(Level)))
def test_a_whole_with_an_unknown_part_is_never_ok(levels: list[Level]) -> None:
    assert worst([*levels, Level.UNKNOWN]).rank >= Level.UNKNOWN.rank


def test_nothing_at_all_is_unknown() -> None:
    assert worst([]) is Level.UNKNOWN


def test_unknown_ranks_between_warning_and_critical() -> None:
    assert Level.OK.rank < Level.WARNING.rank < Level.UNKNOWN.rank < Level.CRITICAL.rank


@pytest.mark.parametrize(
    ("limit", "value", "level"),
    [
        (Limit(80, 95), 79.9, Level.OK),
        (Limit(80, 95), 80, Level.WARNING),
        (Limit(80, 95), 95, Level.CRITICAL),
        (Limit(80, 95), math.inf, Level.CRITICAL),
        (Limit(30, 7, "lower"), 30, Level.OK),
        (Limit(30, 7, "lower"), 29.9, Level.WARNING),
        (Limit(30, 7, "lower"), 6.9, Level.CRITICAL),
        (Limit(critical=1), 0, Level.OK),
        (Limit(critical=1), 1, Level.CRITICAL),
        (Limit(), 1e12, Level.OK),
    ],
)
def test_a_higher_bound_is_bad_when_reached_and_a_lower_one_when_undercut(
    limit: Limit, value: float, level: Level
) -> None:
    assert limit.judge(value) is level


@pytest.mark.parametrize(("warning", "critical", "worse"), [(2, 1, "higher"), (1, 2, "lower")])
def test_bounds_out_of_order_are_refused(warning: float, critical: float, worse: str) -> None:
    with pytest.raises(ValueError, match="is reached before warning"):
        Limit(warning, critical, worse)  # type: ignore[arg-type]


def test_an_unseen_part_ends_the_check_with_its_reason() -> None:
    assert known((1, 2)) == (1, 2)
    with pytest.raises(NotSeen, match="no grant"):
        known(Unseen("no grant", "GRANT pg_monitor TO reader"))


def test_an_empty_cell_stands_for_none() -> None:
    assert Evidence.of(["a", "b"], [[1, None]]) == Evidence(("a", "b"), (("1", ""),))
