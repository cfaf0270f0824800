"""Who runs which agent how often, by the profile's own statements."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, TypeVar

from atomops.facts import executions as seen
from atomops.inventory import Target
from atomops.inventory.security import Security
from atomops.probes.postgres.application import missing_tables, recognise
from atomops.probes.security.session import Reader, reading
from atomops.profiles import candidates
from atomops.profiles.profile import Profile, Statement
from atomops.verdict import Unseen

Row = TypeVar("Row")

_PAIRS, _BUSY, _USERS = 50, 200, 50  # rows at most


async def look(target: Target) -> seen.ExecutionFacts:
    """Everything there is to see, each part by itself. Raises as the look at PostgreSQL does."""
    settings = target.security
    async with reading(target) as reader:
        profile = await recognise(reader.session, candidates(target.profile))
        by_pair = await _answer(reader, profile, "executions", {"days": settings.execution_days, "most": _PAIRS})
        baseline = {"days": settings.baseline_days, "most": _BUSY, "at_least": settings.unusual_at_least}
        users = {"days": settings.baseline_days, "most": _USERS}
        hours = await _answer(reader, profile, "hours", baseline)
        addresses = await _answer(reader, profile, "addresses", users)
    first: Mapping[str, Any] = by_pair[0] if isinstance(by_pair, list) and by_pair else {}
    return seen.ExecutionFacts(
        at=dt.datetime.now(dt.UTC),
        profile=profile.name if isinstance(profile, Profile) else profile,
        days=settings.execution_days,
        usual=_usual(settings),
        by_pair=_rows(by_pair, seen.Executions),
        total=first.get("total", 0),
        pairs=first.get("pairs", 0),
        hours=_rows(hours, seen.Hour),
        addresses=None if addresses is None else _rows(addresses, seen.Addresses),
    )


async def _answer(
    reader: Reader, profile: Profile | Unseen, name: str, parameters: Mapping[str, object]
) -> list[dict[str, Any]] | Unseen | None:
    """The rows, or why there are none; None where the profile does not ask."""
    if isinstance(profile, Unseen):
        return profile
    statement = profile.audit.get(name)
    return None if statement is None else await ask(reader, profile, statement, parameters)


async def ask(
    reader: Reader, profile: Profile, statement: Statement, parameters: Mapping[str, object]
) -> list[dict[str, Any]] | Unseen:
    """The rows of a profile's statement, or which table or column it misses."""
    missing = await missing_tables(reader.session, statement.tables)
    if missing:
        reason = f"there is no table {', '.join(missing)} in {reader.server.database}"
        return Unseen(reason, "set `profile`, or check search_path")
    found = await reader.answer(statement.sql, parameters)
    if isinstance(found, Unseen) and not found.action:
        return Unseen(found.reason, f"mend the statement in the audit/ folder of the profile {profile.name}")
    return found


def _rows(found: list[dict[str, Any]] | Unseen | None, kind: type[Row]) -> tuple[Row, ...] | Unseen:
    if found is None:
        return Unseen("the profile does not ask for it", "add it to the profile's audit/ folder")
    if isinstance(found, Unseen):
        return found
    names = kind.__dataclass_fields__  # type: ignore[attr-defined]  # dataclasses all
    return tuple(kind(**{name: row[name] for name in names}) for row in found)


def _usual(settings: Security) -> seen.Usual:
    return seen.Usual(
        settings.baseline_days,
        settings.baseline_hours,
        settings.executions_per_hour,
        settings.unusual_times,
        settings.unusual_at_least,
    )
