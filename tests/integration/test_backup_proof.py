"""What is not what was dumped fails its proof; what cannot be tried here is unknown, and never called restored."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest

from atomops.backup.access import backups_of
from atomops.backup.preflight import tools_for
from atomops.backup.scratch import scratch_server
from atomops.facts.backup import Manifest, Result, SequenceValue
from atomops.scratch.installations import bundled_binaries
from atomops.scratch.postgres import PostgresServer
from atomops.secret import Secret
from tests.nights import Made, back_up, backups_at, prove_again, rows_of
from tests.targets import target
from tests.waiting import wait_until

pytestmark = pytest.mark.slow(23)

DATABASE = "proven"
SCRIPT = """
CREATE EXTENSION hstore;
CREATE ROLE proof_owner;
CREATE TABLE agents (id serial PRIMARY KEY, name text UNIQUE);
INSERT INTO agents (name) SELECT 'agent ' || n FROM generate_series(1, 500) AS n;
ALTER TABLE agents OWNER TO proof_owner;
CREATE TABLE notes (body hstore);
INSERT INTO notes VALUES ('a => 1');
"""


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> PostgresServer:
    postgres.create_database(DATABASE, SCRIPT)
    return postgres


@pytest.fixture
def made(server: PostgresServer, tmp_path: Path) -> Made:
    (made,) = back_up(backups_at(server, DATABASE, tmp_path))
    assert made.proof.result is Result.RESTORED
    return made


def claiming_more_rows(made: Manifest) -> Manifest:
    agents = made.contents.tables["public.agents"]
    tables = {**made.contents.tables, "public.agents": replace(agents, rows=agents.rows + 1)}
    return replace(made, contents=replace(made.contents, tables=tables))


def claiming_other_rows(made: Manifest) -> Manifest:
    agents = made.contents.tables["public.agents"]
    tables = {**made.contents.tables, "public.agents": replace(agents, fingerprint=str(int(agents.fingerprint) + 1))}
    return replace(made, contents=replace(made.contents, tables=tables))


def claiming_a_sequence_further_on(made: Manifest) -> Manifest:
    return replace(made, contents=replace(made.contents, sequences={"public.agents_id_seq": SequenceValue(501, 1)}))


def claiming_another_index(made: Manifest) -> Manifest:
    objects = {**made.contents.objects, "index": made.contents.objects["index"] + 1}
    return replace(made, contents=replace(made.contents, objects=objects))


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("claim", "difference"),
    [
        (claiming_more_rows, "public.agents has 500 rows, 501 were dumped"),
        (claiming_other_rows, "public.agents has as many rows as were dumped, but not the same ones"),
        (claiming_a_sequence_further_on, "the sequence public.agents_id_seq is at 500, behind 501"),
        (claiming_another_index, "2 indexes, 3 were dumped"),
    ],
)
def test_a_set_that_does_not_restore_to_what_its_manifest_says_is_disproven(
    server: PostgresServer, tmp_path: Path, made: Made, claim: Callable[[Manifest], Manifest], difference: str
) -> None:
    proof = prove_again(backups_at(server, DATABASE, tmp_path), claim(made.manifest))

    assert proof.result is Result.FAILED
    assert proof.differences == (difference,)


def test_every_index_is_checked_as_well_where_that_is_wanted(
    server: PostgresServer, tmp_path: Path, made: Made
) -> None:
    proof = prove_again(backups_at(server, DATABASE, tmp_path, amcheck=True), made.manifest)

    assert proof.result is Result.RESTORED
    assert "amcheck" in proof.durations


def programs(folder: Path, *names: str) -> Path:
    """A folder of these programs of PostgreSQL alone."""
    (folder / "bin").mkdir()
    for name in names:
        (folder / "bin" / name).symlink_to(bundled_binaries() / "bin" / name)
    return folder / "bin"


def test_without_a_server_to_restore_into_a_set_is_intact_and_not_called_restored(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_clients = programs(tmp_path, "pg_dump", "pg_dumpall", "pg_restore")
    monkeypatch.setattr("atomops.scratch.installations._folders", lambda: iter([only_clients]))

    (made,) = back_up(backups_at(server, DATABASE, tmp_path / "store", postgres_bin=str(only_clients)))

    assert made.proof.result is Result.INTACT
    assert "no server programs of PostgreSQL 17" in made.proof.reason
    assert "scratch_dsn" in made.proof.action


@pytest.fixture
def without_hstore(tmp_path: Path) -> Path:
    """PostgreSQL as it is where nobody has installed the extensions."""
    home = tmp_path / "installation"
    shutil.copytree(bundled_binaries(), home, symlinks=True)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    for control in home.rglob("hstore*.control"):
        control.unlink()
    return home / "bin"


def test_an_extension_that_is_missing_where_the_proof_runs_is_named_and_proves_nothing(
    server: PostgresServer, tmp_path: Path, without_hstore: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atomops.scratch.installations._folders", lambda: iter([without_hstore]))

    (made,) = back_up(backups_at(server, DATABASE, tmp_path / "store", postgres_bin=str(without_hstore)))

    assert made.proof.result is Result.INTACT
    assert made.proof.reason == "the server of the proof lacks the extensions hstore"


@pytest.fixture
def set_apart(server: PostgresServer) -> Iterator[PostgresServer]:
    """The same server stands for one that is set apart for proofs: whatever a proof leaves there would be seen."""
    yield server
    with server.connect() as session:
        left = session.execute("SELECT datname FROM pg_database WHERE datname LIKE 'atomops%'").fetchall()
    assert left == []


def test_a_server_that_is_set_apart_for_proofs_is_left_as_it_was(set_apart: PostgresServer, tmp_path: Path) -> None:
    postgres = {"dsn": set_apart.dsn(DATABASE), "password": "env:X"}
    scratch = {"scratch_dsn": set_apart.dsn(), "scratch_password": "env:X"}
    at = target(set_apart.password, postgres=postgres, backups={"store": str(tmp_path), **scratch})
    with set_apart.connect() as session:
        before = session.execute("SELECT rolname FROM pg_roles ORDER BY 1").fetchall()

    (made,) = back_up(at)

    assert made.proof.result is Result.RESTORED
    with set_apart.connect() as session:
        assert session.execute("SELECT rolname FROM pg_roles ORDER BY 1").fetchall() == before


PROVING = """
import asyncio, os, sys
from dataclasses import replace
from atomops.backup.access import Access
from atomops.backup.scratch import Scratch, empty_database
from tests.backup_sets import origin

