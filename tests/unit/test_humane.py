import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.humane import quantity

units = st.sampled_from(["", "s", "bytes", "bytes/day", "ratio", "%", "tables"])


@given(st.floats(), units)
def test_any_number_has_a_phrase(value: float, unit: str) -> None:
    assert quantity(value, unit)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (None, "s", ""),
        (0.0312, "s", "31.2 ms"),
        (7_200, "s", "2 hours"),
        (15.2e9, "bytes", "14.2 GiB"),
        (0.925, "ratio", "92.5 %"),
        (1, "tables", "1 table"),
        (130_800_000.4, "transactions", "130,800,000 transactions"),
        (5.7261, "requests/s", "5.726 requests/s"),
        (math.inf, "s", "inf s"),
        (1e12, "s", "1e+12 s"),
        (1e300, "rows", "1e+300 rows"),
    ],
)
def test_numbers_are_said_as_people_say_them(value: float | None, unit: str, expected: str) -> None:
    assert quantity(value, unit) == expected
