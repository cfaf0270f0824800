import datetime as dt
import gzip
import json
import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomops.probes.logs import bisect, pieces
from atomops.probes.logs.scan import Answer, Request, scan

NOW = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
REQUEST = Request((), NOW.timestamp() - 86_400, NOW.timestamp(), "UTC")
BAD = {"error", "critical", "fatal"}


def ago(hours: float) -> str:
    return (NOW - dt.timedelta(hours=hours)).isoformat()


def record(level: str, text: str, hours: float = 1, **more: object) -> bytes:
    return json.dumps({"level": level, "message": text, "timestamp": ago(hours), **more}).encode() + b"\n"


def read_bytes(folder: Path, content: bytes, request: Request = REQUEST) -> Answer:
    log = folder / "atom.log"
    log.write_bytes(content)
    os.utime(log, (NOW.timestamp(), NOW.timestamp()))
    return scan(replace(request, paths=(str(log),)))


def counts(answer: Answer) -> dict[str, int]:
    return {group.code or group.pattern: group.count for group in answer.tally.groups.values()}


def test_the_three_shapes_and_their_tracebacks_are_counted(tmp_path: Path) -> None:
    answer = read_bytes(
        tmp_path,
        record("INFO", "entered critical section")
        + b"ERROR:api.health:Database check failed\nTraceback (most recent call last):\n  x\nKeyError: 3\n\n"
        + record("ERROR", "no connection to 10.0.0.3", error_code="DB_1")
        + b'{"event":"fell over","level":"critical","timestamp":"' + ago(1).encode() + b'"}\n'
        + f"{ago(2)[:19]},123 ERROR core.llm: no answer in 5 s\n".encode()
        + f"{ago(2)[:19]} - core.llm - ERROR - no answer in 7 s\n".encode()
        + f"{ago(2)[:19]} - core.llm - INFO - ERROR 5 is over\n".encode()
    )  # fmt: skip
    assert counts(answer) == {
        "Database check failed [KeyError]": 1,
        "DB_1": 1,
        "fell over": 1,
        "no answer in <n> s": 2,
    }
    assert answer.tally.totals == {"ERROR": 4, "CRITICAL": 1}
    assert (answer.tally.lines, answer.tally.not_json, answer.tally.unreadable) == (11, 8, 0)


def test_a_line_without_a_time_has_that_of_the_one_before(tmp_path: Path) -> None:
    answer = read_bytes(
        tmp_path,
        record("INFO", "old", 30) + b"ERROR:a:old\n" + record("INFO", "young", 2) + b"ERROR:a:young\n"
        + b'{"level":"error","message":"young too"}\n',
    )  # fmt: skip
    assert counts(answer) == {"young": 1, "young too": 1}
    assert {group.last for group in answer.tally.groups.values()} == {NOW.timestamp() - 7_200}
    assert answer.tally.undated == 0


def test_times_out_of_order_are_judged_one_by_one(tmp_path: Path) -> None:
    hours = [1, 30, 2, 25, 0.5, 23.9, 24.1]
    answer = read_bytes(tmp_path, b"".join(record("error", f"x{'y' * i}", hour) for i, hour in enumerate(hours)))
    assert sum(counts(answer).values()) == 4
    assert answer.tally.newest == NOW.timestamp() - 1_800


def test_a_log_without_any_time_counts_by_its_last_change(tmp_path: Path) -> None:
    answer = read_bytes(tmp_path, b"INFO:a:hello\nERROR:a:failed\n")
    assert counts(answer) == {"failed": 1}
    assert answer.tally.undated == 1
    assert answer.tally.newest == NOW.timestamp()
    os.utime(tmp_path / "atom.log", (NOW.timestamp() - 90_000,) * 2)
    assert counts(scan(replace(REQUEST, paths=(str(tmp_path / "atom.log"),)))) == {}


def test_times_without_offset_are_those_of_the_zone(tmp_path: Path) -> None:
    content = b"2026-11-23 09:30:00,000 ERROR a: 23.5 h ago in UTC\n"
    assert sum(counts(read_bytes(tmp_path, content)).values()) == 1
    assert counts(read_bytes(tmp_path, content, replace(REQUEST, zone="Europe/Berlin"))) == {}


