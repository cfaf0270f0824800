"""A server that ends in the middle of a dump: a clear temporary error, no child and no file of it left."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

from atomops.errors import TemporaryError
from atomops.facts.backup import Result
from atomops.scratch.installations import bundled_binaries
from atomops.scratch.place import make_folder
from atomops.scratch.postgres import PostgresServer
from atomops.stores.local import LocalStore
from tests.nights import back_up, backups_at
from tests.postgres_servers import postgres_server
from tests.processes import children
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow(20)

FILL = """
CREATE TABLE big (id int, body text);
INSERT INTO big SELECT n, md5(random()::text) || md5(random()::text) FROM generate_series(1, 400000) AS n;
CREATE TABLE big_too AS SELECT * FROM big;
"""
SLOW = "zstd:19"  # so that a dump takes seconds
_DUMPING = "SELECT count(*) FROM pg_stat_activity WHERE query ILIKE 'COPY%' AND application_name = 'atomops-backup'"


@pytest.fixture
def mortal(server_folder: Path) -> Iterator[PostgresServer]:
    """A server that a test may kill."""
    folder = make_folder("mortal-", server_folder)
    with ExitStack() as stack:
        server = stack.enter_context(postgres_server(17, folder))
        server.create_database("big", FILL)
        yield server


def dumpers() -> list[psutil.Process]:
    """Those that this process has started, whatever has become of the ones between."""
    return [each for each, name in children().items() if name.startswith("pg_dump")]


def end_during_the_dump(server: PostgresServer, number: signal.Signals) -> threading.Thread:
    """That signal for the postmaster, as soon as rows are on their way."""

    def end() -> None:
        with server.connect() as session:
            wait_until(lambda: (session.execute(_DUMPING).fetchone() or (0,))[0] >= 1, "the dump")
            os.kill(server.server.pid, number)

    thread = threading.Thread(target=end, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGINT], ids=["immediate shutdown", "fast shutdown"])
def test_a_server_that_is_stopped_ends_the_dump_at_once_and_nothing_is_left(
    mortal: PostgresServer, tmp_path: Path, number: signal.Signals
) -> None:
    ending = end_during_the_dump(mortal, number)
    with pytest.raises(TemporaryError, match=r"ended the session|is starting or stopping") as gone:
        back_up(backups_at(mortal, "big", tmp_path, compression=SLOW))
    ending.join(PATIENCE)
    assert f"127.0.0.1:{mortal.port}/big" in str(gone.value)
    assert gone.value.action
    assert dumpers() == []
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert LocalStore(tmp_path, "test").listing().sets == ()
    wait_until(lambda: not mortal.server.is_running(), "its end")
    with pytest.raises(TemporaryError, match="refuses the connection"):
        back_up(backups_at(mortal, "big", tmp_path))


def test_a_postmaster_killed_with_9_means_a_temporary_error_or_a_whole_set(
    mortal: PostgresServer, tmp_path: Path
) -> None:
    """Its backends may go on for as long as they need not wait."""
    ending = end_during_the_dump(mortal, signal.SIGKILL)
    made = []
    with suppress(TemporaryError):
        made = back_up(backups_at(mortal, "big", tmp_path, compression=SLOW))
    ending.join(PATIENCE)
    assert not mortal.server.is_running()
    assert dumpers() == []
    assert [each.proof.result for each in made] == [Result.RESTORED] * len(made)
    listed = LocalStore(tmp_path, "test").listing()
    assert (len(listed.sets), listed.unreadable) == (len(made), ())
    assert not list((tmp_path / "test").glob(".*"))


def test_whatever_pg_dump_says_of_a_server_that_has_gone_is_a_temporary_error(
    mortal: PostgresServer, tmp_path: Path
) -> None:
    """A worker that loses its connection has been seen to say `invalid client encoding "UTF8" specified`."""
    real = bundled_binaries() / "bin"
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in real.iterdir():
        (programs / program.name).symlink_to(program)
    (programs / "pg_dump").unlink()
    (programs / "pg_dump").write_text(f"""#!/bin/sh
case "$*" in *--snapshot*) ;; *) exec {real}/pg_dump "$@" ;; esac
kill -9 {mortal.server.pid}
echo 'pg_dump: error: something odd' >&2
exit 1
""")
    (programs / "pg_dump").chmod(0o755)
    with pytest.raises(TemporaryError, match=f"127.0.0.1:{mortal.port}/big"):
        back_up(backups_at(mortal, "big", tmp_path / "store", postgres_bin=str(programs)))
