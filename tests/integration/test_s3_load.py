"""Sets as large and as many-filed as real ones, and processes that are killed over them."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from s3transfer.utils import ChunksizeAdjuster

from atomops.stores.s3.address import CONNECTIONS
from atomops.stores.s3.bucket import PART
from tests.backup_sets import manifest
from tests.s3_proxy import Fault, Proxy, Request, proxy
from tests.store_places import Prefix
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow(40)

SET = manifest()
FILES = 1_100  # more than one page of a listing, and more than one request to delete
LARGE = 200_000_000  # more than MEMORY
MEMORY = 150 << 20  # bytes, of a whole process


def _large(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    with (folder / "data/1.dat").open("wb") as file:
        file.truncate(LARGE)
    return folder


def _publishing(s3_place: Prefix, url: str, folder: Path) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-m", "tests.publishing", url, s3_place.prefix, str(folder), str(LARGE)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_more_than_a_thousand_files_are_published_and_removed(s3_place: Prefix, tmp_path: Path) -> None:
    sizes = {f"data/{number}.dat": number for number in range(FILES)}
    folder = tmp_path / "made"
    (folder / "data").mkdir(parents=True)
    for path, size in sizes.items():
        (folder / path).write_bytes(b"x" * size)
    store = s3_place.store

    store.publish(folder, manifest(sizes=sizes))
    assert len(s3_place.paths()) == FILES + 1
    store.remove(SET.id)

    assert s3_place.paths() == set()


def _together(far: Proxy, method: str) -> None:
    """From now on a request for a file passes only when as many others as can be under way have arrived."""
    arrived: set[str] = set()

    def come(path: str) -> None:
        arrived.add(path)
        wait_until(lambda: len(arrived) >= CONNECTIONS // 2, "others beside it")

    far.fault = lambda request: (
        Fault(before=lambda: come(request.path)) if request.method == method and "/data/" in request.path else None
    )


def test_files_are_uploaded_and_removed_side_by_side(s3_place: Prefix, tmp_path: Path) -> None:
    sizes = {f"data/{number}.dat": 1 for number in range(100)}
    folder = tmp_path / "made"
    (folder / "data").mkdir(parents=True)
    for path in sizes:
        (folder / path).write_bytes(b"x")

    with proxy(s3_place.server.url) as far:
        store = s3_place.by(far.url)
        _together(far, "PUT")
        store.publish(folder, manifest(sizes=sizes))
        _together(far, "DELETE")
        store.remove(SET.id)


def test_a_large_file_takes_little_memory(s3_place: Prefix, tmp_path: Path) -> None:
    child = _publishing(s3_place, s3_place.server.url, _large(tmp_path / "made"))
    out, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 0, err.decode()
    assert int(out) < MEMORY

    with s3_place.store.open(SET.id, "data/1.dat") as stream:
        read = sum(len(piece) for piece in iter(lambda: stream.read(1 << 20), b""))
    assert read == LARGE


def test_a_killed_upload_is_never_a_set_and_is_swept(s3_place: Prefix, tmp_path: Path) -> None:
    with proxy(s3_place.server.url) as slow:
        parts: list[Request] = []
        over = threading.Event()

        def hold(request: Request) -> Fault | None:
            if "partNumber=" in request.query:
                parts.append(request)
                if len(parts) > 2:
                    return Fault(before=over.wait, cut_request_after=0)
            return None

        slow.fault = hold
        child = _publishing(s3_place, slow.url, _large(tmp_path / "made"))
        wait_until(lambda: len(parts) >= 4 or child.poll() is not None, "four parts under way")
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        over.set()

    assert s3_place.unfinished() == [f"{SET.id}/data/1.dat"]
    listing = s3_place.store.listing()
    assert (listing.sets, listing.unreadable) == ((), ())

    swept = s3_place.store.sweep(dt.timedelta(0))

    assert set(swept) == {f"{SET.id}/data/1.dat (never finished)", SET.id}
    assert s3_place.unfinished() == []
    assert s3_place.paths() == set()


@pytest.mark.parametrize("size", [PART, 10_000 * PART, 10_000 * PART + 1, 5 << 40])
def test_no_file_that_s3_can_hold_needs_more_parts_than_s3_allows(size: int) -> None:
    part = ChunksizeAdjuster().adjust_chunksize(PART, size)

    assert -(-size // part) <= 10_000
    assert part <= 5 << 30  # bytes, of the largest part