async def main():
    scratch = Scratch(Access(sys.argv[1], "postgres", os.environ["A_PASSWORD"]), 170010, is_own=False)
    async with empty_database(scratch, replace(origin(), roles=(sys.argv[2],))) as (made, _):
        print(made.database, flush=True)
        sys.stdin.read()

asyncio.run(main())
"""


@contextmanager
def proving(server: PostgresServer, role: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Another process that proves a set on this server, which needs that role: the name of its copy."""
    argv = [sys.executable, "-c", PROVING, server.dsn(), role]
    env = {**os.environ, "A_PASSWORD": server.password}
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, env=env, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
        process.kill()


def test_what_a_killed_proof_has_left_on_such_a_server_goes_with_the_next_one_and_what_another_uses_stays(
    set_apart: PostgresServer, tmp_path: Path
) -> None:
    def there() -> tuple[set[str], set[str]]:
        with set_apart.connect() as session:
            databases = rows_of(session, "SELECT datname FROM pg_database WHERE datname LIKE 'atomops%'")
            return set(databases), set(rows_of(session, "SELECT rolname FROM pg_roles WHERE rolname LIKE 'proving%'"))

    scratch = {"scratch_dsn": set_apart.dsn(), "scratch_password": "env:X"}
    settings = backups_of(target(set_apart.password, backups={"store": str(tmp_path), **scratch}))

    async def swept() -> tuple[str, ...]:
        async with scratch_server(settings, await tools_for(settings, 17), tmp_path) as opened:
            return opened.swept

    with proving(set_apart, "proving_here") as (used, living), proving(set_apart, "proving_there") as (left, killed):
        killed.kill()
        killed.wait()
        wait_until(lambda: not sessions_named(set_apart, left), "the end of its session")
        assert there() == ({used, left}, {"proving_here", "proving_there"})

        assert asyncio.run(swept()) == (left,)
        assert there() == ({used}, {"proving_here", "proving_there"})
        living.communicate("")
        assert living.returncode == 0
        assert there() == (set(), set())


def sessions_named(server: PostgresServer, name: str) -> list[int]:
    with server.connect() as session:
        question = "SELECT pid FROM pg_stat_activity WHERE application_name = %s"
        return [row[0] for row in session.execute(question, [name])]


def test_an_encrypted_set_is_proven_at_night_without_the_key_and_again_only_with_it(
    server: PostgresServer, tmp_path: Path
) -> None:
    key = pyrage.x25519.Identity.generate()
    sealed = backups_at(server, DATABASE, tmp_path, recipients=[str(key.to_public())])
    (made,) = back_up(sealed)
    assert made.proof.result is Result.RESTORED
    names = {file.path for file in made.manifest.files}
    assert {"roles.sql.age", "data/toc.dat.age", "RESTORE.txt"} <= names
    assert not any(b"agent 42" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    without = prove_again(sealed, made.manifest)
    assert (without.result, without.reason) == (Result.INTACT, "it is encrypted, and no identity is at hand")

    assert sealed.backups is not None
    with_key = sealed.backups.model_copy(update={"identity": Secret("env:KEY", str(key))})
    again = prove_again(sealed.model_copy(update={"backups": with_key}), made.manifest)
    assert again.result is Result.RESTORED