def test_records_of_the_future_are_counted_and_do_not_pass_for_the_newest(tmp_path: Path) -> None:
    tally = read_bytes(tmp_path, record("error", "early", -1) + record("info", "now", 0.1)).tally
    assert tally.totals == {"ERROR": 1}
    assert (tally.furthest, tally.newest) == (NOW.timestamp() + 3_600, NOW.timestamp() - 360)


@pytest.mark.parametrize("end", [b'{"level":"error","mess', b'{"level":"error","message":"caf\xc3', b'{"level":"inf'])
def test_a_last_line_that_is_being_written_is_neither_error_nor_unreadable(tmp_path: Path, end: bytes) -> None:
    answer = read_bytes(tmp_path, record("error", "whole") + end)
    assert counts(answer) == {"whole": 1}
    assert answer.tally.unreadable == 0
    assert answer.files[0].unfinished


def test_a_whole_last_line_without_newline_counts(tmp_path: Path) -> None:
    answer = read_bytes(tmp_path, record("error", "whole").rstrip())
    assert counts(answer) == {"whole": 1}
    assert not answer.files[0].unfinished


def test_unreadable_lines_are_counted_once_and_hide_no_error(tmp_path: Path) -> None:
    broken = [b'{"level":"error","mess\n', b'{"level":"info","x":1\n', b"\xff\xfe\x00garbage\n", b"\0" * 5_000 + b"\n"]
    latin = b'{"level":"error","message":"caf\xe9","timestamp":"' + ago(1).encode() + b'"}\n'
    answer = read_bytes(tmp_path, record("info", "x") + b"".join(broken) + latin + record("error", "last"))
    assert counts(answer) == {"caf�": 1, "last": 1}
    assert answer.tally.unreadable == 5


def test_unreadable_lines_before_the_window_do_not_count(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, record("info", "old", 30) + b'{"level":\n' + record("info", "x")).tally.unreadable == 0


def test_a_byte_order_mark_or_blanks_hide_no_error(tmp_path: Path) -> None:
    assert counts(read_bytes(tmp_path, b"\xef\xbb\xbf" + record("error", "x") + b"  " + record("error", "y"))) == {
        "x": 1,
        "y": 1,
    }


@pytest.mark.parametrize(
    ("line", "levelled"),
    [
        (record("info", "x"), 1),
        (b"INFO:a:x\n", 1),
        (b"2026-11-24 08:00:00 - a - INFO - x\n", 1),
        (b'{"log":"{\\"level\\":\\"error\\"}","stream":"stderr"}\n', 0),
        (b'10.0.0.3 - - [24/Nov/2026:08:00:00 +0000] "GET / HTTP/1.1" 500 0\n', 0),
    ],
)
def test_a_log_of_an_unknown_shape_is_recognised_as_such(tmp_path: Path, line: bytes, levelled: int) -> None:
    assert read_bytes(tmp_path, line).tally.levelled == levelled


def test_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    content = record("error", "x") + b"ERROR:a:y\nTraceback (most recent call last):\nKeyError\n" + record("info", "z")
    answer = read_bytes(tmp_path, content.replace(b"\n", b"\r\n"))
    assert counts(answer) == {"x": 1, "y [KeyError]": 1}
    assert answer.tally.unreadable == 0


def test_an_empty_file_is_read_and_says_nothing(tmp_path: Path) -> None:
    answer = read_bytes(tmp_path, b"")
    assert (answer.tally.lines, answer.tally.newest, len(answer.files)) == (0, None, 1)


def test_a_line_longer_than_a_piece_is_judged_whole(tmp_path: Path) -> None:
    content = record("error", "x " * pieces.PIECE) + record("error", "next")
    assert sum(counts(read_bytes(tmp_path, content)).values()) == 2


