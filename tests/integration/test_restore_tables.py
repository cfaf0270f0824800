"""Chosen tables come back into a schema of their own, and no live table is touched."""

from collections.abc import Iterator
from typing import Any

import pytest

from atomops.errors import PermanentError
from atomops.facts.restore import TABLES, RestoreFacts
from atomops.scratch.postgres import PostgresServer
from tests.restores import Ground, ground

pytestmark = pytest.mark.slow(25)

SCRIPT = """
CREATE ROLE tables_owner; ALTER DATABASE chosen OWNER TO tables_owner;
CREATE TYPE mood AS ENUM ('fine', 'bad');
CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
CREATE TABLE agents (
    id serial PRIMARY KEY, number int GENERATED ALWAYS AS IDENTITY, name text DEFAULT shout('nobody') NOT NULL,
    mood mood CHECK (mood <> 'bad'), loud text GENERATED ALWAYS AS (shout(name)) STORED
);
INSERT INTO agents (name, mood) SELECT 'agent ' || n, 'fine' FROM generate_series(1, 200) AS n;
ALTER TABLE agents OWNER TO tables_owner;
COMMENT ON INDEX agents_pkey IS 'an index';
CREATE TABLE runs (id int PRIMARY KEY, agent int REFERENCES agents, note text);
INSERT INTO runs SELECT n, 1 + n % 200, 'x' FROM generate_series(1, 500) AS n;
CREATE INDEX ON runs (note);
CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
CREATE TRIGGER forbidden BEFORE INSERT ON runs FOR EACH ROW EXECUTE FUNCTION forbid();
CREATE VIEW by_agent AS
SELECT agents.id, agents.name, count(*) FROM agents JOIN runs ON agent = agents.id GROUP BY agents.id;
CREATE SCHEMA "other one";
CREATE TABLE "other one"."Odd ""one"" x" (a int); INSERT INTO "other one"."Odd ""one"" x" VALUES (1), (2);
CREATE TABLE "other one".agents (a int);
CREATE TABLE events (day date, what text) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO events SELECT '2025-07-01'::date + n, 'e' FROM generate_series(1, 300) AS n;
CREATE TABLE hashed (id int, what text) PARTITION BY HASH (id);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO hashed SELECT n, 'h' FROM generate_series(1, 100) AS n;
CREATE TABLE parent (a int); CREATE TABLE child (b int) INHERITS (parent); INSERT INTO child VALUES (1, 2);
"""
ONE_MORE = "INSERT INTO {restored}.agents (mood) VALUES ('fine')"
BACK = """
INSERT INTO agents (id, name, mood) SELECT id, 'agent ' || id, 'fine' FROM generate_series(101, 200) AS id;
INSERT INTO runs SELECT * FROM {restored}.runs; ALTER TABLE runs ENABLE TRIGGER USER
"""
ATTACH = """
ALTER TABLE gone RENAME TO events_2025;
ALTER TABLE events ATTACH PARTITION events_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
"""
LIVE_TABLES = """
SELECT coalesce(string_agg(t::text, '|' ORDER BY t::text), '') FROM (
    SELECT relname, relnamespace::regnamespace, relkind, relhastriggers, relispartition, relowner,
           (SELECT count(*) FROM pg_inherits WHERE inhparent = pg_class.oid OR inhrelid = pg_class.oid),
           (SELECT array_agg(conname ORDER BY conname) FROM pg_constraint WHERE conrelid = pg_class.oid)
    FROM pg_class WHERE relnamespace::regnamespace::text !~ '^(pg_|information_schema|restored_)'
) AS t
"""


