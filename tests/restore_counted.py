"""A database with 100 rows in its set and 101 live: by counting one sees which of them is there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atomops.change.journal import unfinished
from atomops.scratch.postgres import PostgresServer
from tests.restores import Ground, ground

ROWS = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)"


def counted(server: PostgresServer, database: str, folder: Path) -> Ground:
    """With a proven set of it."""
    at = ground(server, database, folder, ROWS)
    at.dump()
    return at


@contextmanager
def with_one_more(at: Ground) -> Iterator[Ground]:
    """101 rows are live; afterwards nothing of a restore is left, and the application runs."""
    at.execute("TRUNCATE t; INSERT INTO t SELECT generate_series(1, 101)")
    yield at
    at.drop_ours()
    (at.folder / "running").touch()


def assert_as_it_was(at: Ground) -> None:
    assert at.rows("SELECT count(*) FROM t") == [101]
    assert at.ours() == []
    assert at.runs
    assert unfinished(at.target) is None


def assert_restored(at: Ground) -> None:
    assert at.rows("SELECT count(*) FROM t") == [100]
    assert len(at.ours()) == 1
    assert at.runs
    assert unfinished(at.target) is None
