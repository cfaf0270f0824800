"""The scripts of a history as files: their hashes now, and what they were when they were run.

The record is one file a target, `HISTORY/TARGET/migrations.json`: an application may ship other scripts under the same
revision, and alembic does not notice.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from atomops.errors import PermanentError
from atomops.facts.migration import Revision
from atomops.inventory import Migrations, Target
from atomops.stores.whole_files import write_whole

_RECORD = TypeAdapter(dict[str, str])


def record_of(target: Target) -> Path:
    """Where the hashes of the scripts that were run are kept."""
    return target.history / target.name / "migrations.json"


def hashed(revision: Revision, settings: Migrations) -> Revision:
    """With the SHA-256 of its file, or "" when that cannot be read from here."""
    try:
        content = (settings.directory / revision.path).read_bytes()
    except OSError:
        return revision
    return replace(revision, sha256=hashlib.sha256(content).hexdigest())


def known(target: Target) -> dict[str, str]:
    """The hashes of the scripts that were run, by revision. Raises PermanentError for a record that is none."""
    path = record_of(target)
    try:
        return _RECORD.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        action = "look at it; without it, edited scripts are not noticed until they were run once more"
        raise PermanentError(f"{path} cannot be read ({type(error).__name__})", action=action) from error


def remember(target: Target, applied: Iterable[Revision]) -> None:
    """These are applied, as they are now; what was known of them before stays. Raises PermanentError."""
    path, before = record_of(target), known(target)
    hashes = {each.id: before.get(each.id, each.sha256) for each in applied}
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(path, to_json({name: value for name, value in hashes.items() if value}, indent=1))
    except OSError as error:
        action = "free some space, or set `history` to a folder that this user may write"
        raise PermanentError(f"{path} cannot be written ({error.strerror})", action=action) from error
