"""What stands against a migration, which backup it needs, what it changes, and what is done when it fails. Pure."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence

from atomops.facts.backup import BackupSet, Contents
from atomops.facts.migration import (
    Action,
    Loss,
    Refusal,
    Rehearsal,
    Revision,
    SchemaChange,
    TakenBack,
    VersionTable,
)
from atomops.humane import plural
from atomops.plans.revisions import History, Refused, steps_down, steps_up, target_of_upgrade
from atomops.verdict import Unseen

_SHOWN = 5
_COLUMN, _TABLES = "column ", ("table ", "partitioned table ")


def course(
    history: History, current: tuple[str, ...] | Unseen, action: Action, revision: str
) -> tuple[str, tuple[Revision, ...], tuple[Refusal, ...]]:
    """The target, what is to be done to get there, in order, and what makes that ambiguous."""
    refusals = []
    if isinstance(current, Unseen):
        return "", (), (Refusal(current.reason, current.action),)
    if not current:
        stamp = f"alembic stamp {history.heads[0]}" if len(history.heads) == 1 else "alembic stamp REVISION"
        action_ = f"find out which revision its schema is of, then once by hand: {stamp}"
        refusals.append(Refusal("the database is not stamped: nobody knows which revision it is at", action_))
    try:
        if action == "downgrade":
            target, steps = steps_down(history, current, revision)
        else:
            target = target_of_upgrade(history, revision)
            steps = steps_up(history, current, target)
    except Refused as refused:
        return "", (), (*refusals, refused.refusal)
    return target, steps, tuple(refusals)


def edited(applied: Iterable[Revision], known: Mapping[str, str], record: str) -> Iterator[Refusal]:
    """Scripts that have been run, and that are not what they were when they were. `known` are hashes by revision."""
    for each in applied:
        if each.sha256 and known.get(each.id, each.sha256) != each.sha256:
            action = f"put it back as it was; if the change is harmless, remove {each.id} from {record}"
            yield Refusal(f"the script of {each.id} was edited after it was run ({each.path})", action)


def of_another_database(current: tuple[str, ...] | Unseen, table: VersionTable | None) -> Iterator[Refusal]:
    """Alembic tells other revisions than the table that we see: then it looks at another database than we do."""
    if table is None or isinstance(current, Unseen) or set(table.revisions) == set(current):
        return
    told = ", ".join(current) or "no revision"
    action = "check migrations.url_variable and migrations.environment against the env.py, and changes.dsn"
    yield Refusal(
        f"alembic is at {told}, alembic_version of our database at {', '.join(table.revisions) or 'none'}", action
    )


def too_long(
    steps: Iterable[Revision], table: VersionTable | None, statements: Sequence[str] | Unseen
) -> Iterator[Refusal]:
    """Revision ids that alembic_version has no room for; alembic itself would fail in the middle of it.

    A step that makes room by itself is told by its statements; where those are unknown, the rehearsal tells.
    """
    if table is None or table.width is None or isinstance(statements, Unseen):
        return
    if any("alembic_version" in each and "version_num TYPE" in each for each in statements):
        return
    long = [each.id for each in steps if len(each.id) > table.width]
    if long:
        remedy = "ALTER TABLE alembic_version ALTER COLUMN version_num TYPE varchar(255)"
        reason = f"{long[0]} has {len(long[0])} characters, alembic_version has room for {table.width}"
        yield Refusal(reason, f"{remedy}; or shorten the id before anybody has run it")


def newest_proven(sets: Iterable[BackupSet], database: str) -> BackupSet | None:
    """The youngest set of that database whose newest proof is a restore."""
    proven = (each for each in sets if each.database == database and each.is_proven)
    return max(proven, key=lambda each: each.at, default=None)


def fits(found: BackupSet, current: tuple[str, ...]) -> bool:
    """Whether the set was dumped at the revision that the database is at now, as far as it tells."""
    migration = found.manifest.origin.migration
    return not migration or set(migration.split(", ")) == set(current)


def age_hours(found: BackupSet, now: dt.datetime) -> float:
    """How old the set is."""
    return (now - found.at).total_seconds() / 3600


def schema_changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[SchemaChange, ...]:
    """Every object that came, went or changed, by its name."""
    names = sorted(before.keys() | after.keys())
    changed = (SchemaChange(name, before.get(name, ""), after.get(name, "")) for name in names)
    return tuple(
        each for each in changed if each.before != each.after or (each.thing in before) != (each.thing in after)
    )


def gone(changes: Iterable[SchemaChange], after: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tables, and the columns of tables that stay, that are not there any more."""
    names = [each.thing for each in changes if each.thing not in after]
    tables = tuple(name.removeprefix(kind) for name in names for kind in _TABLES if name.startswith(kind))
    columns = [name.removeprefix(_COLUMN) for name in names if name.startswith(_COLUMN)]
    return tables, tuple(name for name in columns if not any(name.startswith(f"{table}.") for table in tables))


