"""Where the window begins in a plain file, found by looking at a few of its lines."""

import datetime as dt
from itertools import pairwise
from typing import BinaryIO

from atomops.probes.logs import times
from atomops.probes.logs.lines import RECORD_START, parse

DISORDER = (
    2 * 3600.0
)  # seconds that a later line may be older: writers side by side, a clock set back, end of summer time
SMALL = 1 << 20  # bytes: such a file is read whole
_SAMPLES = 64
_PROBE = 1 << 16  # bytes in which a dated line is looked for
_LONGEST = 8 << 20  # bytes in which the next line is looked for


def line_time(line: bytes, zone: dt.tzinfo) -> float | None:
    """The time that the line bears, whatever its shape."""
    if line.startswith(b"{"):
        record = parse(line)
        return times.of_record(record, zone) if record else None
    return times.of_plain(line, zone)


def first_dated(file: BinaryIO, offset: int, zone: dt.tzinfo) -> tuple[int, float] | None:
    """Start and time of the first dated line that begins at or after `offset`; None when none is near."""
    file.seek(max(offset - 1, 0))
    block = file.read(_PROBE) if offset else b"\n" + file.read(_PROBE)
    start = block.find(b"\n") + 1
    while 0 < start < len(block):
        end = block.find(b"\n", start)
        moment = line_time(block[start : end if end > 0 else len(block)], zone)
        if moment is not None:
            return offset - 1 + start, moment
        start = end + 1
    return None


def last_dated(block: bytes, zone: dt.tzinfo) -> float | None:
    """The time of the last line of `block` that bears one; a first line that is cut does not count."""
    end = len(block)
    while (newline := block.rfind(b"\n", 0, end)) >= 0:
        moment = line_time(block[newline + 1 : end], zone)
        if moment is not None:
            return moment
        end = newline
    return None


def before(file: BinaryIO, offset: int, zone: dt.tzinfo) -> float | None:
    """The time of the nearest dated line before `offset`, None when none is near."""
    start = max(0, offset - _PROBE)
    file.seek(start)
    return last_dated((b"" if start else b"\n") + file.read(offset - start), zone)


def start_of_window(file: BinaryIO, size: int, since: float, zone: dt.tzinfo, *, small: int = SMALL) -> int:
    """An offset before which no line is as young as `since`; 0 when the file is small or not in order of time."""
    if size <= small or not _in_order(file, size, zone):
        return 0
    low, high = 0, size
    while high - low > _PROBE:
        middle = (low + high) // 2
        dated = first_dated(file, middle, zone)
        if dated is None or dated[1] >= since - DISORDER or dated[0] >= high:
            high = middle
        else:
            low = dated[0]
    return low


def record_start(file: BinaryIO, offset: int, size: int) -> int:
    """The start of the first record at or after `offset`, from the content alone; `size` when there is none."""
    if offset <= 0:
        return 0
    file.seek(offset - 1)
    block = file.read(_PROBE)
    found = RECORD_START.search(block)
    if found:
        return offset + found.start()
    newline = block.find(b"\n")
    while newline < 0 and len(block) < _LONGEST and (more := file.read(_PROBE)):
        block += more
        newline = block.find(b"\n")
    return offset + newline if newline >= 0 else min(size, offset - 1 + len(block))


def _in_order(file: BinaryIO, size: int, zone: dt.tzinfo) -> bool:
    samples = (first_dated(file, size * index // _SAMPLES, zone) for index in range(_SAMPLES))
    moments = [sample[1] for sample in samples if sample]
    return all(later >= earlier - DISORDER for earlier, later in pairwise(moments))
