"""The plan's own statements and commands: what is carried out is what a dry run prints."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from psycopg import sql

from atomops import shell
from atomops.backup.access import backups_of
from atomops.backup.scratch import locales
from atomops.commands import postgres as commands
from atomops.commands.postgres import RestoreOptions
from atomops.facts.backup import Manifest
from atomops.facts.restore import TABLES
from atomops.inventory.runtime import Command
from atomops.plans.restoring import Course
from atomops.restore.choosing import FromSet
from atomops.restore.databases import INCOMING, Mark, Marked
from atomops.restore.exchange import Renames, statements
from atomops.restore.settings import setting_statements

if TYPE_CHECKING:
    from atomops.restore.planning import RestorePlan

DEFINITIONS, ROWS, MOVED = "definitions.list", "rows.list", "tables.dump"  # in the folder of the run
_TOLERANT_JOBS = 8  # each of them says something that must be read whole, see copying
_DEFAULT_TABLESPACE = "pg_default"


def course_of(plan: "RestorePlan") -> Course:
    """The plan as its steps need it."""
    source, names = plan.source, plan.names
    incoming = plan.access.to(names.incoming).conninfo
    from_set = isinstance(source, FromSet)
    manifest = source.set.manifest if isinstance(source, FromSet) else None
    return Course(
        mode=plan.wanted.mode,
        quiesce=plan.wanted.quiesce,
        source=manifest.id if manifest else "",
        store=source.store.name if isinstance(source, FromSet) else "",
        live=names.live,
        incoming=names.incoming,
        creating=_text([*creating(plan, manifest), *plan.grants]) if manifest else (),
        restoring=tuple(map(shell.display, _restoring(plan, incoming))) if from_set else (),
        analyzing=shell.display(commands.analyze(plan.programs.bin, incoming, jobs=backups_of(plan.target).jobs)),
        settings=_text(setting_statements(names.incoming, manifest.origin)) if manifest else (),
        renaming=("BEGIN", *_text(statements(renames_of(plan))), "COMMIT"),
        dropping=_text([dropping(names.incoming)])[0],
        schema=schema_of(plan),
        tables=plan.tables,
        moving=tuple(_moving(plan, incoming)),
        safety_dump=plan.saves,
        **_runtime(plan),
    )


def creating(plan: "RestorePlan", manifest: Manifest) -> tuple[sql.Composed, ...]:
    """Empty, in the original's locale, owned as the live one, and marked as ours for whoever clears up."""
    name, origin, live = sql.Identifier(plan.names.incoming), manifest.origin, plan.live
    owner = live.owner if live else origin.owner
    owned = sql.SQL("OWNER {} ").format(sql.Identifier(owner)) if owner else sql.SQL("")
    elsewhere = live is not None and live.tablespace != _DEFAULT_TABLESPACE
    where = sql.SQL(" TABLESPACE {}").format(sql.Identifier(live.tablespace)) if live and elsewhere else sql.SQL("")
    locale = next(locales(origin, plan.server_version))
    mark = Mark(INCOMING, plan.names.live, plan.at.isoformat(), manifest.id, target=plan.target.name)
    made = sql.SQL("CREATE DATABASE {} {}TEMPLATE template0 ENCODING {} {}{}")
    return (
        made.format(name, owned, sql.Literal(origin.encoding), locale, where),
        sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, sql.Literal(mark.text)),
    )


def dropping(name: str) -> sql.Composed:
    """The database is gone, if it was there, whoever is connected to it."""
    return sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))


def renames_of(plan: "RestorePlan") -> Renames:
    """What becomes what. Sessions that come from a set have no comment of their own."""
    source, names, live = plan.source, plan.names, plan.live
    until = plan.until
    if isinstance(source, Marked):
        why = f"gone back to {source.name}"
        return Renames(names.live, live, names.incoming, names.replaced, plan.at, until, why, source.mark)
    origin = source.set.manifest.origin
    why = f"replaced by {source.set.id}"
    return Renames(
        name=names.live,
        live=live,
        comes=names.incoming,
        goes=names.replaced,
        at=plan.at,
        until=until,
        why=why,
        comment=origin.comment,
        limit=origin.connection_limit,
    )


def schema_of(plan: "RestorePlan") -> str:
    """Where chosen tables are put: named after the moment that they come from."""
    source = plan.source
    at = source.set.at if isinstance(source, FromSet) else plan.at
    return f"restored_{at:%Y%m%dt%H%M%S}"


def restore_options(plan: "RestorePlan", *, listed: str = "", goes_on: bool = False) -> RestoreOptions:
    """How pg_restore is called."""
    jobs, tolerant = backups_of(plan.target).jobs, plan.programs.goes_on
    jobs = min(jobs, _TOLERANT_JOBS) if tolerant else jobs
    return RestoreOptions(jobs, listed, goes_on or tolerant, plan.tablespaces)


def _restoring(plan: "RestorePlan", incoming: str) -> list[list[str]]:
    if plan.wanted.mode != TABLES:
        return [commands.restore_live(plan.programs.bin, incoming, commands.DATA, restore_options(plan))]
    lists = ((DEFINITIONS, True), (ROWS, False))
    options = [restore_options(plan, listed=name, goes_on=goes_on) for name, goes_on in lists]
    return [commands.restore_live(plan.programs.bin, incoming, commands.DATA, each) for each in options]


def making_schema(plan: "RestorePlan") -> sql.Composed:
    """The schema of the chosen tables, for the owner of the live database to read."""
    owner = sql.SQL(" AUTHORIZATION {}").format(sql.Identifier(plan.live.owner)) if plan.live else sql.SQL("")
    return sql.SQL("CREATE SCHEMA {}{}").format(sql.Identifier(schema_of(plan)), owner)


def moving(plan: "RestorePlan", table: str) -> sql.Composed:
    """One of the chosen tables into their schema; its name is quoted already."""
    name = sql.SQL(table)
    return sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(name, sql.Identifier(schema_of(plan)))


def _moving(plan: "RestorePlan", incoming: str) -> Iterable[str]:
    if plan.wanted.mode != TABLES:
        return
    made = _text([making_schema(plan), *(moving(plan, each) for each in plan.tables)])
    yield from (f"in {plan.names.incoming}: {each}" for each in made)
    programs, archive = plan.programs.bin, MOVED
    yield shell.display(commands.dump_schema(programs, incoming, archive, schema=schema_of(plan)))
    yield shell.display(commands.restore_schema(programs, plan.access.conninfo, archive))


def _text(composed: Iterable[sql.Composed]) -> tuple[str, ...]:
    return tuple(each.as_string() for each in composed)


def _runtime(plan: "RestorePlan") -> dict[str, str]:
    """What is stopped and started, and how."""
    if plan.runtime is None:
        return {}
    told = {"runtime": plan.runtime.name, "stopping": "and wait until no process of it is left"}
    told |= {"starting": "as many as before", "restarting": "as many as before"}
    settings = plan.target.runtime
    if isinstance(settings, Command):
        what = ("stopping", settings.stop), ("starting", settings.start), ("restarting", settings.restart)
        told |= {name: shell.display(argv) for name, argv in what}
    return told
