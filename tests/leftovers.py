"""Nothing is left when the suite has ended, however it ends: no process, file, folder or password.

All that the tests make lies in one folder, which has a warden (atomops.scratch.leftovers): also a suite that is killed
leaves nothing. One that ends by itself looks first, and fails if a test has left something behind.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from atomops.scratch.leftovers import FOLDER_VARIABLE, own_world_folder, processes_of, sweep

_PREFIX = "atomops-tests-"
_MEMORY = Path("/dev/shm")  # noqa: S108 - a new folder in it
_PLENTY = 12 << 30  # bytes; the suite takes four, and its servers as much
_GRACE = 60  # seconds: what has been told to end may take a moment on a busy machine
_OWN = pytest.StashKey[ExitStack]()
_FOUND = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """The controller makes the folder, and the workers inherit it."""
    if hasattr(config, "workerinput"):
        return
    parent = _place()
    sweep(_PREFIX, parent)
    config.stash[_OWN] = ExitStack()
    folder = config.stash[_OWN].enter_context(own_world_folder(_PREFIX, parent))
    temporary, state = folder / "tmp", folder / "state"
    temporary.mkdir()
    temporary.chmod(0o1777)  # like the system's own: servers run as another user
    state.mkdir()
    os.environ |= {
        FOLDER_VARIABLE: str(folder),
        "TMPDIR": str(temporary),
        "PREFECT_HOME": str(state / "prefect"),
        "XDG_STATE_HOME": str(state),
    }
    tempfile.tempdir = None  # or what it was is remembered
    config.option.basetemp = config.option.basetemp or str(folder / "t")  # short: the path of a socket has 107 bytes


def _place() -> Path | None:
    """In memory where there is plenty, else the system's temporary folder.

    Each cluster and each database is a thousand files that soon go again: on a disk that takes half of the suite's
    time in the kernel.
    """
    if not _MEMORY.is_mount() or os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC:
        return None
    free = min(shutil.disk_usage(_MEMORY).free, psutil.virtual_memory().available)
    return _MEMORY if free > _PLENTY else None


@pytest.hookimpl(trylast=True)  # when the workers have ended
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A suite that was green fails if anything is still there."""
    if _OWN not in session.config.stash:
        return
    deadline = time.monotonic() + _GRACE
    while (found := list(_left_behind())) and time.monotonic() < deadline:
        time.sleep(0.1)
    session.config.stash[_FOUND] = found
    if found and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _left_behind() -> Iterator[str]:
    folder = Path(os.environ[FOLDER_VARIABLE])
    for process in processes_of(folder):
        try:
            yield f"the process {' '.join(process.cmdline())}"
        except psutil.NoSuchProcess:
            continue
    yield from map(str, (folder / "tmp").iterdir())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Each thing that was left behind, by its name."""
    for each in config.stash.get(_FOUND, ()):
        terminalreporter.write_line(f"A test has left behind: {each}", red=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The folder goes, and every process of it."""
    if _OWN in config.stash:
        config.stash[_OWN].close()
