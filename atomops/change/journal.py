"""What must be brought back if we are killed now: one small file a target, in its history.

It is written before the first step that a user would notice, and forgotten when everything runs as before. Whoever
finds it (the next change of the target, `atomops resume`) finishes or takes back what it tells.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import AwareDatetime, TypeAdapter

from atomops.facts.runtime import Running
from atomops.inventory import Target
from atomops.stores.kept_files import read_kept, write_kept


@dataclass(frozen=True)
class Unfinished:
    """A change under way: the step that it had begun, what ran before, and what its own kind wants to know."""

    what: str
    run: str
    at: AwareDatetime
    step: str
    before: Running | None = None
    details: Mapping[str, str] = field(default_factory=dict)


def remember(target: Target, unfinished: Unfinished) -> None:
    """On disk when this returns. Raises PermanentError: without it nothing may be stopped."""
    write_kept(_path(target), unfinished)


def unfinished(target: Target) -> Unfinished | None:
    """What an earlier change has left, if any. Raises PermanentError when it is there and cannot be read."""
    otherwise, action = "is no journal of a change", "look at what runs, then remove the file"
    return read_kept(_path(target), TypeAdapter(Unfinished), None, otherwise=otherwise, action=action)


def forget(target: Target) -> None:
    """Everything runs as before."""
    _path(target).unlink(missing_ok=True)


def _path(target: Target) -> Path:
    return target.history / target.name / "unfinished.json"
