"""The spool: what the receiver was told lies here, whole and synced, until a run has put it in order.

`HISTORY/TARGET/alerts/spool/` holds a file a payload; `drained` beside it is touched by whoever begins to empty it.
"""

import contextlib
import datetime as dt
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from atomops.errors import PermanentError
from atomops.facts.incidents import Signal
from atomops.inventory import Target
from atomops.stores.kept_files import writing
from atomops.stores.whole_files import remove_leftovers, write_whole

_SIGNALS: TypeAdapter[tuple[Signal, ...]] = TypeAdapter(tuple[Signal, ...])
_OWNER_ONLY = 0o700


def folder_of(target: Target) -> Path:
    """Where the alerts of this target are kept."""
    return target.history / target.name / "alerts"


@dataclass(frozen=True)
class Waiting:
    """What lay in the spool: its files, which the caller removes when their signals are safe elsewhere."""

    files: tuple[Path, ...]
    signals: tuple[Signal, ...]
    broken: tuple[str, ...]


def keep(target: Target, signals: Sequence[Signal]) -> Path:
    """The signals are on disk when this returns. Raises PermanentError: then the sender must send them again."""
    folder = folder_of(target) / "spool"
    name = f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S.%f}-{secrets.token_hex(4)}.json"
    with writing(folder / name):
        folder.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY)
        write_whole(folder / name, to_json(signals))
    return folder / name


def drain(target: Target) -> Waiting:
    """Everything that lies there, the oldest first. A file that says nothing is set aside as `….broken` and named.

    Raises PermanentError for a folder that cannot be read.
    """
    home = folder_of(target)
    try:
        home.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY)
        (home / "drained").touch()
        os.utime(home / "drained", (now(), now()))  # the kernel's own stamp may be some milliseconds old
        files = waiting(target)
        signals: list[Signal] = []
        broken: list[str] = []
        good: list[Path] = []
        for file in files:
            try:
                signals += _SIGNALS.validate_json(file.read_bytes())
                good.append(file)
            except ValidationError as error:
                file.rename(file.with_suffix(".broken"))
                broken.append(f"{file.name}: {error.errors()[0]['msg']}")
    except OSError as error:
        raise PermanentError(f"the spool {home} cannot be read ({error.strerror})", action="check its owner") from error
    return Waiting(tuple(good), tuple(signals), tuple(broken))


def forget(files: Sequence[Path]) -> None:
    """They are handled."""
    for file in files:
        file.unlink(missing_ok=True)
    if files:
        remove_leftovers(files[0].parent)


def waiting(target: Target) -> tuple[Path, ...]:
    """The files of the spool, the oldest first. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        return tuple(
            sorted(
                path
                for path in (folder_of(target) / "spool").iterdir()
                if path.suffix == ".json" and not path.name.startswith(".")
            )
        )
    return ()


def drained_at(target: Target) -> float:
    """When somebody last began to empty it, in seconds of time.time(); 0 for never."""
    try:
        return (folder_of(target) / "drained").stat().st_mtime
    except OSError:
        return 0.0


def is_used(target: Target) -> bool:
    """Whether a receiver has ever kept something for it."""
    return (folder_of(target) / "spool").exists()


def now() -> float:
    """The clock of `drained_at`."""
    return time.time()