def row_changes(before: Contents, after: Contents) -> dict[str, int]:
    """By how many rows the tables grew or shrank; those that are new or gone count as well."""
    names = before.tables.keys() | after.tables.keys()
    rows = {name: _rows(after, name) - _rows(before, name) for name in sorted(names)}
    return {name: number for name, number in rows.items() if number}


def _rows(contents: Contents, name: str) -> int:
    return contents.tables[name].rows if name in contents.tables else 0


def losses(
    before: Contents, rows: Mapping[str, int], tables: Sequence[str], columns: Mapping[str, int | None]
) -> tuple[Loss, ...]:
    """What goes: rows of tables that are dropped or shrink, and values of columns that are dropped."""
    found = [Loss(f"the table {name}", _rows(before, name)) for name in tables]
    found += [Loss(f"the column {name}", number) for name, number in columns.items()]
    found += [Loss(f"rows of {name}", -number) for name, number in rows.items() if number < 0 and name not in tables]
    return tuple(each for each in found if each.amount != 0)


def way_back(
    before: tuple[str, ...],
    now: tuple[str, ...] | Unseen,
    schema: tuple[SchemaChange, ...] | Unseen,
    rehearsal: Rehearsal | Unseen | None,
    restore: str,
) -> TakenBack | None:
    """What to do after a failure; None: go back by a downgrade, which the rehearsal has proven to lose nothing.

    `schema` is what has changed since `before`, `restore` the command that brings the backup back.
    """
    if isinstance(now, Unseen):
        return _nobody_knows(now, restore)
    if isinstance(schema, Unseen):
        return _nobody_knows(schema, restore)
    if set(now) == set(before):
        return _at_the_old_revision(schema, restore)
    if isinstance(rehearsal, Rehearsal) and rehearsal.downgrade is not None and rehearsal.downgrade.is_lossless:
        return None
    words = f"it stays at {', '.join(now) or 'no revision'}: no way back is proven to lose nothing"
    return TakenBack("left", words, f"mend it forwards, or restore: {restore}")


def _nobody_knows(unseen: Unseen, restore: str) -> TakenBack:
    action = f"look at `alembic current` and the schema; to restore: {restore}"
    return TakenBack("left", f"nobody knows what it has left: {unseen.reason}", action)


def _at_the_old_revision(schema: tuple[SchemaChange, ...], restore: str) -> TakenBack:
    if not schema:
        return TakenBack("rolled back", "it was rolled back whole: revision and schema are as before")
    left = ", ".join(each.thing for each in schema[:_SHOWN])
    number = plural(len(schema), "change")
    words = f"the revision is as before, but what ran outside of a transaction has left {number}: {left}"
    return TakenBack("left", words, f"take these back by hand, then run it again; or restore: {restore}")


def restore_command(target: str, set_id: str) -> str:
    """How that set comes back."""
    return f"atomops run restore-database --target {target} --set backup={set_id} --set dry_run=false"
