"""What was there before slow statements were logged otherwise: a file for each scope, in the target's history."""

from pathlib import Path

from pydantic import TypeAdapter

from atomops.facts.tuning import Remembered, Scope
from atomops.inventory import Target
from atomops.stores.kept_files import read_kept, write_kept


def path(target: Target, scope: Scope) -> Path:
    """Where it lies."""
    return target.history / target.name / f"slow-statement-log-{scope}.json"


def remembered(target: Target, scope: Scope) -> Remembered | None:
    """What is on record, if anything. Raises PermanentError when it is there and cannot be read."""
    action = "look at what is in it and in postgresql.auto.conf, then remove the file"
    otherwise = "does not tell what was there before"
    return read_kept(path(target, scope), TypeAdapter(Remembered), None, otherwise=otherwise, action=action)


def remember(target: Target, what: Remembered) -> None:
    """On disk when this returns. Raises PermanentError: what cannot be taken back must not be done."""
    write_kept(path(target, what.scope), what)


def forget(target: Target, scope: Scope) -> None:
    """Everything is as it was."""
    path(target, scope).unlink(missing_ok=True)
