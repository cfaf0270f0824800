"""Times as logs write them, as seconds since 1970."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

KEYS = ("timestamp", "time", "ts", "@timestamp", "asctime", "datetime")
PLAIN = rb"\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?[+-]\d\d:?\d\d|Z)?)\]?"
_AT_LINE_START = re.compile(PLAIN)
_NUMBER = re.compile(r"\d+(\.\d+)?")
_EARLIEST, _LATEST = 1e8, 1e11  # 1973 to the year 5138: a number outside is no time, but an uptime, say
_UNITS = (1.0, 1e-3, 1e-6, 1e-9)  # seconds, milliseconds, microseconds, nanoseconds


def epoch(value: object, zone: dt.tzinfo) -> float | None:
    """Seconds since 1970 of an ISO time or of an epoch number in s, ms, us or ns; None for anything else.

    A time without an offset is one of `zone`.
    """
    if isinstance(value, str):
        return _of_number(float(value)) if _NUMBER.fullmatch(value) else _of_text(value, zone)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _of_number(value)
    return None


def _of_text(text: str, zone: dt.tzinfo) -> float | None:
    try:
        moment = dt.datetime.fromisoformat(text.strip().replace(" +", "+").replace(" -", "-"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError):
        return None


def _of_number(number: float) -> float | None:
    for unit in _UNITS:
        if _EARLIEST <= number * unit < _LATEST:
            return number * unit
    return None


def of_record(record: Mapping[str, Any], zone: dt.tzinfo) -> float | None:
    """The time of a JSON record."""
    for key in KEYS:
        if (moment := epoch(record.get(key), zone)) is not None:
            return moment
    return None


def of_plain(line: bytes, zone: dt.tzinfo) -> float | None:
    """The time at the start of a plain line."""
    found = _AT_LINE_START.match(line)
    return epoch(found[1].decode(), zone) if found else None
