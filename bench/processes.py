"""What a process costs: its wall time, processor time and memory, and what it costs the server that it talks to."""

import contextlib
import os
import statistics
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import psutil

from atomops import shell

_POLL_SECONDS = 0.02
_SETTLE_SECONDS = 0.3  # for the sessions of a process that has ended to end as well


@dataclass(frozen=True)
class Cost:
    """Seconds and bytes. `processor` is that of the process and its descendants, `server` that of the server's.

    `peak` is the resident memory of the process itself at its peak, without that of its children.
    """

    wall: float
    processor: float
    server: float
    peak: float


def measured(argv: Sequence[str | Path], *, folder: Path, env: Mapping[str, str], server: psutil.Process) -> Cost:
    """What the process cost, which ended well; `server` is the leader of the server's processes. Exits when it failed.

    What was written before is on the disk first, so that nobody pays for somebody else's.
    """
    log = folder / "process.log"
    log.unlink(missing_ok=True)
    os.sync()
    before = _processor(server)
    started = time.perf_counter()
    child = shell.start(argv, log=log, env=env, cwd=folder)
    try:
        status, processor, peak = _watched(child.pid)
        wall = time.perf_counter() - started
    finally:
        child.stop()
    if status != 0:
        sys.exit(f"{shell.display(argv)} failed: {child.tail()}")
    time.sleep(_SETTLE_SECONDS)
    return Cost(wall, processor, _processor(server) - before, peak)


def median(costs: Iterable[Cost]) -> Cost:
    """The median of each number."""
    return Cost(*(statistics.median(numbers) for numbers in zip(*map(astuple, costs), strict=True)))


def _watched(pid: int) -> tuple[int, float, int]:
    """Exit status, processor seconds, and the peak memory, which is gone with the process and so is asked for often."""
    peak = 0
    while True:
        peak = max(peak, _peak(pid))
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return status, usage.ru_utime + usage.ru_stime, peak
        time.sleep(_POLL_SECONDS)


def _peak(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _processor(leader: psutil.Process) -> float:
    """Of the process, of its children that have ended, and of those that have not."""
    times = leader.cpu_times()
    total = times.user + times.system + times.children_user + times.children_system
    for child in leader.children():
        with contextlib.suppress(psutil.NoSuchProcess):
            its = child.cpu_times()
            total += its.user + its.system
    return total
