import os
from pathlib import Path

import pytest

from atomops.probes.logs.files import find, skipped
from tests.users import public_folder, unprivileged

SINCE = 1_000_000.0


def write(path: Path, changed: float = SINCE + 1) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(path.name)
    os.utime(path, (changed, changed))
    return path


def found(*configured: Path) -> list[str]:
    families, _ = find(list(configured), SINCE)
    return [file.path.name for family in families for file in family]


def reasons(*configured: Path) -> list[tuple[str, str]]:
    _, refused = find(list(configured), SINCE)
    return [(file.kind, file.reason) for file in refused]


def test_rotated_siblings_are_found_the_oldest_first(tmp_path: Path) -> None:
    names = ["atom.log.2.gz", "atom.log.1", "atom.log-20261123", "atom.log.2026-11-23.gz", "atom-2026-11-23.log"]
    for age, name in enumerate([*names, "atom.log"]):
        write(tmp_path / name, SINCE + age)
    assert found(tmp_path / "atom.log") == [*names, "atom.log"]


def test_files_that_only_look_alike_are_left_alone(tmp_path: Path) -> None:
    for name in (
        "atom.log",
        "atom.log.swp",
        "atom.log.lock",
        "atom.log.bak",
        "atom.logs",
        "atom2.log",
        "atom-worker.log",
    ):
        write(tmp_path / name)
    assert found(tmp_path / "atom.log") == ["atom.log"]


def test_a_sibling_last_written_before_the_window_is_not_read_but_the_log_itself_is(tmp_path: Path) -> None:
    write(tmp_path / "atom.log", SINCE - 100)
    write(tmp_path / "atom.log.1", SINCE - 200)
    assert found(tmp_path / "atom.log") == ["atom.log"]


def test_no_file_is_read_twice(tmp_path: Path) -> None:
    log, rotated = write(tmp_path / "atom.log"), write(tmp_path / "atom.log.1")
    (tmp_path / "current").symlink_to(log)
    (tmp_path / "again.log").hardlink_to(rotated)
    assert sorted(found(log, rotated, log, tmp_path / "current", tmp_path / "again.log")) == ["atom.log", "atom.log.1"]


def test_glob_characters_in_a_name_are_only_characters(tmp_path: Path) -> None:
    write(tmp_path / "atom[1].log")
    write(tmp_path / "atom1.log")
    write(tmp_path / "atom[1].log.1")
    assert sorted(found(tmp_path / "atom[1].log")) == ["atom[1].log", "atom[1].log.1"]


def test_a_pattern_stands_for_every_log_that_it_matches(tmp_path: Path) -> None:
    write(tmp_path / "api.log")
    write(tmp_path / "worker.log")
    assert found(tmp_path / "*.log") == ["api.log", "worker.log"]
    assert reasons(tmp_path / "*.txt") == [("missing", "does not exist")]
    assert reasons(tmp_path / "a**") == [("missing", "does not exist")]


def test_what_is_no_log_file_is_named_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling.log").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.log")
    assert reasons(tmp_path / "folder") == [("other", "is a directory")]
    assert reasons(tmp_path / "dangling.log") == [("missing", "is a link that leads nowhere")]
    assert reasons(tmp_path / "pipe.log") == [("other", "is not a regular file")]
    assert reasons(tmp_path / "absent.log") == [("missing", "does not exist")]
    assert reasons(write(tmp_path / "atom.log") / "below") == [("missing", "does not exist")]
    assert reasons(tmp_path / ("x" * 300))[0][0] == "other"


def test_a_missing_log_does_not_hide_its_rotated_siblings(tmp_path: Path) -> None:
    write(tmp_path / "atom.log.1")
    assert found(tmp_path / "atom.log") == ["atom.log.1"]
    assert reasons(tmp_path / "atom.log") == [("missing", "does not exist")]


def test_a_sibling_packed_in_a_way_that_is_not_read_is_named(tmp_path: Path) -> None:
    write(tmp_path / "atom.log")
    write(tmp_path / "atom.log.1.zst")
    assert reasons(tmp_path / "atom.log") == [("other", "is packed as .zst, which is not read")]


def test_a_log_that_we_may_not_read_says_so() -> None:
    with public_folder() as folder, unprivileged():
        log = write(folder / "atom.log")
        log.chmod(0)
        with pytest.raises(PermissionError) as denied:
            log.open("rb")
    reason = skipped(log, denied.value)
    assert (reason.kind, reason.reason) == ("denied", "may not be read by this user")
    assert reason.action == f"setfacl -m u:$(id -un):r {log}"


def test_a_folder_that_we_may_not_list_does_not_hide_that_rotated_logs_are_unseen() -> None:
    with public_folder() as folder, unprivileged():
        log = write(folder / "own" / "atom.log")
        log.parent.chmod(0o300)
        assert found(log) == ["atom.log"]
        assert reasons(log) == [("denied", "may not be listed by this user, so that rotated logs are not seen")]
        log.parent.chmod(0o700)
