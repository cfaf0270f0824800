"""The scanner of failed logins: a program of its own, so that a large log neither blocks nor bloats who asks.

`python -m atomops.probes.security.login_scan` reads a request (JSON) from stdin and writes what it counted to stdout.
"""

import gzip
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast
from zoneinfo import ZoneInfo

import orjson

from atomops.probes.logs import bisect, pieces
from atomops.probes.logs.files import Candidate, Skipped, find, skipped
from atomops.probes.logs.judge import Clock, Window
from atomops.probes.logs.scan import clock_before
from atomops.probes.security.login_lines import CANDIDATE, FailedLogin, of_application
from atomops.probes.security.postgres_lines import of_postgres

MOST = 5_000  # pairs of account and address, so that memory stays small however many are guessed
_AHEAD = 300  # seconds by which a clock may be ahead
_ZONES = 86_400  # seconds between any two time zones, at most
_DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)


@dataclass(frozen=True)
class Request:
    """Which files of which kind (application, postgres), and which window, in seconds since 1970."""

    paths: tuple[str, ...]
    kind: str
    since: float
    now: float
    zone: str

    @property
    def window(self) -> Window:
        """The window in the application's time zone."""
        return Window(self.since, self.now, ZoneInfo(self.zone))

    @property
    def begin(self) -> float:
        """Where reading begins. The log_timezone of a PostgreSQL may be another than the application's."""
        return self.since - (_ZONES if self.kind == "postgres" else 0)

    @property
    def judge(self) -> "Callable[[bytes, ZoneInfo], FailedLogin | None]":
        """What tells a failed login from any other line."""
        return of_postgres if self.kind == "postgres" else of_application


@dataclass
class Count:
    """What has been found: by account and address the count, the first and the last time; `more` beyond the bound."""

    pairs: dict[tuple[str, str], tuple[int, float, float]] = field(default_factory=dict)
    more: int = 0
    files: int = 0
    skipped: list[Skipped] = field(default_factory=list)

    def add(self, login: FailedLogin, moment: float) -> None:
        """One more, under its account and address."""
        key = (login.account, login.address)
        if key not in self.pairs and len(self.pairs) >= MOST:
            self.more += 1
            return
        count, first, last = self.pairs.get(key, (0, moment, moment))
        self.pairs[key] = (count + 1, min(first, moment), max(last, moment))


def scan(request: Request) -> Count:
    """Every failed login of the window, counted once; a file that cannot be read is named. Never raises for one."""
    families, refused = find([Path(path) for path in request.paths], request.since)
    found = Count(skipped=refused)
    for file in (file for family in families for file in family):
        try:
            (_packed if file.packed else _plain)(file, request, found)
            found.files += 1
        except _DAMAGED as error:
            repair = f"gzip --test {file.path}; failed logins in it are lost"
            found.skipped.append(Skipped(str(file.path), "other", f"is damaged ({error})", repair))
        except OSError as error:
            found.skipped.append(skipped(file.path, error))
    return found


def _plain(file: Candidate, request: Request, found: Count) -> None:
    with file.path.open("rb", buffering=0) as opened:
        start = bisect.start_of_window(opened, file.size, request.begin, request.window.zone)
        clock = clock_before(opened, start, file, request.window)
        _count(pieces.bounded(opened, start, file.size), clock, request, found)


def _packed(file: Candidate, request: Request, found: Count) -> None:
    with gzip.open(file.path, "rb") as opened:
        clock = clock_before(cast("BinaryIO", opened), 0, file, request.window)
        opened.seek(0)
        _count(opened, clock, request, found)


def _count(source: pieces.Source, clock: Clock, request: Request, found: Count) -> None:
    """A line without a time is dated by the nearest one before it that has one."""
    zone = ZoneInfo(request.zone)
    for piece in pieces.pieces(source):
        text, clock.position, last = piece.text, 0, -1
        for match in CANDIDATE.finditer(text):
            start = text.rfind(b"\n", 0, match.start()) + 1
            if start == last:
                continue
            last, end = start, text.find(b"\n", start)
            login = request.judge(text[start : end if end > 0 else len(text)], zone)
            if login is not None:
                moment = clock.at(text, start, zone) if login.time is None else login.time
                if request.since <= moment <= request.now + _AHEAD:
                    found.add(login, moment)
        clock.at(text, len(text) + 1, zone)


def main() -> None:
    """Answer the request on stdin."""
    found = scan(Request(**orjson.loads(sys.stdin.buffer.read())))
    pairs = [(*pair, *counted) for pair, counted in found.pairs.items()]
    sys.stdout.buffer.write(
        orjson.dumps({"pairs": pairs, "more": found.more, "files": found.files, "skipped": found.skipped})
    )


if __name__ == "__main__":
    main()
