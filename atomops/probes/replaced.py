"""The databases of a server that bear our mark, seen by any role: comments on databases are nobody's secret."""

import datetime as dt

import psycopg

from atomops.backup.access import access_by, in_database, reading
from atomops.change.lock import MAINTENANCE
from atomops.errors import AccessDenied, NotThere
from atomops.facts.replaced import CopyLeft, ReplacedFacts
from atomops.facts.restore import Replaced
from atomops.inventory import Postgres, Target
from atomops.probes.postgres.connect import Session
from atomops.probes.postgres.session import connection_error, read_only_session
from atomops.restore.databases import INCOMING, KEPT, Mark

_MARKED = """
    SELECT datname::text, shobj_description(oid, 'pg_database'), datallowconn,
           CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
                THEN pg_database_size(oid) END
    FROM pg_database WHERE shobj_description(oid, 'pg_database') LIKE 'atomops {%%' ORDER BY datname
"""


async def look(target: Target) -> ReplacedFacts:
    """Every one of the server, whatever target it belongs to. Raises what connecting raises, and InventoryError."""
    settings = target.postgres or reading(target)
    try:
        rows = await _rows(settings)
    except (NotThere, AccessDenied):  # the database itself may be what is missing
        rows = await _rows(in_database(settings, access_by(settings, target.name).to(MAINTENANCE)))
    found = [(str(name), Mark.read(str(comment)), bool(opened), size) for name, comment, opened, size in rows]
    seen = [_seen(name, mark, size, is_open=opened) for name, mark, opened, size in found if mark]
    kept = [each for each in seen if isinstance(each, Replaced)]
    return ReplacedFacts(
        dt.datetime.now(dt.UTC),
        target.name,
        tuple(sorted(kept, key=lambda each: each.until)),
        tuple(each for each in seen if isinstance(each, CopyLeft)),
        tuple(name for name, mark, *_ in found if mark is None) + tuple(each for each in seen if isinstance(each, str)),
    )


async def _rows(settings: Postgres) -> list[tuple[object, ...]]:
    async with read_only_session(settings) as session:
        try:
            return await _asked(session)
        except psycopg.Error as error:
            raise connection_error(error, "the list of databases") from None


async def _asked(session: Session) -> list[tuple[object, ...]]:
    return await (await session.execute(_MARKED)).fetchall()


def _seen(name: str, mark: Mark, size: object, *, is_open: bool) -> Replaced | CopyLeft | str:
    """As facts; its name alone when its mark makes no sense, or when it bears the live name again."""
    number = int(str(size)) if size is not None else None
    try:
        at = dt.datetime.fromisoformat(mark.at)
        if mark.kind == INCOMING:
            return CopyLeft(name, mark.of, at, number)
        if mark.kind in KEPT and name != mark.of:
            until = dt.datetime.fromisoformat(mark.until)
            return Replaced(name, mark.of, until, number, mark.why, at, mark.kind, is_open)
    except ValueError:
        return name
    return name
