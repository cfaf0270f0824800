"""Tables that are altered while they are dumped: an exact proof or a temporary error, never a wrong set."""

import itertools
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from atomops.errors import TemporaryError
from atomops.facts.backup import Result
from atomops.scratch.postgres import PostgresServer
from atomops.stores.local import LocalStore
from tests.nights import Made, back_up, backups_at, doing, execute
from tests.rounds import IS_THOROUGH, ROUNDS
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow(45)

EXACT = ROUNDS if IS_THOROUGH else 3  # sets that must come about while tables come and go
SCRIPT = """
CREATE TABLE t (id int PRIMARY KEY, body text); INSERT INTO t SELECT n, 'row' FROM generate_series(1, 1000) AS n;
CREATE TABLE other (a int); INSERT INTO other VALUES (1), (2);
"""


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    """A new database with two tables."""
    name = f"altered_{random.randrange(10**9)}"  # noqa: S311 - a name
    postgres.create_database(name, SCRIPT)
    yield name
    with postgres.connect() as session:
        session.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("statements", "rows"),
    [
        (["TRUNCATE t"], 2),
        (["DELETE FROM t WHERE id > 10", "VACUUM FULL t"], 12),
        (["ALTER TABLE t ADD COLUMN more int DEFAULT 7"], 1002),
        (["DROP TABLE t", "CREATE TABLE t (another text)", "INSERT INTO t VALUES ('x')"], 3),
        (["CREATE TABLE new AS SELECT 1 AS a"], 1003),
        (["DROP TABLE t"], 2),
        (["ALTER TABLE t RENAME TO u"], 1002),
        (["CREATE TABLE part (a int) PARTITION BY LIST (a)", "CREATE TABLE part_1 PARTITION OF part DEFAULT"], 1002),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_changes_between_the_look_at_the_tables_and_their_locks_is_in_the_set(  # noqa: PLR0913, PLR0917 - fixtures
    postgres: PostgresServer,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    statements: list[str],
    rows: int,
) -> None:
    doing(monkeypatch, "_lock", execute(postgres, database, *statements))
    [made] = back_up(backups_at(postgres, database, tmp_path))
    assert (made.proof.result, made.proof.rows) == (Result.RESTORED, rows)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("step", "to"), [("_run", "5"), ("_count", "5, false"), ("_run_globals", "5"), ("_run_globals", "900")]
)
def test_a_sequence_that_is_set_to_another_value_meanwhile_disproves_nothing(  # noqa: PLR0913, PLR0917 - fixtures
    postgres: PostgresServer, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, to: str
) -> None:
    execute(postgres, database, "CREATE SEQUENCE numbers", "SELECT setval('numbers', 100)")()
    doing(monkeypatch, step, execute(postgres, database, f"SELECT setval('numbers', {to})"))
    [made] = back_up(backups_at(postgres, database, tmp_path))
    assert told(made) == "restored, 2 tables, 1,002 rows equal: ()"


def nothing_in(store: Path) -> None:
    assert not [path for path in store.rglob("*") if path.is_file()]
    assert LocalStore(store, "test").listing().sets == ()


@contextmanager
def queued(server: PostgresServer, database: str, statement: str) -> Iterator[None]:
    """Somebody waits for the table's lock until the statement has got it."""
    session = server.connect(database)

    def alter() -> None:
        session.execute(statement.encode())

    altering = threading.Thread(target=alter, daemon=True)
    altering.start()
    with server.connect(database) as watching:
        question = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s"
        wait_until(lambda: watching.execute(question, [session.info.backend_pid]).fetchone() == (1,), "the queue")
    yield
    altering.join(PATIENCE)
    assert not altering.is_alive()
    session.close()


