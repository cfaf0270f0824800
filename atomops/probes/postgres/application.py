"""The application's own tables, through the questions of its profile."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import psycopg

from atomops.facts.postgres import Answer, Cell, Server
from atomops.probes.postgres.catalogue import unseen
from atomops.probes.postgres.session import Session
from atomops.profiles.profile import Profile, Question
from atomops.verdict import Unseen

_MOST_ROWS = 50  # of an answer; evidence is for people


async def recognise(session: Session, candidates: tuple[Profile, ...]) -> Profile | Unseen:
    """The profile whose tables are there, the most of them; with a single candidate, that one whatever is there."""
    if len(candidates) == 1:
        return candidates[0]
    counts = {
        profile.name: len(profile.tables) - len(await _missing(session, profile.tables)) for profile in candidates
    }
    best = max(candidates, key=lambda profile: counts[profile.name])
    if counts[best.name]:
        return best
    names = "; ".join(f"{profile.name}: {', '.join(profile.tables)}" for profile in candidates)
    return Unseen(f"no profile's tables are in this database ({names})", "set `profile`, or check postgres.dsn")


async def answers(session: Session, server: Server, profile: Profile) -> Mapping[str, Answer | Unseen]:
    """The answer to every question of the profile, by code."""
    return {question.code: await _answer(session, server, question) for question in profile.questions}


async def _answer(session: Session, server: Server, question: Question) -> Answer | Unseen:
    missing = await _missing(session, question.tables)
    if missing:
        return Unseen(
            f"there is no table {', '.join(missing)} in {server.database}", "set `profile`, or check search_path"
        )
    try:
        cursor = await session.execute(question.sql.encode())
        rows = await cursor.fetchmany(_MOST_ROWS)
    except psycopg.Error as error:
        return unseen(error, session, server)
    columns = tuple(column.name for column in cursor.description or ())
    return Answer(columns, tuple(tuple(_cell(value) for value in row) for row in rows))


async def _missing(session: Session, tables: tuple[str, ...]) -> list[str]:
    cursor = await session.execute(
        "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NULL", [list(tables)]
    )
    return [str(row[0]) for row in await cursor.fetchall()]


def _cell(value: object) -> Cell:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return float(value)
        case dt.datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case _:
            return str(value)
