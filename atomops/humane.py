"""Numbers as people say them: 1.4 GiB, 12 minutes, 35 ms."""

import datetime as dt
import math
from collections.abc import Callable

import humanize

_SHORTEST = 0.0001  # seconds
_LONGEST = 3e10  # seconds: a thousand years, which no calendar needs to know
_EXACT = 1e15  # beyond, a float has no whole digits to show
_FEW_DIGITS = 1_000  # below, decimals tell something


def size(number: float) -> str:
    """Bytes, in binary units."""
    return humanize.naturalsize(number, binary=True)


def span(seconds: float) -> str:
    """A length of time in its two largest units; milliseconds below a second."""
    if abs(seconds) >= _LONGEST:
        return f"{seconds:.3g} s"
    if 0 < abs(seconds) < _SHORTEST:
        return "less than 0.1 ms"
    if abs(seconds) < 1:
        return f"{seconds * 1000:.3g} ms"
    if abs(seconds) < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{seconds:.1f} s"
    rounded = dt.timedelta(seconds=round(seconds / 60) * 60)
    largest = "minutes" if abs(seconds) < 86_400 else "hours"  # noqa: PLR2004 - seconds in a day
    return humanize.precisedelta(rounded, minimum_unit=largest, format="%0.0f")


def plural(number: int, noun: str) -> str:
    """A number with its noun as English wants it: "no indexes", "1 replica", "3 queries"."""
    if number == 1:
        return f"1 {noun}"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        many = f"{noun[:-1]}ies"
    else:
        many = noun + ("es" if noun.endswith(("x", "s", "ch")) else "s")
    return f"{number:,} {many}" if number else f"no {many}"


def quantity(value: float | None, unit: str) -> str:
    """A measured value or a limit with its unit, as a report shows it; nothing for None."""
    if value is None:
        return ""
    if not math.isfinite(value):
        return f"{value:g} {unit}".strip()
    phrase = _PHRASES.get(unit)
    if phrase is not None:
        return phrase(value)
    whole = float(value).is_integer() or abs(value) >= _FEW_DIGITS
    number = f"{value:,.0f}" if whole and abs(value) < _EXACT else f"{value:,.4g}"
    return f"{number} {unit if value != 1 else unit.removesuffix('es' if unit.endswith('xes') else 's')}"


_PHRASES: dict[str, Callable[[float], str]] = {
    "": lambda value: f"{value:,.4g}",
    "s": span,
    "bytes": size,
    "bytes/day": lambda value: f"{size(value)} a day",
    "bytes/s": lambda value: f"{size(value)} a second",
    "ratio": lambda value: f"{100 * value:.3g} %",
}