def test_an_alter_table_that_queues_behind_our_locks_is_a_temporary_error_and_goes_through_then(
    postgres: PostgresServer, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[Any] = []

    def somebody_queues() -> None:
        queue = queued(postgres, database, "ALTER TABLE t ADD COLUMN late int")
        queue.__enter__()
        waiting.append(queue)

    doing(monkeypatch, "_run", somebody_queues)
    with pytest.raises(TemporaryError, match="a table was being altered"):
        back_up(backups_at(postgres, database, tmp_path, lock_wait_timeout=1))
    waiting[0].__exit__(None, None, None)
    nothing_in(tmp_path)
    [made] = back_up(backups_at(postgres, database, tmp_path))
    assert made.proof.result is Result.RESTORED


def test_a_table_that_is_locked_for_longer_than_we_wait_is_a_temporary_error_that_says_where_to_look(
    postgres: PostgresServer, database: str, tmp_path: Path
) -> None:
    with postgres.connect(database) as session, session.transaction():
        session.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(TemporaryError) as locked:
            back_up(backups_at(postgres, database, tmp_path, lock_wait_timeout=0.5))
    assert "a table was being altered" in str(locked.value)
    assert "PG-LOCK-WAIT" in locked.value.action
    nothing_in(tmp_path)


_MAKE = (
    "CREATE TABLE churn_{0} (id serial PRIMARY KEY, body text)",
    "INSERT INTO churn_{0} (body) SELECT 'x' FROM generate_series(1, 50)",
    "CREATE INDEX ON churn_{0} (body)",
    "CREATE VIEW seen_{0} AS SELECT * FROM churn_{0}",
    "CREATE FUNCTION f_{0}() RETURNS int LANGUAGE sql AS 'SELECT {0}'",
    "CREATE SEQUENCE s_{0}",
)
_UNMAKE = (
    "DROP VIEW IF EXISTS seen_{0}",
    "DROP FUNCTION IF EXISTS f_{0}",
    "DROP SEQUENCE IF EXISTS s_{0}",
    "TRUNCATE churn_{0}",
    "DROP TABLE IF EXISTS churn_{0}",
)


@dataclass
class Pace:
    """Seconds between two statements of somebody who makes and drops things all the time."""

    seconds: float = 0.03


@contextmanager
def churning(server: PostgresServer, database: str, pace: Pace) -> Iterator[None]:
    """Tables, views, functions and sequences come and go at that pace."""
    over = threading.Event()

    def churn() -> None:
        with server.connect(database) as session:
            session.execute("SET lock_timeout = '50ms'")
            for number in itertools.count():
                for statement in (*_MAKE, *(line.replace("{0}", str(number - 3)) for line in _UNMAKE if number >= 3)):
                    if over.wait(pace.seconds):
                        return
                    with suppress(psycopg.Error):
                        session.execute(statement.format(number).encode())

    thread = threading.Thread(target=churn, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(PATIENCE)


def test_while_tables_come_and_go_every_set_is_exact_or_disproven_or_there_is_none(
    postgres: PostgresServer, database: str, tmp_path: Path
) -> None:
    """Of a function that is dropped meanwhile pg_dump itself writes half a statement: it asks the catalogue of now."""
    made, refused, exact, pace = [], [], 0, Pace()
    with churning(postgres, database, pace):
        for number in range(10 * EXACT):
            try:
                made += back_up(backups_at(postgres, database, tmp_path, jobs=1 + number % 2))
            except TemporaryError as error:
                refused.append(error)
                pace.seconds *= 1.5  # or on a busy machine no dump is ever quicker than what disturbs it
            exact = sum(each.proof.result is Result.RESTORED for each in made)
            if exact == EXACT:
                break
    others = [each for each in made if each.proof.result is not Result.RESTORED]
    assert [told(each) for each in others if "CREATE FUNCTION" not in each.proof.reason] == []
    assert exact == EXACT, refused
    assert len(LocalStore(tmp_path, "test").listing().sets) == len(made)


def told(made: Made) -> str:
    return f"{made.proof.sentence}: {made.proof.differences}"
