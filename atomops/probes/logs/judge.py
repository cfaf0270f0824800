"""A piece of a log becomes counts: candidates are found by search, and judged by what they really say."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from atomops.probes.logs.bisect import last_dated, line_time
from atomops.probes.logs.lines import (
    JSON_CANDIDATE,
    PLAIN_ERROR,
    RECORD_START,
    ErrorRecord,
    bears_level,
    of_json,
    of_plain,
    parse,
)
from atomops.probes.logs.pieces import Piece
from atomops.probes.logs.tally import Tally

# A newline that does not stand between the end of one JSON object and the beginning of the next.
_ODD = re.compile(rb"\n(?!(?<=\}\n)\{)")
_BEFORE_JSON = b" \t\xef\xbb\xbf"  # blanks, and the byte order mark
_END = 1 << 16  # bytes at the end of a log in which every line is looked at: the newest need not be the last

Found = tuple[int, ErrorRecord | None]  # where a line starts, and the error it is; None when it cannot be read


@dataclass(frozen=True)
class Window:
    """From when on records count, what time it is now, and the zone of times without an offset."""

    since: float
    now: float
    zone: dt.tzinfo


@dataclass
class Clock:
    """The time of the last line that bore one; `dated` is false as long as none did."""

    moment: float
    dated: bool
    position: int = 0

    def at(self, text: bytes, start: int, zone: dt.tzinfo) -> float:
        """The time before the line at `start`; within a text `start` may only grow, so that nothing is read twice."""
        moment = last_dated(text[self.position : start - 1], zone)
        self.position = start - 1
        if moment is not None:
            self.moment, self.dated = moment, True
        return self.moment


@dataclass
class Reader:
    """One run through consecutive pieces. `unfinished`: the last line of all was still being written."""

    window: Window
    clock: Clock
    tally: Tally
    unfinished: bool = field(default=False)

    def read(self, piece: Piece) -> None:
        """Every line is counted once, every error of the window is added to its group."""
        text, self.clock.position = piece.text, 0
        self.tally.bytes += len(text)
        self.tally.lines += text.count(b"\n")
        odd = [match.start() for match in _ODD.finditer(text)]
        plain = [newline for newline in odd if text[newline + 1 : newline + 2] != b"{"]
        self.tally.not_json += len(plain)
        lines = dict(_json_errors(text, self.window.zone)) | dict(_plain_errors(text, plain, self.window.zone))
        unreadable = {start for start, error in lines.items() if error is None}
        unreadable |= _undecodable(text) | _broken(text, odd)
        self.unfinished = piece.open_line in unreadable
        for start in sorted(lines.keys() | unreadable):
            self._count(text, start, lines.get(start), unreadable=start in unreadable and start != piece.open_line)
        self._note_end(piece)

    def _count(self, text: bytes, start: int, error: ErrorRecord | None, *, unreadable: bool) -> None:
        own = error.time if error else None
        moment = self.clock.at(text, start, self.window.zone) if own is None else own
        if moment < self.window.since:
            return
        self.tally.unreadable += unreadable
        if error:
            self.tally.add(error, moment)
            self.tally.undated += own is None and not self.clock.dated
        if own is not None:
            self.tally.see(own, self.window.now)

    def _note_end(self, piece: Piece) -> None:
        self.tally.see(self.clock.at(piece.text, len(piece.text) + 1, self.window.zone), self.window.now)
        if piece.last:
            for line in piece.text[-_END:].split(b"\n")[1:]:
                self.tally.levelled += bears_level(line)
                if (moment := line_time(line, self.window.zone)) is not None:
                    self.tally.see(moment, self.window.now)


def _plain_errors(text: bytes, newlines: Iterable[int], zone: dt.tzinfo) -> Iterator[Found]:
    for newline in newlines:
        if match := PLAIN_ERROR.match(text, newline):
            following = RECORD_START.search(text, match.end())
            yield newline + 1, of_plain(match, text[match.end() : following.start() if following else None], zone)


def _json_errors(text: bytes, zone: dt.tzinfo) -> Iterator[Found]:
    last = 0
    for match in JSON_CANDIDATE.finditer(text):
        start = text.rfind(b"\n", 0, match.start()) + 1
        if start == last:
            continue
        last = start
        end = text.find(b"\n", start)
        line = text[start : end if end > 0 else len(text)].lstrip(_BEFORE_JSON)
        if not line.startswith(b"{"):
            continue
        record = parse(line)
        error = of_json(record, zone) if record is not None else None
        if error or record is None:
            yield start, error


def _broken(text: bytes, odd: list[int]) -> set[int]:
    """The starts of lines that begin like a JSON object and do not end like one."""
    lines = ((text.rfind(b"\n", 0, end) + 1, end) for end in [*odd[1:], len(text)])
    return {
        start for start, end in lines if text[start : start + 1] == b"{" and not text[start:end].rstrip().endswith(b"}")
    }


def _undecodable(text: bytes) -> set[int]:
    """The starts of lines that are no text: not UTF-8, or with NUL bytes in them."""
    if _is_text(text):
        return set()
    starts, start = set(), 1
    for line in text[1:].split(b"\n"):
        if not _is_text(line):
            starts.add(start)
        start += len(line) + 1
    return starts


def _is_text(content: bytes) -> bool:
    if b"\0" in content:
        return False
    try:
        return content.isascii() or bool(content.decode())
    except UnicodeDecodeError:
        return False
