"""Chosen tables of the copy go into a schema of their own in the live database, where lost rows can be looked up."""

from pathlib import Path

from psycopg import sql

from atomops import shell
from atomops.backup.access import Access, backups_of
from atomops.commands import postgres as commands
from atomops.errors import CommandFailed, PermanentError
from atomops.probes.postgres.connect import Session
from atomops.restore.course import MOVED, making_schema, moving, schema_of
from atomops.restore.planning import RestorePlan
from atomops.restore.sessions import restoring_session

_CONNECT_SECONDS = 30
_STATEMENT_SECONDS = 3600
_WITH_PARTS = """
    SELECT format('%%I.%%I', nspname, relname) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE pg_class.oid IN (SELECT %(name)s::regclass UNION SELECT relid FROM pg_partition_tree(%(name)s))
    ORDER BY pg_class.oid
"""
_PARENTS = """
    SELECT inhparent::regclass::text, relispartition FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhrelid = %(name)s::regclass AND NOT inhparent = ANY (%(moved)s::regclass[])
"""


async def copy_tables(plan: RestorePlan, work: Path) -> str:
    """The schema that holds them now, all of them or none. Raises PermanentError in PostgreSQL's own words.

    Their rows, columns and defaults are there; keys, indexes and triggers are not, since they would tie the rows to
    those of today. No table of the live database is touched.
    """
    schema, programs = schema_of(plan), plan.programs.bin
    incoming, archive = plan.access.to(plan.names.incoming), str(work / MOVED)
    async with restoring_session(incoming, plan.target.changes, seconds=_STATEMENT_SECONDS) as session:
        await session.execute(making_schema(plan))
        moved = [name for table in plan.tables for name in await _with_parts(session, table)]
        for name in moved:
            await _take_out(session, name, moved)
        for name in moved:
            await session.execute(moving(plan, name))
    await _run(plan, incoming, commands.dump_schema(programs, incoming.conninfo, archive, schema=schema), work)
    await _run(plan, plan.access, commands.restore_schema(programs, plan.access.conninfo, archive), work)
    return schema


async def _with_parts(session: Session, table: str) -> list[str]:
    """A partitioned table goes with its partitions."""
    rows = await (await session.execute(_WITH_PARTS, {"name": table})).fetchall()
    return [str(name) for (name,) in rows]


async def _take_out(session: Session, table: str, moved: list[str]) -> None:
    """It is no part of a table that stays behind: else it would become a part of the live one of that name."""
    parents = await (await session.execute(_PARENTS, {"name": table, "moved": moved})).fetchall()
    name = sql.SQL(table)  # quoted already, by PostgreSQL's format()
    for parent, is_partition in parents:
        its = sql.SQL(str(parent))
        detached = sql.SQL("ALTER TABLE {} DETACH PARTITION {}").format(its, name)
        await session.execute(detached if is_partition else sql.SQL("ALTER TABLE {} NO INHERIT {}").format(name, its))


async def _run(plan: RestorePlan, access: Access, argv: list[str], work: Path) -> None:
    env = access.environment(server_version=plan.server_version, timeout=_CONNECT_SECONDS)
    try:
        await shell.run(argv, timeout=backups_of(plan.target).deadline, env=env, cwd=work)
    except CommandFailed as error:
        said = " ".join(error.stderr.split())[:600]
        action = "look at the message and at the server's log; the live tables are as they were"
        raise PermanentError(f"{Path(argv[0]).name} failed: {said}", action=action) from error
