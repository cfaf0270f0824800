import datetime as dt
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from atomops.errors import PermanentError
from atomops.reports.report import Report
from atomops.stores.history import keep_facts, keep_report, last_report, load_facts
from atomops.verdict import Level, Unseen
from tests.samples import NINE, finding, report_of

FORK = multiprocessing.get_context("fork")  # what is imported here is there at once
NOBODY = 65534
HOME = Path("production") / "morning-checklist"


@dataclass(frozen=True)
class Seen:
    at: dt.datetime
    sizes: Mapping[str, float]
    names: tuple[str, ...] | Unseen


SEEN = Seen(NINE, {"atom": 1.5, "gone": float("inf")}, ("a", "ö"))


def report_at(at: dt.datetime, level: Level = Level.OK) -> Report:
    return report_of(finding(level=level), at=at)


def last(folder: Path) -> tuple[Report | None, list[str]]:
    return last_report(folder, "production", "morning-checklist")


def test_the_newest_report_is_the_last_one(tmp_path: Path) -> None:
    for days in (3, 1, 2):
        keep_report(tmp_path, report_at(NINE + dt.timedelta(days=days)), "<html>")
    found, notes = last(tmp_path)
    assert found is not None
    assert found.started_at == NINE + dt.timedelta(days=3)
    assert notes == []


def test_of_two_reports_in_one_second_the_later_one_is_the_last(tmp_path: Path) -> None:
    for milliseconds in (500, 100, 300):
        at = NINE + dt.timedelta(milliseconds=milliseconds)
        keep_report(tmp_path, report_at(at, Level.CRITICAL if milliseconds == 500 else Level.OK), "<html>")
    found, _ = last(tmp_path)
    assert found is not None
    assert found.level is Level.CRITICAL


def test_a_report_lies_beside_its_page_under_a_name_that_sorts_by_time(tmp_path: Path) -> None:
    path = keep_report(tmp_path, report_at(NINE), "<html>ö")
    assert path.parent == tmp_path / HOME
    assert path.name.startswith("20261124T080005.400000Z-")
    assert path.with_suffix(".html").read_text(encoding="utf-8") == "<html>ö"


def test_without_any_history_there_is_no_report_and_nothing_to_say(tmp_path: Path) -> None:
    assert last(tmp_path) == (None, [])
    assert load_facts(tmp_path, "production", Seen) == (None, [])


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (b"", "not a report"),
        (b"\x00" * 100, "not a report"),
        (b'{"schema": 1, "flow": "morn', "not a report"),
        (b'{"schema": 99}', "a report of schema 99, not 1"),
    ],
)
def test_a_report_that_cannot_be_read_is_passed_over_and_said(tmp_path: Path, damage: bytes, complaint: str) -> None:
    keep_report(tmp_path, report_at(NINE), "<html>")
    damaged = keep_report(tmp_path, report_at(NINE + dt.timedelta(days=1)), "<html>")
    damaged.write_bytes(damage)
    found, notes = last(tmp_path)
    assert found is not None
    assert found.started_at == NINE
    assert len(notes) == 1
    assert complaint in notes[0]
    assert str(damaged) in notes[0]


def test_files_of_others_are_neither_read_nor_pruned(tmp_path: Path) -> None:
    home = tmp_path / HOME
    home.mkdir(parents=True)
    for name in ("00000000Z-notes.txt", "zzzZ-1.json", "README.md"):
        (home / name).write_text("mine", encoding="utf-8")
    keep_report(tmp_path, report_at(NINE), "<html>")
    assert last(tmp_path)[1] == []
    assert len(list(home.iterdir())) == 5


def test_reports_older_than_four_hundred_days_go(tmp_path: Path) -> None:
    old = keep_report(tmp_path, report_at(NINE - dt.timedelta(days=401)), "<html>")
    young = keep_report(tmp_path, report_at(NINE - dt.timedelta(days=399)), "<html>")
    keep_report(tmp_path, report_at(NINE), "<html>")
    assert not old.exists()
    assert not old.with_suffix(".html").exists()
    assert young.exists()
    assert young.with_suffix(".html").exists()


def test_what_a_killed_run_left_goes_after_an_hour_and_what_is_being_written_stays(tmp_path: Path) -> None:
    home = tmp_path / HOME
    home.mkdir(parents=True)
    abandoned, busy = home / ".a.json.1.partial", home / ".b.json.2.partial"
    abandoned.touch()
    busy.touch()
    os.utime(abandoned, (0, 0))
    keep_report(tmp_path, report_at(NINE), "<html>")
    assert not abandoned.exists()
    assert busy.exists()


def test_facts_come_back_as_they_were(tmp_path: Path) -> None:
    keep_facts(tmp_path, "production", SEEN)
    assert load_facts(tmp_path, "production", Seen) == (SEEN, [])
    unseen = Seen(NINE, {}, Unseen("permission denied", "GRANT pg_monitor TO atom_reader"))
    keep_facts(tmp_path, "production", unseen)
    assert load_facts(tmp_path, "production", Seen) == (unseen, [])


