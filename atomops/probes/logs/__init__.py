"""The application's log files, scanned by processes of their own: one a processor, two at the most.

The scanner imports this module too, so what is imported here is paid for at its start: the inventory is only named.
"""

import asyncio
import datetime as dt
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from atomops import shell
from atomops.errors import AccessDenied, AtomOpsError, CommandFailed, NotThere, TimedOut
from atomops.facts.logs import FileSkipped, LogFacts
from atomops.probes.logs.files import find
from atomops.probes.logs.merge import merge

if TYPE_CHECKING:
    from atomops.inventory import Logs, Target

SCANNER = (sys.executable, "-P", "-m", "atomops.probes.logs.scan")
SHARES = min(2, os.cpu_count() or 1)


@dataclass(frozen=True)
class Mark:
    """How large each file was then, by its inode: what comes later lies beyond, whatever times its lines bear."""

    at: dt.datetime
    sizes: Mapping[str, int]


def mark(target: "Target") -> Mark:
    """The ends of the log files as they are now. What cannot be read is left to `look_since` to tell."""
    paths = list(target.logs.paths) if target.logs else []
    families, _ = find([Path(path) for path in paths], 0)
    return Mark(dt.datetime.now(dt.UTC), {str(file.inode): file.size for family in families for file in family})


async def look(target: "Target") -> LogFacts:
    """The errors of the last hours in every file that can be read. Raises NotThere, AccessDenied or TimedOut.

    A file among several that cannot be read is named in the facts; only when none can, that is an error.
    """
    settings, at = _configured(target), dt.datetime.now(dt.UTC)
    return await _facts(target, settings, at - dt.timedelta(hours=settings.hours), at, None)


async def look_since(target: "Target", since: Mark) -> LogFacts:
    """The errors that were written since the mark. Raises as `look`."""
    return await _facts(target, _configured(target), since.at, dt.datetime.now(dt.UTC), since.sizes)


def _configured(target: "Target") -> "Logs":
    if target.logs is None:
        raise NotThere(f"the target {target.name} has no logs", action="add [targets.….logs] to the inventory")
    return target.logs


async def _facts(
    target: "Target", settings: "Logs", since: dt.datetime, at: dt.datetime, marks: Mapping[str, int] | None
) -> LogFacts:
    request = {
        "paths": [str(path) for path in settings.paths],
        "since": since.timestamp(),
        "now": at.timestamp(),
        "zone": settings.timezone or target.timezone,
        "shares": SHARES,
        "marks": marks,
    }
    facts = merge(await _scan(settings, request), at, (at - since).total_seconds() / 3600)
    if not facts.files:
        raise _nothing_read(facts.skipped)
    return facts


async def _scan(settings: "Logs", request: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        async with asyncio.TaskGroup() as group:
            shares = [
                group.create_task(
                    shell.run(SCANNER, timeout=settings.deadline, stdin=orjson.dumps(request | {"share": share}))
                )
                for share in range(SHARES)
            ]
    except BaseExceptionGroup as errors:
        raise _named(errors.exceptions[0], settings) from errors
    return [orjson.loads(share.result().stdout) for share in shares]


def _named(error: BaseException, settings: "Logs") -> BaseException:
    """The scanner's failure, said as what it means to a person."""
    paths = ", ".join(map(str, settings.paths))
    if isinstance(error, TimedOut):
        action = "raise logs.deadline, lower logs.hours, or look at the disk"
        return TimedOut(f"{paths} could not be read within {settings.deadline:g} s", action=action)
    if isinstance(error, CommandFailed):
        what = f"the scan of {paths} failed: {error.what}"
        return CommandFailed(
            what, exit_code=error.exit_code, stderr=error.stderr, action="report this as a bug of Atom Ops"
        )
    return error


def _nothing_read(skipped: tuple[FileSkipped, ...]) -> AtomOpsError:
    what = "; ".join(f"the log file {file.path} {file.reason}" for file in skipped[:3])
    denied = any(file.kind == "denied" for file in skipped)
    return (AccessDenied if denied else NotThere)(what, action=skipped[0].action)
