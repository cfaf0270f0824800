"""The application's own tables, through the questions of its profile."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import psycopg

from atomops.facts.postgres import Answer, Cell, Server
from atomops.probes.postgres.catalogue import quoted, unseen
from atomops.probes.postgres.connect import Session
from atomops.profiles.profile import Profile, Question
from atomops.verdict import Unseen

_MOST_ROWS = 50  # of an answer; evidence is for people


async def recognise(session: Session, candidates: tuple[Profile, ...]) -> Profile | Unseen:
    """The profile whose tables are there, the most of them; with a single candidate, that one whatever is there."""
    if len(candidates) == 1:
        return candidates[0]
    counts = {
        profile.name: len(profile.tables) - len(await missing_tables(session, profile.tables)) for profile in candidates
    }
    best = max(candidates, key=lambda profile: counts[profile.name])
    if counts[best.name]:
        return best
    names = "; ".join(f"{profile.name}: {', '.join(profile.tables)}" for profile in candidates)
    return Unseen(f"no profile's tables are in this database ({names})", "set `profile`, or check postgres.dsn")


async def answers(session: Session, server: Server, profile: Profile) -> Mapping[str, Answer | Unseen]:
    """The answer to every question that the profile asks in a checklist, by code."""
    asked = [question for question in profile.questions if "postgres" in question.parts]
    return {question.code: await _answer(session, server, question) for question in asked}


async def _answer(session: Session, server: Server, question: Question) -> Answer | Unseen:
    unreadable = await obstacle(session, server, question)
    if unreadable:
        return unreadable
    try:
        cursor = await session.execute(question.sql.encode())
        rows = await cursor.fetchmany(_MOST_ROWS)
    except psycopg.Error as error:
        return unseen(error, session, server)
    columns = tuple(column.name for column in cursor.description or ())
    return Answer(columns, tuple(tuple(cell(value) for value in row) for row in rows))


async def obstacle(session: Session, server: Server, question: Question) -> Unseen | None:
    """Why its tables would tell nothing, or not all that is in them: PostgreSQL leaves out hidden rows silently."""
    missing = await missing_tables(session, question.tables)
    if missing:
        return Unseen(
            f"there is no table {', '.join(missing)} in {server.database}", "set `profile`, or check search_path"
        )
    hidden = await _hidden(session, question.tables)
    if hidden:
        reason = f"row level security hides rows of {', '.join(hidden)} from the role {server.role}"
        return Unseen(reason, f"ALTER ROLE {quoted(server.role)} BYPASSRLS;")
    return None


async def _hidden(session: Session, tables: tuple[str, ...]) -> list[str]:
    cursor = await session.execute(
        "SELECT name FROM unnest(%s::text[]) AS name WHERE row_security_active(to_regclass(name))", [list(tables)]
    )
    return [str(row[0]) for row in await cursor.fetchall()]


async def missing_tables(session: Session, tables: tuple[str, ...]) -> list[str]:
    """Those that are not to be found by the session's search_path."""
    cursor = await session.execute(
        "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NULL", [list(tables)]
    )
    return [str(row[0]) for row in await cursor.fetchall()]


def cell(value: object) -> Cell:
    """The value as reports keep it."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return float(value)
        case dt.datetime():
            return value.isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")
        case _:
            return str(value)
