"""Vacuums on real servers: as the flow does them but without Prefect, and everything that a dry run must not change."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg import sql

from atomops.facts.vacuum import TableOutcome, VacuumFacts
from atomops.inventory import Target
from atomops.plans.vacuum import Wish
from atomops.scratch.postgres import PostgresServer
from atomops.vacuum.plan import plan_vacuum
from atomops.vacuum.watch import watching
from atomops.vacuum.work import Work
from tests.targets import target

STRANGE = 'Od"d ta.ble'
THREE = ("public.agent_execution", "public.episode", "public.episode_segment")
DEAD = """
CREATE TABLE {name} (id int PRIMARY KEY, body text);
INSERT INTO {name} SELECT n, md5(n::text) FROM generate_series(1, {rows}) AS n;
DELETE FROM {name} WHERE id % 2 = 0;
"""
OTHERS = """
CREATE VIEW busy AS SELECT 1 AS a;
CREATE SCHEMA archive;
CREATE TABLE archive.old_episode (id int);
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER far FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE faraway (id int) SERVER far;
CREATE TABLE part (at int, body text) PARTITION BY RANGE (at);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100);
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (at);
CREATE TABLE part_2a PARTITION OF part_2 FOR VALUES FROM (100) TO (150);
CREATE TABLE spread (at int) PARTITION BY RANGE (at);
CREATE TABLE spread_near PARTITION OF spread FOR VALUES FROM (0) TO (100);
CREATE FOREIGN TABLE spread_far PARTITION OF spread FOR VALUES FROM (200) TO (300) SERVER far;
INSERT INTO part SELECT n, 'x' FROM generate_series(0, 149) AS n;
"""
PROFILE = """
name = "mine"
tables = ["agent_execution"]
vacuum = ["agent_execution", "episode", "episode_segment"]
[health]
live = "/live"
ready = "/ready"
metrics = "/metrics"
"""
_CATALOGUES = (
    "pg_class",
    "pg_attribute",
    "pg_statistic",
    "pg_depend",
    "pg_database",
    "pg_authid",
    "pg_db_role_setting",
)
_EVERYTHING = {name: f"SELECT xmin, ctid, * FROM {name}" for name in _CATALOGUES} | {  # noqa: S608 - names of ours
    "statistics": """
        SELECT relid, vacuum_count, analyze_count, last_vacuum, last_analyze, n_dead_tup, n_mod_since_analyze
        FROM pg_stat_all_tables WHERE schemaname !~ '^pg_'
    """,
    "files": "SELECT oid, pg_relation_filenode(oid), pg_relation_size(oid) FROM pg_class WHERE relkind IN ('r', 'i')",
}


def with_dead_rows(name: str, rows: int = 1000) -> str:
    """A script: half of the table's rows are dead."""
    return DEAD.format(name=name, rows=rows)


def target_of(server: PostgresServer, database: str, user: str | None = None, **parts: Any) -> Target:  # noqa: ANN401 - as in an inventory
    """A target that its superuser reads, and that `user` changes."""
    changes = {"dsn": server.dsn(database, user), "password": "env:X"} if user else {}
    given = {"lock_timeout": 1} | changes | parts.pop("changes", {})
    return target(
        server.password,
        postgres={"dsn": server.dsn(database), "password": "env:X"},
        changes=given,
        **{"profile": "guide"} | parts,
    )


def vacuumed(at: Target, wish: Wish, meanwhile: Callable[[], None] = lambda: None) -> VacuumFacts:
    """What came of it; `meanwhile` happens between the look and the work."""

    async def work() -> VacuumFacts:
        plan = await plan_vacuum(at, wish)
        meanwhile()
        async with watching(plan.watcher) as watch:
            outcomes = await Work(plan, watch, lambda _outcome: None).run()
        return plan.facts(outcomes, dry_run=False)

    return asyncio.run(work())


def planned(at: Target, wish: Wish) -> VacuumFacts:
    """What a dry run tells."""

    async def look() -> VacuumFacts:
        plan = await plan_vacuum(at, wish)
        return plan.facts(plan.planned(), dry_run=True)

    return asyncio.run(look())


def read_by(at: Target, dsn: str) -> Target:
    """The same target, read by another role."""
    assert at.postgres is not None
    return at.model_copy(update={"postgres": at.postgres.model_copy(update={"dsn": dsn})})


@contextlib.contextmanager
def role(server: PostgresServer, name: str) -> Iterator[None]:
    """A role that may log in and nothing else, with the password of the superuser."""
    server.create_reader(name, server.password, grants=())
    yield
    with server.connect() as session:
        session.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def delete_some(server: PostgresServer, database: str, table: str, rows: int) -> None:
    """So many rows more are dead."""
    some = sql.SQL("DELETE FROM {0} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {0} LIMIT {1}))")
    with server.connect(database) as session:
        session.execute(some.format(sql.Identifier(table), sql.Literal(rows)))


def by_table(seen: VacuumFacts) -> dict[str, TableOutcome]:
    return {each.table: each for each in seen.outcomes}


@contextlib.contextmanager
def locked(server: PostgresServer, database: str, statement: str) -> Iterator[psycopg.Connection]:
    """A transaction that has executed the statement and stays open."""
    with psycopg.connect(server.dsn(database), password=server.password, application_name="holder") as session:
        session.execute(statement.encode())
        yield session


def everything(server: PostgresServer, database: str) -> dict[str, list[Any]]:
    """The whole catalogue and the statistics of all tables, to be compared."""
    with server.connect(database) as session:
        return {name: _rows(session, statement) for name, statement in _EVERYTHING.items()}


def _rows(session: psycopg.Connection, statement: str) -> list[Any]:
    return sorted(session.execute(statement.encode()).fetchall(), key=repr)


@contextlib.contextmanager
def undisturbed(server: PostgresServer, database: str) -> Iterator[None]:
    """A database with every kind of table, where autovacuum does not come."""
    _alter_system(server, "autovacuum = off")
    tables = ("agent_execution", "episode", "episode_segment", '"Od""d ta.ble"')
    server.create_database(database, "".join(map(with_dead_rows, tables)) + OTHERS)
    yield
    with server.connect() as session:
        session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))
    _alter_system(server, "autovacuum = on")


def _alter_system(server: PostgresServer, setting: str) -> None:
    with server.connect() as session:
        session.execute(f"ALTER SYSTEM SET {setting}".encode())
        session.execute("SELECT pg_reload_conf()")