def test_facts_are_for_their_owner_only(tmp_path: Path) -> None:
    keep_facts(tmp_path, "production", SEEN)
    assert (tmp_path / "production" / "facts").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", [b"", b"\xff\x00", b'{"at": "2026-', b'{"at": 1}', b"[]"])
def test_facts_that_cannot_be_read_are_passed_over_and_said(tmp_path: Path, damage: bytes) -> None:
    keep_facts(tmp_path, "production", SEEN)
    (tmp_path / "production" / "facts" / "Seen.json").write_bytes(damage)
    facts, notes = load_facts(tmp_path, "production", Seen)
    assert facts is None
    assert len(notes) == 1
    assert "Seen.json" in notes[0]
    assert "\n" not in notes[0]


def test_facts_that_no_json_can_hold_are_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="what was seen cannot be written"):
        keep_facts(tmp_path, "production", Seen(NINE, {}, ("\ud800",)))


def test_a_history_that_is_no_folder_is_named_when_read_and_when_written(tmp_path: Path) -> None:
    place = tmp_path / "history"
    place.write_text("a file", encoding="utf-8")
    found, notes = last(place)
    assert found is None
    assert "Not a directory" in notes[0]
    assert "Not a directory" in load_facts(place, "production", Seen)[1][0]
    with pytest.raises(PermanentError, match=r"the history .*/history/production/morning-checklist cannot be written"):
        keep_report(place, report_at(NINE), "<html>")
    with pytest.raises(PermanentError, match="set `history` to a folder that this user may write"):
        keep_facts(place, "production", SEEN)


def read_and_write_as_nobody(folder: Path, say: Connection) -> None:
    if os.getuid() == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    said = last(folder)[1]
    try:
        keep_report(folder, report_at(NINE), "<html>")
    except PermanentError as error:
        said.append(str(error))
    say.send(said)


def test_a_folder_that_we_may_not_enter_is_named_when_read_and_when_written() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / HOME).mkdir(parents=True)
        (folder / HOME).chmod(0)
        hear, say = FORK.Pipe(duplex=False)
        child = FORK.Process(target=read_and_write_as_nobody, args=(folder, say))
        child.start()
        assert hear.poll(30)
        read, written = hear.recv()
        child.join()
        (folder / HOME).chmod(0o700)
    assert "cannot be read (Permission denied): check its path, owner and mode" in read
    assert "cannot be written (Permission denied): free some space, or set `history`" in written


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_is_an_error_with_the_folder_and_leaves_the_last_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_report(tmp_path, report_at(NINE), "<html>")
    really_open = Path.open
    monkeypatch.setattr(
        Path,
        "open",
        lambda path, *mode: (
            really_open(Path("/dev/full"), "wb") if path.suffix == ".partial" else really_open(path, *mode)
        ),
    )
    with pytest.raises(PermanentError, match="cannot be written \\(No space left on device\\): free some space"):
        keep_report(tmp_path, report_at(NINE + dt.timedelta(days=1)), "<html>")
    monkeypatch.undo()
    found, notes = last(tmp_path)
    assert found is not None
    assert (found.started_at, notes) == (NINE, [])
    assert not list((tmp_path / HOME).glob(".*"))


def test_two_runs_at_once_keep_all_their_reports(tmp_path: Path) -> None:
    def keep() -> None:
        for _ in range(10):
            keep_report(tmp_path, report_at(NINE), "<html>")
            keep_facts(tmp_path, "production", SEEN)

    runs = [threading.Thread(target=keep) for _ in range(4)]
    for each in runs:
        each.start()
    for each in runs:
        each.join()
    assert len(list((tmp_path / HOME).glob("*.json"))) == 40
    assert last(tmp_path)[1] == []
    assert load_facts(tmp_path, "production", Seen) == (SEEN, [])


def keep_on(folder: Path, start: int, say: Connection) -> None:
    for number in count(start):
        at = NINE + dt.timedelta(seconds=number)
        keep_report(folder, report_of(finding(summary="x" * 50_000), at=at), "<html>" * 10_000)
        keep_facts(folder, "production", Seen(at, {str(size): 1.0 for size in range(2_000)}, ()))
        say.send(number)


def test_a_run_that_is_killed_at_any_moment_leaves_the_old_or_the_new_state(tmp_path: Path) -> None:
    for attempt in range(20):
        hear, say = FORK.Pipe(duplex=False)
        child = FORK.Process(target=keep_on, args=(tmp_path, attempt * 100_000, say))
        child.start()
        assert hear.poll(30)
        time.sleep(attempt * 0.0013)  # another moment each time
        child.kill()
        child.join()
        done = 0
        while hear.poll():
            done = hear.recv()
        report, notes = last(tmp_path)
        facts, noted = load_facts(tmp_path, "production", Seen)
        assert notes == noted == []
        assert report is not None
        assert facts is not None
        seconds = {(moment - NINE).total_seconds() for moment in (report.started_at, facts.at)}
        assert seconds <= {done, done + 1}
