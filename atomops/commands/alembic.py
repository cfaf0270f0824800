"""Command lines, addresses and environments for the application's own alembic. Pure.

The address of the database, and with it the password, goes into the child's environment, never into its command line.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from atomops.facts.migration import Action

_OF_ITS_OWN = {"host", "port", "user", "dbname", "password"}  # parts of an address that are no options of it


@dataclass(frozen=True)
class Patience:
    """What every session of the migration is told, in seconds."""

    lock: float
    statement: float


def current(command: Sequence[str]) -> list[str]:
    """The revisions of the database, each with its script."""
    return [*command, "current", "--verbose"]


def history(command: Sequence[str]) -> list[str]:
    """Every script that there is; no database is asked."""
    return [*command, "history", "--verbose"]


def migrate(command: Sequence[str], action: Action, revision: str) -> list[str]:
    """To exactly that revision."""
    return [*command, action, revision]


def print_sql(command: Sequence[str], action: Action, start: str, end: str) -> list[str]:
    """The statements from one revision to another; no database is asked."""
    return [*command, action, f"{start}:{end}", "--sql"]


def address(parts: Mapping[str, str], password: str | None, scheme: str) -> str:
    """The connection string's parts as an URL, whatever is in them; a socket's folder goes into the query."""
    user = quote(parts.get("user", ""), safe="")
    secret = f":{quote(password, safe='')}" if password is not None else ""
    login = f"{user}{secret}@" if user else ""
    host, port = parts.get("host", ""), parts.get("port", "")
    options = {name: value for name, value in sorted(parts.items()) if name not in _OF_ITS_OWN}
    if host.startswith("/") or "," in host:
        options = {"host": host, **({"port": port} if port else {}), **options}
        host = port = ""
    place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    query = f"?{urlencode(options, quote_via=quote)}" if options else ""
    return f"{scheme}://{login}{place}/{quote(parts.get('dbname', ''), safe='')}{query}"


def session_options(patience: Patience, more: Iterable[str], *, notices_our_end: bool) -> str:
    """PGOPTIONS: no statement waits long for a lock, since others wait behind it; nor goes on when we are gone."""
    settings = [f"lock_timeout={round(patience.lock * 1000)}", f"statement_timeout={round(patience.statement * 1000)}"]
    settings += ["client_connection_check_interval=5s"] if notices_our_end else []
    return " ".join(f"-c {setting}" for setting in (*settings, *more))
