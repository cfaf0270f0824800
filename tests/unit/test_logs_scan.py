import gzip
import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from atomops.probes.logs import pieces
from atomops.probes.logs.scan import scan
from tests.unit.log_lines import NOW, REQUEST, ago, counts, read_bytes, record


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
