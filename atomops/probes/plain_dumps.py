"""The files that the guide's own script leaves (`pg_dump | gzip`): read to their ends, and never touched."""

import datetime as dt
import gzip
import os
import re
import stat
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from atomops.errors import TimedOut
from atomops.facts.backup_stores import PlainDump, PlainDumps
from atomops.verdict import Unseen

NEWEST = 5  # those that somebody would restore
_NAME = re.compile(r"backup_(\d{8}_\d{6})\.sql(\.gz)?")
_CHUNK = 1 << 20  # bytes in memory
_TAIL = 4_096  # bytes; the footer and what patched clients write after it are below 200
_FOOTER = re.compile(
    rb"^-- PostgreSQL database (cluster )?dump complete[ \t\r]*\n(([ \t\r]|--[ \t\r]*|\\unrestrict \w+[ \t\r]*)?\n)*\Z",
    re.MULTILINE,
)
_AT_WORK = 120  # seconds; a file that was written to so lately may still grow


def look(folder: Path, zone: ZoneInfo, *, stop: Callable[[], bool] = lambda: False) -> PlainDumps | Unseen:
    """The newest five, by their names, read to their ends; the others counted. Blocks, until `stop` says so.

    A folder that is not there has none. A file that could not be read is unseen by itself.
    """
    try:
        found = sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), reverse=True)
    except FileNotFoundError:
        return PlainDumps()
    except OSError as error:
        return Unseen(f"{folder} cannot be read ({error.strerror})", "let this user list the folder")
    sizes = [_size(path) for path in found]
    return PlainDumps(len(found), sum(sizes), tuple(_look(path, zone, stop) for path in found[:NEWEST]))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _look(path: Path, zone: ZoneInfo, stop: Callable[[], bool]) -> PlainDump:
    try:
        status = path.stat()
    except OSError as error:
        return PlainDump(str(path), _named(path, zone, 0), 0, is_public=False, problem=_unreadable(error))
    return PlainDump(
        path=str(path),
        at=_named(path, zone, status.st_mtime),
        bytes=status.st_size,
        is_public=_is_public(path, status.st_mode),
        problem=_problem(path, status, stop),
    )


def _named(path: Path, zone: ZoneInfo, otherwise: float) -> dt.datetime:
    """The time in its name, which a copy keeps; a number that is no date leaves the time of its last change."""
    matched = _NAME.fullmatch(path.name)
    try:
        named = dt.datetime.strptime(matched[1] if matched else "", "%Y%m%d_%H%M%S")  # noqa: DTZ007 - the zone follows
    except ValueError:
        return dt.datetime.fromtimestamp(otherwise, dt.UTC)
    return named.replace(tzinfo=zone).astimezone(dt.UTC)


def _is_public(path: Path, mode: int) -> bool:
    """A file that anybody may read, in folders that anybody may walk through."""
    return bool(mode & stat.S_IROTH) and all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)


def _problem(path: Path, status: os.stat_result, stop: Callable[[], bool]) -> str | Unseen:
    if not stat.S_ISREG(status.st_mode):
        return Unseen("it is no file", "see who made it")
    try:
        problem = _damage(path, stop)
    except TimedOut as error:
        return Unseen(error.what, error.action)
    except OSError as error:
        return _unreadable(error)
    if problem and abs(time.time() - status.st_mtime) < _AT_WORK:
        return Unseen(
            f"it may still be being written ({problem})", "see whether its pg_dump still runs, and look again"
        )
    return problem


def _unreadable(error: OSError) -> Unseen:
    return Unseen(f"it cannot be read ({error.strerror or error})", "let this user read it")


def _damage(path: Path, stop: Callable[[], bool]) -> str:
    """What is wrong with the file, or "". Raises OSError and TimedOut."""
    try:
        size, tail = _unpacked(path, stop) if path.suffix == ".gz" else _plain(path)
    except EOFError:
        return "truncated: it ends in the middle of its gzip stream"
    except (gzip.BadGzipFile, zlib.error) as error:
        return f"damaged: {error}"
    if size == 0:
        return "empty: pg_dump failed, and the pipe into gzip hid it"
    return "" if _FOOTER.search(tail) else 'incomplete: it does not end with "PostgreSQL database dump complete"'


def _unpacked(path: Path, stop: Callable[[], bool]) -> tuple[int, bytes]:
    """The size and the end of the text; only a reading to the end compares gzip's checksum."""
    size, tail = 0, b""
    with gzip.open(path) as text:
        while chunk := text.read(_CHUNK):
            size, tail = size + len(chunk), (tail + chunk)[-_TAIL:]
            if stop():
                raise TimedOut(
                    "it could not be read to its end in the time allowed", action="gzip -t takes all it needs"
                )
    return size, tail


def _plain(path: Path) -> tuple[int, bytes]:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        return size, file.read()
