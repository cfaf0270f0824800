"""The databases of a restore: the live one, the copy that comes in, and those that were replaced and are kept.

What is ours is known by its comment, never by its name: `atomops {"kind": ..., "of": ..., ...}`.
"""

import datetime as dt
import json
import re
from dataclasses import dataclass

from atomops.backup.access import Access
from atomops.change.lock import apart_from
from atomops.probes.postgres.connect import Session

INCOMING, REPLACED, REFUSED = "incoming", "replaced", "refused"
KEPT = (REPLACED, REFUSED)  # until their time has come
_MARK = "atomops "
_LONGEST = 63  # bytes of a name in PostgreSQL
_LIVE = """
    SELECT pg_get_userbyid(datdba)::text, coalesce(shobj_description(oid, 'pg_database'), ''), datconnlimit,
           (SELECT spcname::text FROM pg_tablespace WHERE pg_tablespace.oid = dattablespace),
           CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
                THEN pg_database_size(oid) END
    FROM pg_database WHERE datname = %s
"""
_OURS = """
    SELECT datname::text, shobj_description(oid, 'pg_database'),
           CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
                THEN pg_database_size(oid) END
    FROM pg_database WHERE shobj_description(oid, 'pg_database') LIKE 'atomops {%%' ORDER BY datname
"""


_UNMARKED = """
    SELECT datname FROM pg_database
    WHERE shobj_description(oid, 'pg_database') IS NULL
      AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE pg_stat_activity.datid = pg_database.oid)
"""
_EPOCH = dt.datetime.fromtimestamp(0, dt.UTC)
_DIGITS = len("19700101t000000000")


@dataclass(frozen=True)
class Live:
    """What of the live database its successor gets as well. `bytes` None where our role may not see it."""

    name: str
    owner: str
    comment: str
    connection_limit: int
    tablespace: str
    bytes: int | None


@dataclass(frozen=True)
class Mark:
    """What we say of a database in its comment; `comment` is the one that it had, `target` whose change has made it."""

    kind: str
    of: str
    at: str
    why: str = ""
    until: str = ""
    comment: str = ""
    target: str = ""

    @property
    def text(self) -> str:
        """The comment itself."""
        return f"{_MARK}{json.dumps(self.__dict__, ensure_ascii=False)}"

    @classmethod
    def read(cls, comment: str) -> "Mark | None":
        """What a comment of ours says; None for anybody else's."""
        try:
            return cls(**json.loads(comment.removeprefix(_MARK)))
        except (ValueError, TypeError):
            return None


@dataclass(frozen=True)
class Marked:
    """A database that bears a mark of ours."""

    name: str
    mark: Mark
    bytes: int | None


@dataclass(frozen=True)
class Names:
    """The databases of one restore."""

    live: str
    incoming: str
    replaced: str
    refused: str

    @classmethod
    def at(cls, live: str, now: dt.datetime) -> "Names":
        """New names that sort by time and fit into PostgreSQL's 63 bytes."""
        return cls(live, *(_named(live, kind, now) for kind in (INCOMING, REPLACED, REFUSED)))


def _named(live: str, kind: str, now: dt.datetime) -> str:
    end = f"_{kind}_{now.astimezone(dt.UTC):%Y%m%dt%H%M%S}{now.microsecond // 1000:03}"  # two may be of one second
    return live.encode()[: _LONGEST - len(end)].decode(errors="ignore") + end


async def unmarked_copies(session: Session, live: str) -> tuple[str, ...]:
    """Copies that bear our exact kind of name and no comment yet, and that nobody is in.

    A run that is killed right after CREATE DATABASE could not mark its own: it needs a statement of its own.
    """
    pattern = re.compile(re.escape(_named(live, INCOMING, _EPOCH)[:-_DIGITS]) + r"\d{8}t\d{9}")
    rows = await (await session.execute(_UNMARKED)).fetchall()
    return tuple(str(name) for (name,) in rows if pattern.fullmatch(str(name)))


def maintenance(access: Access, *others: str) -> Access:
    """A database that is none of those, from which they can be renamed."""
    return access.to(apart_from(access.database, *others))


async def look_at_live(session: Session, name: str) -> Live | None:
    """The live database, or None when there is none."""
    row = await (await session.execute(_LIVE, [name])).fetchone()
    return Live(name, *row) if row else None  # type: ignore[arg-type]  # as the statement says


async def every_marked(session: Session) -> tuple[Marked, ...]:
    """Every database with a mark of ours, the newest last.

    Not one that bears the live name, whatever its comment says: somebody has renamed it by hand, and lives on it.
    """
    rows = await (await session.execute(_OURS)).fetchall()
    found = [(str(name), Mark.read(str(comment)), size) for name, comment, size in rows]
    ours = [Marked(name, mark, size) for name, mark, size in found if mark and mark.of != name]  # type: ignore[arg-type]  # a bigint or NULL
    return tuple(sorted(ours, key=lambda each: each.mark.at))


async def marked(session: Session, of: str, kind: str) -> tuple[Marked, ...]:
    """Those of one database, and of one kind."""
    return tuple(each for each in await every_marked(session) if (each.mark.kind, each.mark.of) == (kind, of))


async def left_over(session: Session, of: str, target: str) -> tuple[Marked, ...]:
    """The copies that runs of this target have left which were killed. Its lock must be held: none is being made."""
    return tuple(each for each in await marked(session, of, INCOMING) if each.mark.target == target)
