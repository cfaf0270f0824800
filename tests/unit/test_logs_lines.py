import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.probes.logs import times
from atomops.probes.logs.lines import PLAIN_ERROR, ErrorRecord, of_json, of_plain, parse

MOMENT = dt.datetime(2026, 11, 23, 20, 34, 19, 458000, tzinfo=dt.UTC)


def plain(text: str) -> ErrorRecord | None:
    match = PLAIN_ERROR.match(b"\n" + text.encode())
    return match and of_plain(match, b"\n" + text.encode().partition(b"\n")[2], dt.UTC)


@pytest.mark.parametrize(
    ("line", "written", "logger", "text"),
    [
        ("ERROR:api.health_routes:Database failed: x", "ERROR", "api.health_routes", "Database failed: x"),
        ("CRITICAL:root:out of memory", "CRITICAL", "root", "out of memory"),
        ("ERROR:    Exception in ASGI application", "ERROR", None, "Exception in ASGI application"),
        ("2026-11-23 20:34:19,458 ERROR core.llm: no answer", "ERROR", "core.llm", "no answer"),
        ("2026-11-23 20:34:19,458 - core.llm - ERROR - no answer", "ERROR", "core.llm", "no answer"),
        ("2026-11-23 20:34:19 | core.llm | FATAL | no answer", "FATAL", "core.llm", "no answer"),
        ("2026-11-23 20:34:19,458 core.llm ERROR no answer", "ERROR", "core.llm", "no answer"),
        ("2026-11-23T20:34:19.458Z ERROR [core.llm] - no answer", "ERROR", "core.llm", "no answer"),
        ("[2026-11-23 20:34:19 +0000] [17] [ERROR] Worker died", "ERROR", None, "Worker died"),
        ("2026-11-23 20:34:19 [error    ] no answer  agent=3", "ERROR", None, "no answer  agent=3"),
        ("2026-11-23 20:34:19,458 EMERGENCY", "EMERGENCY", None, ""),
    ],
)
def test_a_plain_error_gives_its_level_logger_and_text(line: str, written: str, logger: str | None, text: str) -> None:
    error = plain(line)
    assert error is not None
    assert (error.written, error.logger, error.text.strip()) == (written, logger, text)


@pytest.mark.parametrize(
    "line",
    [
        "INFO:core.audit:ERROR:not really",
        "2026-11-23 20:34:19,458 INFO core: the critical section: ERROR 5",
        "2026-11-23 20:34:19 - core - INFO - ERROR - text",
        "2026-11-23 20:34:19 WARNING ERROR seen",
        "ERRORS:core:plural",
        "Error: from a shell",
        "  ERROR:core:indented, so part of another record",
        "ValueError: ERROR: no",
        '2026-11-23 20:34:19 INFO got {"level":"error","message":"x"}',
        "20:34:19 ERROR without a day is no time that we know",
        "",
    ],
)
def test_a_word_in_a_text_is_no_level(line: str) -> None:
    assert plain(line) is None


def test_a_traceback_names_the_exception_of_its_record() -> None:
    error = plain(
        "ERROR:api:Database health check failed\nTraceback (most recent call last):\n"
        '  File "x.py", line 3, in <module>\n    connect()\n'
        "sqlalchemy.exc.OperationalError: connection to 10.0.0.3 failed\n\tIs the server running?\n"
        "(Background on this error at: https://sqlalche.me/e/20/e3q8)"
    )
    assert error is not None
    assert error.pattern == "Database health check failed [sqlalchemy.exc.OperationalError]"
    assert error.sample.endswith("[sqlalchemy.exc.OperationalError: connection to 10.0.0.3 failed]")


def json_error(line: str, zone: dt.tzinfo = dt.UTC) -> ErrorRecord | None:
    record = parse(line.encode())
    return of_json(record, zone) if record is not None else None


def test_both_json_shapes_are_errors() -> None:
    upper = json_error(
        '{"level":"ERROR","message":"failed","timestamp":"2026-11-23T20:34:19.458+00:00","logger":"a","error_code":"D1"}'
    )
    lower = json_error('{"event":"failed","level":"fatal","timestamp":"2026-11-23T20:34:19.458Z","error_code":7}')
    assert upper == ErrorRecord("ERROR", MOMENT.timestamp(), "D1", "a", "failed")
    assert lower == ErrorRecord("FATAL", MOMENT.timestamp(), "7", None, "failed")


@pytest.mark.parametrize(
    "line",
    [
        '{"level":"info","message":"entered critical section"}',
        r'{"level":"info","message":"got \"level\":\"error\" from x"}',
        '{"level":"info","context":{"level":"error"}}',
        '{"level":40,"message":"x"}',
        '{"level":null}',
        '["level","error"]',
        '{"message":"error"}',
    ],
)
def test_only_the_records_own_level_makes_it_an_error(line: str) -> None:
    assert json_error(line) is None


def test_json_that_only_python_writes_is_read() -> None:
    error = json_error('{"level":"error","score":NaN,"message":"no score"}')
    assert error is not None
    assert error.text == "no score"


def test_a_record_of_odd_types_is_still_an_error() -> None:
    error = json_error('{"level":"Error","message":{"a":[1]},"logger":["x"],"error_code":{},"exception":3}')
    assert error == ErrorRecord("ERROR", None, None, None, '{"a": [1]}')


def test_an_exception_field_tells_errors_of_one_message_apart() -> None:
    line = '{"level":"error","event":"failed","exception":"Traceback (most recent call last):\\n  x\\nKeyError: 3"}'
    error = json_error(line)
    assert error is not None
    assert error.pattern == "failed [KeyError]"


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23T20:34:19.458Z",
        "2026-11-23T20:34:19.458000+00:00",
        "2026-11-23T21:34:19,458+0100",
        "2026-11-23 20:34:19.458 +00:00",
        "2026-11-23T20:34:19.458000999Z",
        1795466059.458,
        1795466059458,
        1795466059458000,
        1795466059458000000,
        "1795466059.458",
        "1795466059458",
    ],
)
def test_every_way_to_write_a_time_is_the_same_moment(value: object) -> None:
    assert times.epoch(value, dt.UTC) == pytest.approx(MOMENT.timestamp(), abs=1e-3)


def test_a_time_without_offset_is_one_of_the_applications_zone() -> None:
    berlin = times.epoch("2026-11-23 21:34:19,458", ZoneInfo("Europe/Berlin"))
    assert berlin == pytest.approx(MOMENT.timestamp())
    assert times.of_plain(b"2026-11-23 21:34:19,458 INFO x", ZoneInfo("Europe/Berlin")) == pytest.approx(berlin)


@pytest.mark.parametrize(
    "value", [None, True, "", "yesterday", "20261123", 12.5, -1, 1e300, float("nan"), [], "9" * 400]
)
def test_what_is_no_time_gives_none(value: object) -> None:
    assert times.epoch(value, dt.UTC) is None


@given(st.one_of(st.text(), st.floats(), st.integers(), st.dates().map(str), st.datetimes().map(str)))
def test_no_value_breaks_the_clock(value: object) -> None:
    moment = times.epoch(value, ZoneInfo("America/New_York"))
    assert moment is None or dt.datetime.fromtimestamp(moment, dt.UTC).year > 0


@given(st.binary(max_size=300))
def test_no_line_breaks_the_parsers(line: bytes) -> None:
    record = parse(line)
    assert record is None or isinstance(record, dict)
    match = PLAIN_ERROR.match(b"\n" + line)
    assert match is None or of_plain(match, line, dt.UTC).pattern is not None
