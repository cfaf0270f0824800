"""Which set is meant, in which store it lies, which of its tables are wanted, and what reads it."""

import asyncio
from dataclasses import dataclass

from atomops.backup.access import Access, backups_of
from atomops.backup.places import Place, places_of
from atomops.errors import AtomOpsError, NotThere, PermanentError
from atomops.facts.backup import BackupSet, Listing, Manifest, Obstacle
from atomops.facts.restore import SWAP
from atomops.inventory import Backups, Target
from atomops.plans.choice import choose
from atomops.plans.tables import full_names, same_names
from atomops.probes.postgres.connect import Session
from atomops.restore.databases import REPLACED, Marked, marked
from atomops.restore.sessions import restoring_session
from atomops.scratch.installations import Installation, installations, knows_codec
from atomops.stores.store import Store
from atomops.verdict import Unseen

_SETS_TIMEOUT_SINCE = 17  # pg_restore, in its every session: an older server refuses that, see commands.postgres
_LOOK_SECONDS = 30
_PARTS = """
    SELECT format('%%I.%%I', nspname, relname)
    FROM pg_partition_tree(to_regclass(%s)) AS part JOIN pg_class ON pg_class.oid = part.relid
    JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE isleaf
"""


@dataclass(frozen=True)
class FromSet:
    """A set, and the store that it is read from."""

    set: BackupSet
    store: Store


@dataclass(frozen=True)
class Programs:
    """PostgreSQL's programs that read the set. `goes_on`: pg_restore must go on after what an older server refuses."""

    installation: Installation | None = None
    goes_on: bool = False

    @property
    def bin(self) -> str:
        """Their folder."""
        return str(self.installation.bin) if self.installation else "."


async def choose_previous(session: Session, database: str, mode: str) -> Marked:
    """The database that the last exchange has replaced. Raises NotThere."""
    kept = await marked(session, database, REPLACED)
    if mode != SWAP or not kept:
        raise NotThere(f"no replaced database of {database} is kept", action="restore a set: backup=latest")
    return kept[-1]


async def choose_set(target: Target, wanted: str, database: str) -> tuple[FromSet, tuple[str, ...]]:
    """The set, and which stores were passed over. Raises NotThere."""
    places = await places_of(target, backups_of(target))
    notes = tuple(note for place in places for note in _passed_over(place))
    choice = choose(wanted, database, [_listing(place) for place in places], target.timezone)
    if choice.set is None:
        raise NotThere(choice.why_not, action="; ".join(notes) or "look at them: atomops backups list")
    return FromSet(choice.set, places[choice.store].store), notes


async def programs_for(settings: Backups, server_major: int, manifest: Manifest) -> tuple[Programs, list[Obstacle]]:
    """The ones that read the set and suit the server best; an obstacle where this machine has none."""
    dumped_by = _major(manifest.client_version)
    try:
        found = await installations(settings.postgres_bin)
    except AtomOpsError as error:
        return Programs(), [Obstacle("pg_restore", error.what, error.action)]
    able = [each for each in found if each.major >= dumped_by]
    known = await asyncio.gather(*(knows_codec(each, manifest.codec) for each in able))
    able = [each for each, knows in zip(able, known, strict=True) if knows]
    if not able:
        here = ", ".join(map(str, found))
        reason = f"{manifest.id} needs pg_restore {dumped_by} or newer that knows {manifest.codec}; here are {here}"
        remedy = f"install postgresql-client-{dumped_by}, or name its folder in backups.postgres_bin"
        return Programs(), [Obstacle("pg_restore", reason, remedy)]
    best = min(able, key=lambda each: (each.major != server_major, _goes_on(each, server_major), each.major))
    return Programs(best, _goes_on(best, server_major)), []


async def chosen_tables(tables: tuple[str, ...], manifest: Manifest, live: Access, target: Target) -> tuple[str, ...]:
    """The tables as the manifest has them; of a partitioned one its partitions, as the live database knows them.

    Raises NotThere for one that the set does not have, PermanentError for two that one schema cannot hold.
    """
    if not tables:
        raise PermanentError("no table is named", action='name them: tables = ["agents", "public.users"]')
    known, unknown = full_names(tables, manifest.contents.tables)
    for each in unknown:
        parts = [part for part in await _parts(each, live, target) if part in manifest.contents.tables]
        if not parts:
            what = f"{manifest.id} has no rows of a table {each}"
            raise NotThere(what, action="name the schema too, or of a partitioned table its partitions")
        known += tuple(parts)
    known = tuple(dict.fromkeys(known))
    if twice := same_names(known):
        what = f"one schema cannot hold two tables called {', '.join(twice)}"
        raise PermanentError(what, action="name one of them; drop or rename its schema before the other")
    return known


async def _parts(table: str, live: Access, target: Target) -> list[str]:
    async with restoring_session(live, target.changes, seconds=_LOOK_SECONDS) as session:
        rows = await (await session.execute(_PARTS, [table])).fetchall()
    return sorted(str(name) for (name,) in rows)


def _goes_on(installation: Installation, server_major: int) -> bool:
    return installation.major >= _SETS_TIMEOUT_SINCE > server_major


def _major(version: str) -> int:
    return int("".join(each for each in version.split(".", maxsplit=1)[0] if each.isdigit()) or 0)


def _passed_over(place: Place) -> list[str]:
    unseen = place.before
    return [f"{place.store.name} was passed over: {unseen.reason}"] if isinstance(unseen, Unseen) else []


def _listing(place: Place) -> Listing:
    return Listing(place.store.name) if isinstance(place.before, Unseen) else place.before
