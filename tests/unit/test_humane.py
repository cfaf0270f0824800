import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.humane import plural, quantity, span


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 ms"),
        (0.00002, "less than 0.1 ms"),
        (0.0123, "12.3 ms"),
        (1.25, "1.2 s"),
        (90, "2 minutes"),
        (3 * 3600 + 12 * 60, "3 hours and 12 minutes"),
        (40 * 86_400 + 5 * 3600, "1 month, 9 days and 5 hours"),
    ],
)
def test_a_span_is_told_in_its_largest_units(seconds: float, told: str) -> None:
    assert span(seconds) == told


@pytest.mark.parametrize(
    ("number", "noun", "told"),
    [
        (0, "index", "no indexes"),
        (1, "query", "1 query"),
        (3, "query", "3 queries"),
        (2, "key", "2 keys"),
    ],
)
def test_a_noun_stands_in_the_number_that_english_wants(number: int, noun: str, told: str) -> None:
    assert plural(number, noun) == told


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (None, "s", ""),
        (0.0123, "ratio", "1.23 %"),
        (1.4, "s", "1.4 s"),
        (2048, "bytes", "2.0 KiB"),
        (2048, "bytes/day", "2.0 KiB a day"),
        (1234.5, "", "1,234"),
        (1, "indexes", "1 index"),
        (1, "tables", "1 table"),
        (3, "tables", "3 tables"),
        (12.34567, "%", "12.35 %"),
        (130_800_000.4, "transactions", "130,800,000 transactions"),
        (math.inf, "s", "inf s"),
        (1e12, "s", "1e+12 s"),
        (1e300, "rows", "1e+300 rows"),
    ],
)
def test_a_quantity_bears_its_unit(value: float | None, unit: str, told: str) -> None:
    assert quantity(value, unit) == told


@given(st.floats(), st.sampled_from(["", "s", "bytes", "bytes/day", "ratio", "%", "tables"]))
def test_any_number_however_odd_has_a_phrase(value: float, unit: str) -> None:
    assert quantity(value, unit)
