"""Files that appear whole or not at all, whatever happens to the writer."""

import contextlib
import os
import secrets
import time
from pathlib import Path

_PARTIAL = ".partial"
_ABANDONED_AFTER = 3_600  # seconds; no writer takes that long


def write_whole(path: Path, content: bytes) -> None:
    """The file holds the old or the new content at any moment, a power cut included. Raises OSError."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_PARTIAL}")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    sync(path.parent)


def remove_leftovers(folder: Path) -> None:
    """What killed writers have left in the folder, once they can no longer be at work."""
    for partial in folder.glob(f".*{_PARTIAL}"):
        with contextlib.suppress(FileNotFoundError):
            if partial.stat().st_mtime < time.time() - _ABANDONED_AFTER:
                partial.unlink()


def sync(path: Path) -> None:
    """A file's bytes, or a folder's entries, are on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
