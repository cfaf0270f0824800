"""A setting of a database as PostgreSQL's catalogue has it, and the values that ALTER DATABASE ... SET wants. Pure."""

import re
from dataclasses import dataclass

_LISTS = frozenset(  # each part of their value is quoted by itself, as pg_dump does it
    {
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    }
)
_PART = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^",]*?))\s*(?:,|$)')


@dataclass(frozen=True)
class Setting:
    """`role` is "" for everybody's; several `values` are a list."""

    role: str
    name: str
    values: tuple[str, ...]


def setting_of(text: str) -> Setting:
    """What `name=value`, or `role: name=value`, says."""
    before, _, value = text.partition("=")
    role, _, name = before.rpartition(": ")
    return Setting(role, name, _parts(value) if name.lower() in _LISTS else (value,))


def _parts(value: str) -> tuple[str, ...]:
    parts, at = [], 0
    while at < len(value):
        match = _PART.match(value, at)
        if match is None:
            return (value,)
        quoted, plain = match.groups()
        parts.append(plain if quoted is None else quoted.replace('""', '"'))
        at = match.end()
    return tuple(parts) or ("",)
