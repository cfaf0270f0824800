"""Reports and last facts as files, so that a rebuilt Prefect server loses nothing.

`FOLDER/TARGET/FLOW/` holds each report as JSON and HTML under its UTC time, `FOLDER/TARGET/facts/` the facts of the
last look. Everything appears whole or not at all: temporary name, fsync, rename.
"""

import contextlib
import datetime as dt
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from atomops.errors import AtomOpsError, PermanentError
from atomops.reports.json import from_json, to_json
from atomops.reports.report import Report

Facts = TypeVar("Facts")
_KEPT_DAYS = 400  # a year and a month: last year's same day is still there
_PARTIAL = ".partial"


def last_report(folder: Path, target: str, flow: str) -> tuple[Report | None, list[str]]:
    """The newest readable report, and what was passed over to find it."""
    notes: list[str] = []
    for path in sorted(_reports(folder / target / flow), reverse=True):
        try:
            return from_json(path.read_bytes()), notes
        except (OSError, AtomOpsError) as error:
            notes.append(f"{path} was passed over: {error}")
    return None, notes


def load_facts(folder: Path, target: str, kind: type[Facts]) -> Facts | None:
    """The facts of the last look; None when there are none, or of another version of Atom Ops."""
    try:
        return TypeAdapter(kind).validate_json(_facts_path(folder, target, kind).read_bytes())
    except (OSError, ValidationError):
        return None


def keep_report(folder: Path, report: Report, html: str) -> Path:
    """The path of the kept JSON. Raises PermanentError, naming the folder, when it cannot be written."""
    home = folder / report.target / report.flow
    name = f"{report.finished_at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    path = home / f"{name}.json"
    with _writable(home):
        _write(home / f"{name}.html", html.encode())
        _write(path, to_json(report))
        _prune(home, report.finished_at - dt.timedelta(days=_KEPT_DAYS))
    return path


def keep_facts(folder: Path, target: str, facts: object) -> None:
    """These are the facts of the last look from now on. Raises PermanentError when the folder cannot be written."""
    path = _facts_path(folder, target, type(facts))
    with _writable(path.parent):
        _write(path, TypeAdapter(type(facts)).dump_json(facts))


def _reports(home: Path) -> Iterator[Path]:
    return home.glob("*Z-*.json")


def _facts_path(folder: Path, target: str, kind: type) -> Path:
    return folder / target / "facts" / f"{kind.__name__}.json"


@contextlib.contextmanager
def _writable(home: Path) -> Iterator[None]:
    try:
        home.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        action = "free some space, or set `history` to a folder that this user may write"
        raise PermanentError(f"the history {home} cannot be written ({error.strerror})", action=action) from error


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_PARTIAL}")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _prune(home: Path, oldest: dt.datetime) -> None:
    """Reports of another age, and what a killed run has left half-written an hour ago."""
    limit = f"{oldest.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"
    for path in home.glob("*Z-*.*"):
        if path.name < limit and not path.name.startswith("."):
            path.unlink(missing_ok=True)
    stale = dt.datetime.now(dt.UTC).timestamp() - 3600
    for path in home.glob(f".*{_PARTIAL}"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < stale:
                path.unlink()
