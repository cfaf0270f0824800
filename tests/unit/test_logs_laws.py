import datetime as dt
import gzip
import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomops.probes.logs import bisect, pieces
from tests.unit.log_lines import NOW, REQUEST, counts, read_bytes, record

BAD = {"error", "critical", "fatal"}
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
    answers = [read_bytes(tmp_path, content, replace(REQUEST, small=0, share=share, shares=3)) for share in range(3)]
    assert [answer.files[0].unfinished for answer in answers].count(True) == 1
    parts = [answer.tally for answer in answers]
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
