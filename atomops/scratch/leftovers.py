"""A folder of our own that nothing survives: not its files, not its processes, however its owner ends.

The owner holds a lock (flock) on a file in the folder, which the kernel gives back at the owner's death. A warden, a
process apart, waits for that lock and then clears up; should the warden have died too, the next owner does it.
`python -m atomops.scratch.leftovers FOLDER` is the warden.
"""

import contextlib
import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from atomops import shell
from atomops.scratch.place import make_folder

FOLDER_VARIABLE = "ATOMOPS_SANDBOX"  # the folder, or one below it, in the environment of every process of it
_LOCK = "owner.lock"
_NEWBORN_SECONDS = 60  # a folder this young may not have its lock yet
_KILL_SECONDS = 5


@contextlib.contextmanager
def own_world_folder(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """A new folder; at the end, or when we are killed, its processes and its files are gone.

    It lies below `parent`, else below the system's temporary folder.
    """
    folder = make_folder(prefix, parent)
    with (folder / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        warden = _start_warden(folder)
        try:
            yield folder
        finally:
            _clear(folder)
            warden.stop(grace=0)


def sweep(prefix: str, parent: Path | None = None) -> list[Path]:
    """The folders that were removed because their owner is dead; those of other users are left to them."""
    candidates = sorted((parent or Path(tempfile.gettempdir())).glob(f"{prefix}*"))
    return [folder for folder in candidates if _is_ours(folder) and _clear_if_dead(folder)]


def processes_of(folder: Path) -> list[psutil.Process]:
    """The processes that belong to the folder. One that somebody runs from a terminal is never among them."""
    return [process for process in psutil.process_iter() if _belongs(process, folder)]


def _is_ours(folder: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return folder.is_dir() and not folder.is_symlink() and folder.lstat().st_uid == os.geteuid()
    return False


def _clear_if_dead(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _clear(folder)
    except BlockingIOError:
        return False
    except FileNotFoundError:
        return _clear_if_old(folder)
    return True


def _clear_if_old(folder: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        if time.time() - folder.stat().st_mtime > _NEWBORN_SECONDS:
            _clear(folder)
            return True
    return False


def _clear(folder: Path) -> None:
    deadline = time.monotonic() + _KILL_SECONDS
    while (remaining := processes_of(folder)) and time.monotonic() < deadline:
        for process in remaining:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


def _belongs(process: psutil.Process, folder: Path) -> bool:
    if process.pid == os.getpid():
        return False
    try:
        if process.terminal() is not None:
            return False
        named = process.environ().get(FOLDER_VARIABLE, "/")
        return Path(process.cwd()).is_relative_to(folder) or Path(named).is_relative_to(folder)
    except (psutil.Error, OSError):  # gone meanwhile, a zombie, or somebody else's
        return False


def _start_warden(folder: Path) -> shell.Server:
    argv: list[str | Path] = [sys.executable, "-m", "atomops.scratch.leftovers", folder]
    return shell.start(argv, log=Path(os.devnull), cwd=Path("/"), outlives_us=True)


def main() -> None:
    """Wait for the owner's death, in whatever way it comes, then clear up."""
    folder = Path(sys.argv[1])
    with contextlib.suppress(FileNotFoundError), (folder / _LOCK).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _clear(folder)


if __name__ == "__main__":
    main()
