"""Reports and last facts as files, so that a rebuilt Prefect server loses nothing.

`FOLDER/TARGET/FLOW/` holds each report as JSON and HTML under its UTC time, `FOLDER/TARGET/facts/` the facts of the
last look. Everything appears whole or not at all; any number of runs may write beside each other.
"""

import contextlib
import datetime as dt
import functools
import re
import secrets
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from atomops.errors import AtomOpsError, PermanentError
from atomops.reports.json import from_json
from atomops.reports.json import to_json as report_to_json
from atomops.reports.report import Report
from atomops.stores.whole_files import remove_leftovers, write_whole

Facts = TypeVar("Facts")
_KEPT_DAYS = 400  # a year and a month: last year's same day is still there
_REPORT_NAME = re.compile(r"[0-9]{8}T[0-9]{6}(\.[0-9]{6})?Z-[0-9a-f]+\.(json|html)")
_OWNER_ONLY = 0o700  # facts are raw: lines of logs, statements of others


def last_report(folder: Path, target: str, flow: str) -> tuple[Report | None, list[str]]:
    """The newest readable report, and what was passed over to find it. Never raises: a flow goes on without history."""
    notes: list[str] = []
    home = folder / target / flow
    try:
        paths = sorted((path for path in _reports(home) if path.suffix == ".json"), reverse=True)
    except OSError as error:
        return None, [f"the history {home} cannot be read ({error.strerror}): check its path, owner and mode"]
    for path in paths:
        try:
            return from_json(path.read_bytes()), notes
        except (OSError, AtomOpsError) as error:
            notes.append(f"the earlier report {path} was passed over: {error}")
    return None, notes


def load_facts(folder: Path, target: str, kind: type[Facts]) -> tuple[Facts | None, list[str]]:
    """The facts of the last look, or None with a note when they cannot be read. No last look is no note."""
    path = _facts_path(folder, target, kind)
    try:
        return cast("Facts", _adapter(cast("Hashable", kind)).validate_json(path.read_bytes())), []
    except FileNotFoundError:
        return None, []
    except OSError as error:
        return None, [f"the earlier facts {path} cannot be read ({error.strerror}): check the owner and mode"]
    except ValidationError as error:
        return None, [f"the earlier facts {path} were passed over: {error.errors()[0]['msg']}"]


@functools.cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    """Made once for each kind of facts: that takes longer than all the rest of a look at the history."""
    return TypeAdapter(kind)  # type: ignore[arg-type]  # a class, which the cache may only call hashable


def keep_report(folder: Path, report: Report, html: str) -> Path:
    """The path of the kept JSON; the HTML lies beside it. Reports that are older by 400 days go.

    Raises PermanentError, naming the folder, when it cannot be written.
    """
    home = folder / report.target / report.flow
    name = f"{_name(report.finished_at)}-{secrets.token_hex(4)}"
    path = home / f"{name}.json"
    with _writing(home):
        home.mkdir(parents=True, exist_ok=True)
        write_whole(home / f"{name}.html", html.encode())
        write_whole(path, report_to_json(report))
        _prune(home, report.finished_at - dt.timedelta(days=_KEPT_DAYS))
    return path


def keep_facts(folder: Path, target: str, facts: object) -> None:
    """These are the facts of the last look from now on. Raises PermanentError when the folder cannot be written."""
    path = _facts_path(folder, target, type(facts))
    with _writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY)
        write_whole(path, to_json(facts, inf_nan_mode="constants"))
        remove_leftovers(path.parent)


def _name(moment: dt.datetime) -> str:
    """In the order of time when sorted as text."""
    return f"{moment.astimezone(dt.UTC):%Y%m%dT%H%M%S.%fZ}"


def _reports(home: Path) -> Iterator[Path]:
    """Only what was written here; whatever else lies in the folder is left alone. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        yield from (path for path in home.iterdir() if _REPORT_NAME.fullmatch(path.name))


def _facts_path(folder: Path, target: str, kind: type) -> Path:
    return folder / target / "facts" / f"{kind.__name__}.json"


@contextlib.contextmanager
def _writing(home: Path) -> Iterator[None]:
    """Turn what the disk or the data says into one line with the folder and the next step."""
    try:
        yield
    except OSError as error:
        action = "free some space, or set `history` to a folder that this user may write"
        raise PermanentError(f"the history {home} cannot be written ({error.strerror})", action=action) from error
    except (PydanticSerializationError, UnicodeEncodeError) as error:
        action = "report this as a bug of Atom Ops"
        raise PermanentError(f"what was seen cannot be written into {home} ({error})", action=action) from error


def _prune(home: Path, oldest: dt.datetime) -> None:
    limit = _name(oldest)
    for path in _reports(home):
        if path.name < limit:
            path.unlink(missing_ok=True)
    remove_leftovers(home)
