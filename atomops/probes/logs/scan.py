"""The scanner: a program of its own, so that a large log neither blocks nor bloats the process that asks.

`python -m atomops.probes.logs.scan` reads a request (JSON) from stdin and writes what it counted (JSON) to stdout.
Several of them, each with its own `share`, divide the work between processors.
"""

import gzip
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast
from zoneinfo import ZoneInfo

import orjson

from atomops.probes.logs import bisect, pieces
from atomops.probes.logs.files import Candidate, Skipped, find, skipped
from atomops.probes.logs.judge import Clock, Reader, Window
from atomops.probes.logs.tally import Tally

_DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)


@dataclass(frozen=True)
class Request:
    """Which files, which window (seconds since 1970), whose time zone, and which share of the work.

    `marks` tells of a file, by its inode, how large it was when the window began: all beyond counts, whatever its time.
    """

    paths: tuple[str, ...]
    since: float
    now: float
    zone: str
    share: int = 0
    shares: int = 1
    small: int = bisect.SMALL
    marks: Mapping[str, int] | None = None

    @property
    def window(self) -> Window:
        """The window in the application's time zone."""
        return Window(self.since, self.now, ZoneInfo(self.zone))


@dataclass(frozen=True)
class FileSeen:
    """A file that was opened; `unfinished` when its last line was still being written."""

    path: str
    size: int
    start: int
    unfinished: bool


@dataclass(frozen=True)
class Answer:
    """What one share of the work has come to."""

    tally: Tally
    files: list[FileSeen]
    skipped: list[Skipped]


def scan(request: Request) -> Answer:
    """Everything that can be read is counted once; what cannot be read is named. Never raises for a bad file."""
    families, refused = find([Path(path) for path in request.paths], request.since)
    answer = Answer(Tally(), [], refused)
    for file in (file for family in families for file in family):
        try:
            answer.files.append((_packed if file.packed else _plain)(file, request, answer.tally))
        except _DAMAGED as error:
            answer.skipped.append(
                Skipped(
                    str(file.path), "other", f"is damaged ({error})", f"gzip --test {file.path}; errors in it are lost"
                )
            )
        except OSError as error:
            answer.skipped.append(skipped(file.path, error))
    return answer


def _plain(file: Candidate, request: Request, tally: Tally) -> FileSeen:
    window, unfinished = request.window, False
    with file.path.open("rb", buffering=0) as opened:
        marked = (request.marks or {}).get(str(file.inode))
        if marked is not None and marked <= file.size:
            start, window = marked, replace(window, since=0)
        else:  # made, or emptied, since
            start = bisect.start_of_window(opened, file.size, request.since, window.zone, small=request.small)
        for first, last in pieces.shared(start, file.size, request.share, request.shares):
            begin = bisect.record_start(opened, first, file.size) if first > start else start
            end = bisect.record_start(opened, last, file.size) if last < file.size else file.size
            reader = Reader(window, clock_before(opened, begin, file, window), tally)
            unfinished |= _read(reader, pieces.bounded(opened, begin, end))
    return FileSeen(str(file.path), file.size, start, unfinished)


def _packed(file: Candidate, request: Request, tally: Tally) -> FileSeen:
    unfinished = False
    if file.inode % request.shares == request.share:
        with gzip.open(file.path, "rb") as opened:
            reader = Reader(request.window, clock_before(cast("BinaryIO", opened), 0, file, request.window), tally)
            opened.seek(0)
            unfinished = _read(reader, opened)
    return FileSeen(str(file.path), file.size, 0, unfinished)


def clock_before(opened: BinaryIO, begin: int, file: Candidate, window: Window) -> Clock:
    """Set to the line before the first one; without one to the next dated line, or to the file's last change."""
    moment = bisect.before(opened, begin, window.zone)
    if moment is None and (dated := bisect.first_dated(opened, begin, window.zone)):
        moment = dated[1]
    return Clock(file.changed if moment is None else moment, dated=moment is not None)


def _read(reader: Reader, source: pieces.Source) -> bool:
    """Whether the last line of all was still being written."""
    for piece in pieces.pieces(source):
        reader.read(piece)
    return reader.unfinished


def main() -> None:
    """Answer the request on stdin."""
    answer = scan(Request(**orjson.loads(sys.stdin.buffer.read())))
    tally = vars(answer.tally) | {"groups": list(answer.tally.groups.values())}
    sys.stdout.buffer.write(orjson.dumps(vars(answer) | {"tally": tally}))


if __name__ == "__main__":
    main()