def test_of_a_line_longer_than_can_be_judged_the_next_is_not_lost(tmp_path: Path) -> None:
    endless = b'{"level":"info","message":"' + b"x" * (pieces.LONGEST + 3 * pieces.PIECE) + b'"}\n'
    answer = read_bytes(tmp_path, record("info", "x") + endless + record("error", "next"))
    assert counts(answer) == {"next": 1}
    assert answer.tally.unreadable == 1
    assert answer.tally.lines == 3


def test_a_traceback_is_never_cut_from_its_record(tmp_path: Path) -> None:
    one = b"ERROR:a:failed\nTraceback (most recent call last):\n" + b"  x\n" * 50 + b"KeyError: 3\n"
    answer = read_bytes(tmp_path, record("info", "x") + one * (3 * pieces.PIECE // len(one)))
    assert list(counts(answer)) == ["failed [KeyError]"]


def test_rotated_and_packed_siblings_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "atom.log.1").write_bytes(record("error", "rotated") + record("error", "old", 50))
    (tmp_path / "atom.log.2.gz").write_bytes(gzip.compress(record("error", "packed") + b"ERROR:a:undated\n"))
    answer = read_bytes(tmp_path, record("error", "current"))
    assert counts(answer) == {"rotated": 1, "packed": 1, "undated": 1, "current": 1}


@pytest.mark.parametrize(
    "damage", [lambda packed: packed[:-20], lambda _: b"no gzip at all", lambda p: p[:12] + b"\xff" * 30]
)
def test_a_damaged_packed_file_is_named_and_hides_nothing_else(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    packed = gzip.compress(random.Random(1).randbytes(5_000))  # noqa: S311 - not for secrets
    (tmp_path / "atom.log.1.gz").write_bytes(damage(packed))
    answer = read_bytes(tmp_path, record("error", "current"))
    assert counts(answer) == {"current": 1}
    assert [(file.path, file.kind) for file in answer.skipped] == [(str(tmp_path / "atom.log.1.gz"), "other")]


def test_ever_new_errors_do_not_grow_without_bound(tmp_path: Path) -> None:
    words = (f"{a}{b}{c}" for a in "ghijklmnop" for b in "ghijklmnop" for c in "ghijklmnopqrst")
    tally = read_bytes(tmp_path, b"".join(record("error", word) for word in words)).tally
    assert (len(tally.groups), tally.ungrouped, tally.totals) == (1_000, 400, {"ERROR": 1_400})


LEVELS = st.sampled_from(["info", "ERROR", "error", "Critical", "WARNING", "fatal", "debug"])
LINES = st.one_of(
    st.builds(record, LEVELS, st.text(max_size=30), st.floats(0, 48)),
    st.builds(lambda text: text.encode("utf-8", "replace") + b"\n", st.text(max_size=30)),
    st.builds(lambda level, text: f"{level.upper()}:core:{text!a}\n".encode(), LEVELS, st.text(max_size=10)),
    st.builds(lambda data: data.replace(b"\n", b"") + b"\n", st.binary(max_size=20)),
    st.just(b"Traceback (most recent call last):\n  x\nKeyError: 1\n"),
)


def naive(content: bytes) -> Counter[str]:
    """The same by parsing every line, one after the other."""
    found: Counter[str] = Counter()
    moment = _first_time(content)
    for line in content.split(b"\n"):
        level, own = _level_and_time(line)
        moment = own or moment
        if level and (moment or NOW) >= NOW - dt.timedelta(hours=24):
            found[level] += 1
    return found


def _first_time(content: bytes) -> dt.datetime | None:
    return next((own for line in content.split(b"\n") if (own := _level_and_time(line)[1])), None)


def _level_and_time(line: bytes) -> tuple[str, dt.datetime | None]:
    try:
        parsed = json.loads(line)
        own = dt.datetime.fromisoformat(parsed["timestamp"])
    except (ValueError, TypeError, KeyError):
        first = line.split(b":")[0].decode(errors="replace")
        return (first if first in {"ERROR", "CRITICAL", "FATAL"} and b":" in line else ""), None
    return (parsed["level"].upper() if parsed["level"].lower() in BAD else ""), own


@settings(deadline=None, max_examples=150)
@given(st.lists(LINES, max_size=30), st.integers(1, 3))
def test_counts_are_those_of_parsing_every_line(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], repeat: int
) -> None:
    content = b"".join(lines) * repeat
    answer = read_bytes(tmp_path_factory.mktemp("naive"), content)
    assert answer.tally.totals == naive(content)
    assert answer.tally.lines == content.count(b"\n")
    assert sum(group.count for group in answer.tally.groups.values()) == answer.tally.totals.total()


@settings(deadline=None)
@given(
    st.one_of(
        st.binary(),
        st.lists(st.sampled_from([b"\n", b'{"level":"error"', b"}", b"ERROR:", b"\0", b"\xff"]), max_size=40).map(
            b"".join
        ),
    )
)
def test_no_bytes_whatever_break_the_scan(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "atom.log.1.gz").write_bytes(content)
    (folder / "atom.log.2.gz").write_bytes(gzip.compress(content))
    tally = read_bytes(folder, content).tally
    assert tally.unreadable <= 3 * (content.count(b"\n") + 1)


def day(records: int, step: float, jitter: float = 0) -> bytes:
    source = random.Random(records)  # noqa: S311 - not for secrets
    times = sorted(48 - step * index + source.uniform(-jitter, jitter) for index in range(records))
    return b"".join(
        record("error" if index % 7 == 0 else "info", "x" * (index % 90), hours) + b"ERROR:a:b\n" * (index % 5 == 0)
        for index, hours in enumerate(reversed(times))
    )


@pytest.mark.parametrize("jitter", [0, 0.4])
def test_bisecting_finds_the_same_errors_as_reading_all(tmp_path: Path, jitter: float) -> None:
    content = day(20_000, 48 / 20_000, jitter)
    whole = read_bytes(tmp_path, content, replace(REQUEST, small=len(content)))
    bisected = read_bytes(tmp_path, content, replace(REQUEST, small=0))
    assert bisected.files[0].start > len(content) // 3
    assert counts(bisected) == counts(whole)
    assert bisected.tally.newest == whole.tally.newest


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.floats(0, 72), st.integers(0, 3_000)), min_size=1, max_size=300))
def test_bisecting_never_loses_an_error_of_a_sorted_file(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[float, int]]
) -> None:
    ordered = sorted(lines, reverse=True)
    content = b"".join(record("error", "x" * size, hours) for hours, size in ordered)
    folder = tmp_path_factory.mktemp("bisect")
    assert counts(read_bytes(folder, content, replace(REQUEST, small=0))) == counts(read_bytes(folder, content))


