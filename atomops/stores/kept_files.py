"""Small files of ours in a target's history: read, written whole, and locked, each with what to do when that fails."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from atomops.errors import PermanentError, TimedOut
from atomops.stores.whole_files import remove_leftovers, write_whole

T = TypeVar("T")
D = TypeVar("D")
_OWNER_ONLY = 0o700
_PAUSE = 0.05  # seconds between two tries for a lock


def read_kept(
    path: Path,
    kind: TypeAdapter[T],
    default: D,
    *,
    otherwise: str = "says nothing that we know",
    action: str = "look at it; moved away, it begins anew",
) -> T | D:
    """What is in the file, or `default` where there is none. Raises PermanentError for one that cannot be read.

    `otherwise` says what is wrong with one of another content, `action` what to do about it.
    """
    try:
        return kind.validate_json(path.read_bytes())
    except FileNotFoundError:
        return default
    except OSError as error:
        raise PermanentError(f"{path} cannot be read ({error.strerror})", action="check its owner and mode") from error
    except ValidationError as error:
        raise PermanentError(f"{path} {otherwise}: {error.errors()[0]['msg']}", action=action) from None


def write_kept(path: Path, content: object) -> None:
    """The file has the old or the new content at any moment, and is on the disk. Raises PermanentError naming it."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY)
        write_whole(path, to_json(content))
        remove_leftovers(path.parent)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Whatever the system refuses in the block is a PermanentError that names the file."""
    try:
        yield
    except OSError as error:
        action = "free some space, or set `history` to a folder that this user may write"
        raise PermanentError(f"{path} cannot be written ({error.strerror})", action=action) from error


@contextlib.contextmanager
def locked(path: Path, *, seconds: float) -> Iterator[None]:
    """Nobody else of this machine holds the same lock. It is given back when we die. Raises TimedOut."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + seconds
        while not is_ours(descriptor):
            if time.monotonic() >= deadline:
                action = "look which other run of this target hangs"
                raise TimedOut(f"somebody else has held {path} for {seconds:g} s", action=action)
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)


def is_ours(descriptor: int) -> bool:
    """The open file is locked for us, from now until it is closed; False when somebody else has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
