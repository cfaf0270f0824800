"""A set on a real disk, damaged in every way, and read again."""

import hashlib
import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from atomops.errors import AccessDenied, AtomOpsError, TimedOut, Unreachable
from atomops.facts.backup import Manifest, StoredFile
from atomops.stores import checksums
from atomops.stores.checksums import verify
from atomops.stores.local import LocalStore
from tests.backup_sets import FILES, manifest, prepared

SET = manifest()


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "backups", "production")
    store.publish(prepared(store.staging(SET.id)), SET)
    return store


def test_a_set_as_it_was_written_has_no_problem(store: LocalStore) -> None:
    assert verify(store, SET) == ()


def test_of_60_random_flipped_bits_60_are_found(store: LocalStore) -> None:
    chance = random.Random(20261124)  # noqa: S311 - which bits flip need not be secret, but the same every time
    found = [_verified_with_a_flipped_bit(store, chance) for _ in range(60)]

    assert [problem for problem, _ in found] == [
        (f"{path} has changed: its SHA-256 is another one",) for _, path in found
    ]
    assert {path for _, path in found} == set(FILES)
    assert verify(store, SET) == ()


def _verified_with_a_flipped_bit(store: LocalStore, chance: random.Random) -> tuple[tuple[str, ...], str]:
    path = chance.choice(sorted(FILES))
    place = store.folder(SET.id) / path
    whole = place.read_bytes()
    damaged = bytearray(whole)
    damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
    place.write_bytes(damaged)
    try:
        return verify(store, SET), path
    finally:
        place.write_bytes(whole)


def test_every_problem_is_named_in_the_order_of_the_manifest(store: LocalStore) -> None:
    folder = store.folder(SET.id)
    (folder / "data" / "toc.dat").unlink()
    os.truncate(folder / "data" / "1.dat", 1_000)
    (folder / "roles.sql").write_bytes(FILES["roles.sql"] + b"\n")

    assert verify(store, SET) == (
        "data/toc.dat is missing",
        "data/1.dat is truncated: 1,000 of 4,000 bytes are left",
        "roles.sql is longer than the 15 bytes that were written",
    )


def test_a_set_that_has_gone_lacks_every_file(store: LocalStore) -> None:
    store.remove(SET.id)

    assert len(verify(store, SET)) == len(FILES)


def test_a_manifest_without_files_is_no_intact_set(store: LocalStore) -> None:
    assert verify(store, replace(SET, files=())) == (f"the manifest of {SET.id} names no file",)


def test_what_is_no_file_cannot_be_read(store: LocalStore) -> None:
    (store.folder(SET.id) / "roles.sql").unlink()
    (store.folder(SET.id) / "roles.sql").mkdir()

    assert verify(store, SET) == ("roles.sql cannot be read (Is a directory)",)


def test_many_large_files_are_read_side_by_side_and_each_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = _large_set(tmp_path / "made", files=9, size=3_000_000)
    store = _Watched(LocalStore(tmp_path / "backups", "production"))
    store.publish(tmp_path / "made", made)
    monkeypatch.setattr(checksums, "_CHUNK", 4_096)

    assert verify(store, made) == ()

    assert sorted(store.opened) == sorted(file.path for file in made.files)
    assert 1 < len(store.threads) <= checksums.THREADS


def test_a_stopped_reading_says_how_far_it_came_and_is_not_intact(tmp_path: Path) -> None:
    made = _large_set(tmp_path / "made", files=3, size=5_000_000)
    store = LocalStore(tmp_path / "backups", "production")
    store.publish(tmp_path / "made", made)
    asked = iter([False] * 9 + [True] * 99)

    with pytest.raises(TimedOut, match=rf"1 of 3 files of {made.id} could be read"):
        verify(store, made, threads=1, stop=lambda: next(asked))


def test_a_reading_that_is_stopped_before_its_first_file_is_not_intact(store: LocalStore) -> None:
    with pytest.raises(TimedOut, match="0 of 3 files"):
        verify(store, SET, stop=lambda: True)


def test_a_problem_that_was_found_is_told_even_when_the_time_is_over(store: LocalStore) -> None:
    (store.folder(SET.id) / "data" / "toc.dat").unlink()
    asked = iter([False] + [True] * 99)

    assert verify(store, SET, threads=1, stop=lambda: next(asked)) == ("data/toc.dat is missing",)


class _Watched(LocalStore):
    """A real store that notes who opens what, and may fail on the way as a network does."""

    def __init__(self, store: LocalStore, failure: Exception | None = None) -> None:
        super().__init__(Path(store.name), store.home.name)
        self.opened: list[str] = []
        self.threads: set[int] = set()
        self.failure = failure

    @contextmanager
    def _open(self, path: Path) -> Iterator[BinaryIO]:
        self.opened.append(str(path.relative_to(self.home).relative_to(path.relative_to(self.home).parts[0])))
        self.threads.add(threading.get_ident())
        if self.failure is not None and path.name == "roles.sql":
            raise self.failure
        with super()._open(path) as stream:
            yield stream


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (Unreachable("the store hangs up"), Unreachable),
        (PermissionError(13, "Permission denied"), AccessDenied),
    ],
)
def test_what_cannot_be_reached_is_no_problem_of_the_set(
    store: LocalStore, failure: Exception, expected: type[AtomOpsError]
) -> None:
    watched = _Watched(store, failure)

    with pytest.raises(expected):
        verify(watched, SET)

    (store.folder(SET.id) / "data" / "toc.dat").unlink()
    assert verify(watched, SET) == ("data/toc.dat is missing",)


def _large_set(folder: Path, files: int, size: int) -> Manifest:
    folder.mkdir()
    chance = random.Random(1)  # noqa: S311 - any bytes will do
    stored = []
    for number in range(files):
        text = chance.randbytes(size)
        (folder / f"{number}.dat").write_bytes(text)
        stored.append(StoredFile(f"{number}.dat", size, hashlib.sha256(text).hexdigest()))
    return replace(SET, files=tuple(stored))
