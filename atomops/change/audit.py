"""The record of every change: one JSON object a line, append-only, beside the backups.

It lies in the first folder store of the target, else in its history: `…/TARGET/audit.jsonl`. A change that is killed
has a line that it started, and none that it ended.
"""

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import AwareDatetime
from pydantic_core import to_json

from atomops.backup.access import who_we_are
from atomops.errors import PermanentError
from atomops.inventory import Target
from atomops.stores.choose import is_folder

_OWNER_ONLY = 0o600


@dataclass(frozen=True)
class Entry:
    """One moment of a change. `result` is "started", or how it ended; `before` and `after` what it changed."""

    at: AwareDatetime
    what: str
    target: str
    run: str
    result: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    plan: tuple[str, ...] = ()
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
    who: str = field(default_factory=lambda: f"{getpass.getuser()} on {who_we_are()}")


def audit_path(target: Target) -> Path:
    """Where the record of this target lies."""
    stores = target.backups.every_store if target.backups else ()
    folders = [Path(each.store) for each in stores if is_folder(each.store)]
    return (folders[0] if folders else target.history) / target.name / "audit.jsonl"


def record(target: Target, entry: Entry) -> Path:
    """The line is on disk when this returns. Raises PermanentError: what cannot be put on record must not be done."""
    path = audit_path(target)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _OWNER_ONLY)
        try:
            os.write(
                descriptor, to_json(entry, inf_nan_mode="constants", fallback=str) + b"\n"
            )  # one write: whole lines
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        action = "free some space, or let this user write there"
        raise PermanentError(f"the audit trail {path} cannot be written ({error.strerror})", action=action) from error
    return path
