"""Roles, rights and settings of a PostgreSQL server, read by a role that need not be a superuser."""

import datetime as dt
from typing import TypeVar

from psycopg import sql

from atomops.facts import access as seen
from atomops.inventory import Target
from atomops.probes.security.session import Reader, reading, text
from atomops.verdict import Unseen

Row = TypeVar("Row")

_SETTINGS = (
    "ssl",
    "ssl_min_protocol_version",
    "listen_addresses",
    "password_encryption",
    "log_connections",
    "log_disconnections",
    "log_statement",
    "shared_preload_libraries",
    "pgaudit.log",
)
_METHODS = "atomops_password_methods"


async def look(target: Target) -> seen.AccessFacts:
    """Everything there is to see, each part by itself. Raises as the look at PostgreSQL does."""
    expected = target.security
    async with reading(target) as reader:
        server = reader.server
        return seen.AccessFacts(
            at=dt.datetime.now(dt.UTC),
            version=server.version,
            version_number=server.version_number,
            database=server.database,
            reader=server.role,
            expected=seen.Expected(
                expected.superusers, expected.privileged, expected.public_tables, expected.languages
            ),
            settings=await _settings(reader),
            roles=await _ask(reader, "roles", seen.Role),
            passwords=await _passwords(reader),
            rights=await _ask(reader, "rights", seen.PublicRight),
            definers=await _ask(reader, "definers", seen.Definer),
            languages=await _ask(reader, "languages", seen.Language),
            hba=_with_remedy(await _ask(reader, "hba", seen.HbaRule), _hba_grant(reader)),
        )


async def _ask(reader: Reader, name: str, kind: type[Row]) -> tuple[Row, ...] | Unseen:
    return await reader.rows(text(name), kind, {})


async def _settings(reader: Reader) -> dict[str, str]:
    statement = "SELECT name, setting FROM pg_catalog.pg_settings WHERE name = ANY(%(names)s)"
    found = await reader.answer(statement, {"names": list(_SETTINGS)})
    return {} if isinstance(found, Unseen) else {str(row["name"]): str(row["setting"]) for row in found}


async def _passwords(reader: Reader) -> tuple[seen.PasswordMethod, ...] | Unseen:
    """By a view that tells the method and not the hash, where somebody has made it; else as a superuser."""
    there = await reader.answer(f"SELECT to_regclass('{_METHODS}') IS NOT NULL AS made", {})
    if not isinstance(there, Unseen) and there[0]["made"]:
        return await _ask(reader, "password_methods", seen.PasswordMethod)
    return _with_remedy(await _ask(reader, "passwords", seen.PasswordMethod), _view(reader))


def _view(reader: Reader) -> str:
    """A view tells what its owner may see: the method of each password, and never the hash."""
    body = " ".join(text("passwords").split())
    return f"as a superuser: CREATE VIEW {_METHODS} AS {body}; GRANT SELECT ON {_METHODS} TO {_us(reader)};"


def _hba_grant(reader: Reader) -> str:
    us = _us(reader)
    grants = f"GRANT SELECT ON pg_hba_file_rules TO {us}; GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO {us};"
    return f"as a superuser, in {reader.server.database}: {grants}"


def _us(reader: Reader) -> str:
    return sql.Identifier(reader.server.role).as_string(reader.session)


def _with_remedy(part: tuple[Row, ...] | Unseen, action: str) -> tuple[Row, ...] | Unseen:
    return Unseen(part.reason, action) if isinstance(part, Unseen) else part
