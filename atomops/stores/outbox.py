"""What has been told to whom, and what is still owed: one small file a target, beside its history.

A message is on disk before it is sent, and gone only after it went out: whoever is killed between sends it once more,
and nothing that was worth telling is lost to a channel that is away.
"""

from collections.abc import Callable
from pathlib import Path

from pydantic import TypeAdapter

from atomops.facts.incidents import Outbox
from atomops.inventory import Target
from atomops.stores.kept_files import locked, read_kept, write_kept

_OUTBOX: TypeAdapter[Outbox] = TypeAdapter(Outbox)


def outbox_path(target: Target) -> Path:
    """Where it lies; there need not be one yet."""
    return target.history / target.name / "notify" / "outbox.json"


def read_outbox(target: Target) -> Outbox:
    """What is told and owed. Raises PermanentError for a file that cannot be read."""
    return read_kept(outbox_path(target), _OUTBOX, Outbox())


def change_outbox(target: Target, change: Callable[[Outbox], Outbox]) -> Outbox:
    """The outbox after the change; nobody else changes it meanwhile. Raises PermanentError or TimedOut."""
    path = outbox_path(target)
    with locked(path.with_suffix(".lock"), seconds=10):
        after = change(read_kept(path, _OUTBOX, Outbox()))
        write_kept(path, after)
    return after
