r"""A log in pieces of whole records, so that memory does not depend on its size.

A piece is lines, each led by its newline: b"\nfirst\nsecond". It is cut where a record begins, so that a traceback
stays with the line it belongs to.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from atomops.probes.logs.lines import RECORD_START

BLOCK = 32 << 20  # bytes that one process scans at a stretch when several share a file
PIECE = 1 << 17  # bytes: small enough to stay in the processor's cache while it is searched several times
_LONGEST_TAIL = 1 << 20  # bytes: lines that belong to one record are kept together up to here
LONGEST = 8 << 20  # bytes of a line beyond which only its head is judged
_HEAD = 1 << 16
_NEAR, _FAR = 1 << 12, 1 << 16  # bytes at the end of a piece in which the last record is looked for


class Source(Protocol):
    """Anything that gives its next bytes."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        ...


@dataclass(frozen=True)
class Piece:
    """`open_line` is the start of a last line without a newline, else -1; `last` is said of the very last piece."""

    text: bytes
    last: bool = False
    open_line: int = -1


def shared(start: int, size: int, share: int, shares: int) -> Iterator[tuple[int, int]]:
    """Every `shares`-th block of the file. The grid depends on nothing but offsets, so all processes agree on it."""
    for offset in range(start // BLOCK * BLOCK, size, BLOCK):
        if offset // BLOCK % shares == share:
            yield max(offset, start), min(offset + BLOCK, size)


def bounded(file: BinaryIO, start: int, end: int) -> "Bounded":
    """The bytes from `start` to `end`."""
    file.seek(start)
    return Bounded(file, end - start)


class Bounded:
    """A file that ends early."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self._file = file
        self._left = length

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        block = self._file.read(min(size, self._left))
        self._left -= len(block)
        return block


def pieces(source: Source) -> Iterator[Piece]:
    """Every line, in order. Of a line that is longer than can be judged only the head is given."""
    rest = b"\n"
    while block := source.read(PIECE):
        rest += block
        cut = _last_record(rest)
        if cut <= 0 and len(rest) >= _LONGEST_TAIL:
            cut = rest.rfind(b"\n")
        if cut > 0:
            yield Piece(rest[:cut])
            rest = rest[cut:]
        elif len(rest) >= LONGEST:
            yield Piece(rest[:_HEAD])
            rest = _next_line(source)
    if rest != b"\n":
        yield _last(rest)


def _last(rest: bytes) -> Piece:
    if rest.endswith(b"\n"):
        return Piece(rest[:-1], last=True)
    return Piece(rest, last=True, open_line=rest.rfind(b"\n") + 1)


def _last_record(text: bytes) -> int:
    """Where the newline before the last record is; 0 or less when there is none but the first."""
    for window in (_NEAR, _FAR):
        starts = [found.start() for found in RECORD_START.finditer(text, max(0, len(text) - window))]
        if starts:
            return starts[-1]
    return -1


def _next_line(source: Source) -> bytes:
    while block := source.read(PIECE):
        newline = block.find(b"\n")
        if newline >= 0:
            return block[newline:]
    return b"\n"
