"""Failed logins: from the application's log, from its audit table, and from PostgreSQL's own log."""

import asyncio
import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from atomops import shell
from atomops.errors import AccessDenied, CommandFailed, NotThere, TimedOut
from atomops.facts.logins import Failed, LoginFacts, Source
from atomops.inventory import Target
from atomops.probes.attempt import attempt
from atomops.probes.postgres.application import recognise
from atomops.probes.security.executions import ask
from atomops.probes.security.session import reading
from atomops.profiles import candidates
from atomops.profiles.profile import Profile
from atomops.verdict import Unseen

SCANNER = (sys.executable, "-P", "-m", "atomops.probes.security.login_scan")
_MOST = 1_000  # rows of the table
_LOG_SECONDS = 120  # where no application log says how long


async def look(target: Target) -> LoginFacts:
    """Every source by itself; one that fails is unseen, with its reason. Never raises for one of them."""
    at = dt.datetime.now(dt.UTC)
    logs = target.logs.paths if target.logs else ()
    log, table, postgres = await asyncio.gather(
        _from_log(target, logs, "application", at),
        _from_table(target),
        _from_log(target, target.security.postgres_logs, "postgres", at),
    )
    return LoginFacts(at, target.security.login_hours, log, table, postgres)


async def _from_log(target: Target, paths: Sequence[Path], kind: str, at: dt.datetime) -> Source | Unseen | None:
    return await attempt(_scan(target, paths, kind, at)) if paths else None


async def _scan(target: Target, paths: Sequence[Path], kind: str, at: dt.datetime) -> Source:
    since = at - dt.timedelta(hours=target.security.login_hours)
    zone = (target.logs.timezone if target.logs else None) or target.timezone
    deadline = target.logs.deadline if target.logs else _LOG_SECONDS
    request = {"paths": list(map(str, paths)), "kind": kind, "since": since.timestamp(), "now": at.timestamp()}
    stdin = orjson.dumps(request | {"zone": zone})
    named = ", ".join(map(str, paths))
    try:
        answer = orjson.loads((await shell.run(SCANNER, timeout=deadline, stdin=stdin)).stdout)
    except TimedOut as error:
        action = "raise logs.deadline, lower security.login_hours, or look at the disk"
        raise TimedOut(f"{named} could not be read within {deadline:g} s", action=action) from error
    except CommandFailed as error:
        what, action = f"the scan of {named} failed: {error.what}", "report this as a bug of Atom Ops"
        raise CommandFailed(what, exit_code=error.exit_code, stderr=error.stderr, action=action) from error
    return _source(answer)


def _source(answer: dict[str, Any]) -> Source:
    """Raises AccessDenied or NotThere when no file at all could be read."""
    skipped = answer["skipped"]
    if not answer["files"] and skipped:
        kind = AccessDenied if skipped[0]["kind"] == "denied" else NotThere
        raise kind(f"the log file {skipped[0]['path']} {skipped[0]['reason']}", action=skipped[0]["action"])
    pairs = (
        Failed(account, address, count, _moment(first), _moment(last))
        for account, address, count, first, last in answer["pairs"]
    )
    incomplete = tuple(Unseen(f"{each['path']} {each['reason']}", each["action"]) for each in skipped)
    return Source(tuple(sorted(pairs, key=lambda each: -each.count)), answer["more"], incomplete)


async def _from_table(target: Target) -> Source | Unseen | None:
    return await attempt(_read_table(target)) if target.postgres else None


async def _read_table(target: Target) -> Source | Unseen | None:
    async with reading(target) as reader:
        profile = await recognise(reader.session, candidates(target.profile))
        if not isinstance(profile, Profile):
            return profile
        statement = profile.audit.get("failed-logins")
        if statement is None:
            return None
        parameters = {"hours": target.security.login_hours, "most": _MOST}
        found = await ask(reader, profile, statement, parameters)
    if isinstance(found, Unseen):
        return found
    rows = [Failed(*(row[name] for name in ("account", "address", "count", "first", "last"))) for row in found]
    total = int(found[0]["total"]) if found else 0
    return Source(tuple(rows), total - sum(each.count for each in rows))


def _moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