@pytest.fixture(scope="module")
def made(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    at = ground(postgres, "chosen", tmp_path_factory.mktemp("chosen"), SCRIPT)
    at.dump()
    return at


@pytest.fixture
def at(made: Ground) -> Iterator[Ground]:
    before = made.rows(LIVE_TABLES)
    yield made
    for schema in made.rows("SELECT nspname FROM pg_namespace WHERE nspname ~ '^restored_'"):
        made.execute(f"DROP SCHEMA {schema} CASCADE")
    assert made.rows(LIVE_TABLES) == before
    assert made.ours() == []
    assert made.runs


def chosen(at: Ground, *tables: str) -> RestoreFacts:
    facts = at.restore(mode=TABLES, tables=tables)
    assert facts.obstacles == ()
    assert facts.problem is None
    return facts


def rows(at: Ground, query: str, schema: str) -> list[Any]:
    return at.rows(query.format(restored=schema))


def test_rows_columns_and_defaults_come_back_and_the_live_table_keeps_its_own(at: Ground) -> None:
    at.execute("ALTER TABLE runs DISABLE TRIGGER USER; DELETE FROM runs; DELETE FROM agents WHERE id > 100")
    schema = chosen(at, "agents", "runs").schema
    assert rows(at, "SELECT count(*) FROM {restored}.agents", schema) == [200]
    assert rows(at, "SELECT count(*) FROM {restored}.runs", schema) == [500]
    assert at.rows("SELECT count(*) FROM agents") == [100]
    same = "SELECT count(*) FROM {restored}.agents AS theirs JOIN agents AS ours USING (id, number, name, mood, loud)"
    assert rows(at, same, schema) == [100]
    at.execute(ONE_MORE.format(restored=schema))
    assert rows(at, "SELECT loud FROM {restored}.agents WHERE name = 'NOBODY'", schema) == ["NOBODY"]
    assert rows(at, "SELECT pg_get_serial_sequence('{restored}.agents', 'id')", schema) == [f"{schema}.agents_id_seq"]
    owners = "SELECT DISTINCT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = '{restored}'"
    assert rows(at, owners, schema) == ["tables_owner"]
    at.execute(BACK.format(restored=schema))


def test_a_name_that_needs_quotes_is_written_as_it_is(at: Ground) -> None:
    schema = chosen(at, 'Odd "one" x').schema
    assert rows(at, 'SELECT count(*) FROM {restored}."Odd ""one"" x"', schema) == [2]


def test_two_tables_of_one_name_are_refused_before_anything_is_made(at: Ground) -> None:
    with pytest.raises(PermanentError, match="one schema cannot hold two tables called agents"):
        chosen(at, "public.agents", '"other one".agents')


def test_no_table_at_all_is_refused(at: Ground) -> None:
    with pytest.raises(PermanentError, match="no table is named"):
        chosen(at)


def test_of_a_partitioned_table_every_partition_comes_back(at: Ground) -> None:
    schema = chosen(at, "events").schema
    assert rows(at, "SELECT count(*) FROM {restored}.events_2025", schema) == [183]
    assert rows(at, "SELECT count(*) FROM {restored}.events_2026", schema) == [117]


def test_a_partition_alone_is_no_part_of_the_live_table_even_where_that_one_has_lost_it(at: Ground) -> None:
    at.execute("ALTER TABLE events DETACH PARTITION events_2025; ALTER TABLE events_2025 RENAME TO gone")
    schema = chosen(at, "events_2025").schema
    assert rows(at, "SELECT count(*) FROM {restored}.events_2025", schema) == [183]
    assert at.rows("SELECT count(*) FROM events") == [117]
    at.execute(ATTACH)


def test_a_table_that_is_split_by_hash_comes_back_whole(at: Ground) -> None:
    schema = chosen(at, "hashed").schema
    assert rows(at, "SELECT count(*) FROM {restored}.hashed", schema) == [100]


def test_a_table_that_inherits_comes_back_by_itself(at: Ground) -> None:
    schema = chosen(at, "child").schema
    assert rows(at, "SELECT a * 10 + b FROM {restored}.child", schema) == [12]


def test_where_the_live_database_lacks_a_type_nothing_is_left_behind(at: Ground) -> None:
    at.execute("ALTER TYPE mood RENAME TO temper")
    with pytest.raises(PermanentError, match=r"pg_restore failed: .*type .public.mood. does not exist"):
        chosen(at, "agents")
    assert at.rows("SELECT count(*) FROM pg_namespace WHERE nspname ~ '^restored_'") == [0]
    at.execute("ALTER TYPE temper RENAME TO mood")


def test_beside_restores_and_compares_and_leaves_nothing(at: Ground) -> None:
    facts = at.restore(mode="beside")
    assert facts.copy is not None
    assert facts.copy.differences == ()
    assert facts.copy.rows == 200 + 500 + 2 + 300 + 100 + 1
    assert facts.exchange is None
