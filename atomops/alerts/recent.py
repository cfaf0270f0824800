"""What was changed before an alert: our own audit trail, and what the runtime knows of its releases."""

import contextlib
import datetime as dt
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from atomops.change.audit import audit_path
from atomops.errors import AtomOpsError, NotThere
from atomops.facts.incidents import IncidentFacts, RecentChange
from atomops.facts.runtime import Running
from atomops.inventory import Target
from atomops.plans.rollback import ways_back
from atomops.probes.attempt import attempt
from atomops.reports.report import stamp
from atomops.runtimes.choose import runtime_of
from atomops.runtimes.runtime import KeepsRevisions
from atomops.threads import beside
from atomops.verdict import Unseen

_MOST_BYTES = 8 * 1024 * 1024  # of the audit trail, from its end: years of it
_MOST = 50
_SHOWN = 160  # characters of a plan


async def look_around(target: Target, facts: IncidentFacts) -> IncidentFacts:
    """The facts with the changes before the first open incident, what runs, and what going back would be.

    Never raises: what cannot be seen says why.
    """
    first = min((each.began for each in facts.open), default=facts.at)
    since = first - dt.timedelta(hours=facts.changes_hours)
    changes = await beside(lambda: changes_since(target, since))
    runs, revisions = await _runs(target)
    known = () if isinstance(changes, Unseen) else changes
    return replace(facts, changes=changes, runs=runs, rollback=ways_back(target, known, revisions))


def changes_since(target: Target, since: dt.datetime) -> tuple[RecentChange, ...] | Unseen:
    """What the record tells of, the latest first; of each run its last line. None is no fault: nothing was changed."""
    path = audit_path(target)
    try:
        lines = _last_lines(path)
    except FileNotFoundError:
        return ()
    except OSError as error:
        return Unseen(f"the audit trail {path} cannot be read ({error.strerror})", "check its owner and mode")
    latest: dict[object, RecentChange] = {}
    for number, entry in enumerate(_entries(lines)):
        change = _change(entry)
        if change is not None and change.at >= since:
            latest[entry.get("run") or number] = change
    return tuple(sorted(latest.values(), key=lambda each: each.at, reverse=True)[:_MOST])


def _last_lines(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        file.seek(max(0, length - _MOST_BYTES))
        lines = file.read().splitlines()
    return lines if length <= _MOST_BYTES else lines[1:]


def _entries(lines: Iterable[bytes]) -> Iterator[Mapping[str, Any]]:
    """A line that somebody has torn is passed over: the others are still true."""
    for line in lines:
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(entry, dict):
            yield entry


def _change(entry: Mapping[str, Any]) -> RecentChange | None:
    try:
        plan = entry.get("plan") or ()
        return RecentChange(
            at=dt.datetime.fromisoformat(entry["at"]).astimezone(dt.UTC),
            what=str(entry["what"]),
            who=str(entry.get("who", "")),
            result=str(entry["result"]),
            detail=str(plan[0])[:_SHOWN] if plan else "",
        )
    except (KeyError, TypeError, ValueError):
        return None


async def _runs(target: Target) -> tuple[str | Unseen, tuple[str, ...]]:
    """What runs, in a sentence, and the revisions that it could go back to."""
    try:
        runtime = runtime_of(target)
    except NotThere as error:
        return Unseen(error.what, error.action), ()
    running = await attempt(runtime.describe())
    if isinstance(running, Unseen):
        return running, ()
    revisions: tuple[str, ...] = ()
    if isinstance(runtime, KeepsRevisions):
        with contextlib.suppress(AtomOpsError):  # the way back names the previous revision without its number then
            revisions = await runtime.revisions()
    return _sentence(runtime.name, running, revisions), revisions


def _sentence(name: str, running: Running, revisions: tuple[str, ...]) -> str:
    told = f"{name}: {running.ready} of {running.wanted} ready"
    if running.revision:
        told += f", revision {running.revision}"
    starts = [each.started_at for each in running.instances if each.started_at]
    if starts:
        told += f", the latest start {stamp(max(starts))}"
    versions = sorted({each.version for each in running.instances if each.version})
    if versions:
        told += f", {', '.join(versions)}"
    return told + (f"; it keeps {', '.join(revisions)}" if revisions else "")