def test_a_large_file_that_is_not_in_order_is_read_whole(tmp_path: Path) -> None:
    content = day(20_000, 48 / 20_000)
    half = content.find(b"\n", len(content) // 2) + 1
    answer = read_bytes(tmp_path, content[half:] + content[:half], replace(REQUEST, small=0))
    assert answer.files[0].start == 0


def test_shares_of_the_work_add_up_to_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "BLOCK", 50_000)
    content = record("info", "x", 40) + day(5_000, 48 / 5_000) + b"\xff\n" * 10 + b'{"level":"err'
    whole = read_bytes(tmp_path, content, replace(REQUEST, small=0)).tally
    parts = [
        read_bytes(tmp_path, content, replace(REQUEST, small=0, share=share, shares=3)).tally for share in range(3)
    ]
    assert [part.lines > 0 for part in parts] == [True] * 3
    for name in ("lines", "not_json", "unreadable", "bytes"):
        assert sum(getattr(part, name) for part in parts) == getattr(whole, name), name
    assert sum((part.totals for part in parts), Counter()) == whole.totals


def test_a_record_starts_where_its_block_says_whoever_asks(tmp_path: Path) -> None:
    log = tmp_path / "atom.log"
    log.write_bytes(day(300, 0.1))
    size = log.stat().st_size
    with log.open("rb", buffering=0) as opened:
        starts = {bisect.record_start(opened, offset, size) for offset in range(0, size, 37)}
        for start in starts - {size}:
            opened.seek(max(start - 1, 0))
            assert start == 0 or opened.read(1) == b"\n"
