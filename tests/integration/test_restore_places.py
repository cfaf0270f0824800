"""Sets come back from every store, plain and encrypted, and onto every server, disk and name; damaged ones do not."""

import asyncio
import os
import pwd
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest

from atomops import shell
from atomops.backup.fetching import Damaged
from atomops.errors import AtomOpsError, PermanentError
from atomops.facts.backup import Manifest
from atomops.scratch.place import UNPRIVILEGED, make_folder
from atomops.scratch.postgres import PostgresServer
from atomops.stores.local import LocalStore
from tests.backup_sets import proof
from tests.postgres_servers import postgres_server
from tests.restore_counted import ROWS, assert_as_it_was, assert_restored, counted, with_one_more
from tests.restores import Ground, ground
from tests.s3_servers import BUCKET, S3Server
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow(30)

FILL = """
INSERT INTO t SELECT (SELECT string_agg(md5(n || ' ' || part), '') FROM generate_series(1, 40) AS part)
FROM generate_series(1, {rows}) AS n
"""


@pytest.fixture(scope="module")
def server(server_folder: Path) -> Iterator[PostgresServer]:
    """One of its own, whose database postgres is exchanged as well."""
    with postgres_server(17, server_folder) as running:
        yield running


@pytest.fixture(scope="module")
def made(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return counted(server, "places", tmp_path_factory.mktemp("places"))


@pytest.fixture
def at(made: Ground) -> Iterator[Ground]:
    with with_one_more(made):
        yield made


def flip(content: bytes) -> bytes:
    return bytes([content[0] ^ 1]) + content[1:]


def test_a_damaged_set_is_told_with_the_file(at: Ground, tmp_path: Path) -> None:
    other = at.but(backups={"store": str(tmp_path)})
    made = other.dump()
    data = next(tmp_path.rglob("*.dat*"))
    data.write_bytes(flip(data.read_bytes()))
    with pytest.raises(Damaged, match=f"{made.id} in {tmp_path} is damaged: .*dat"):
        other.restore()
    assert_as_it_was(at)


def test_a_set_comes_back_from_s3_encrypted_and_a_damaged_one_does_not(
    at: Ground, s3: Callable[[str], S3Server]
) -> None:
    key, server = pyrage.x25519.Identity.generate(), s3("moto")
    store = {name: value for name, value in server.settings("places").model_dump().items() if value is not None}
    secrets = {"access_key_id": "env:KEY", "secret_access_key": "env:KEY", "recipients": [str(key.to_public())]}
    there = at.but(backups={**store, **secrets})
    there.execute("DELETE FROM t WHERE id = 101")
    made = there.dump()
    there.execute("INSERT INTO t VALUES (101)")
    (told,) = there.restore().obstacles
    assert (told.reason, told.remedy) == ("it is encrypted, and no identity is at hand", "set backups.identity")

    with_key = there.but(backups={**store, **secrets, "identity": "env:IDENTITY"})
    reader = replace(with_key, secrets={"env:IDENTITY": str(key)})
    assert reader.restore().exchange is not None
    assert_restored(at)
    reader.restore(backup="previous")
    at.drop_ours()

    client = server.client()
    data = next(
        each["Key"]
        for each in client.list_objects_v2(Bucket=BUCKET, Prefix="places/")["Contents"]
        if ".dat" in each["Key"]
    )
    content = client.get_object(Bucket=BUCKET, Key=data)["Body"].read()
    client.put_object(Bucket=BUCKET, Key=data, Body=content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(PermanentError, match=f"of {made.id} in s3://.* is damaged"):
        reader.restore()
    assert_as_it_was(at)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 32 MB for the server's user, which only root can make."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder, account = make_folder("atomops-small-disk-"), pwd.getpwnam(UNPRIVILEGED)
    options = f"size=32m,mode=700,uid={account.pw_uid},gid={account.pw_gid}"
    try:
        asyncio.run(shell.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], timeout=PATIENCE))
    except AtomOpsError as error:
        folder.rmdir()
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must be able to mount: {error}")
        pytest.skip(f"no mount here: {error}")
    yield folder
    asyncio.run(shell.run(["umount", "--lazy", folder], timeout=PATIENCE))
    folder.rmdir()


def test_a_disk_that_fills_up_is_named_and_freed_again(small_disk: Path, server_folder: Path, tmp_path: Path) -> None:
    with postgres_server(17, server_folder) as server:
        with server.connect() as session:
            session.execute(f"CREATE TABLESPACE small LOCATION '{small_disk}'".encode())
            session.execute("CREATE DATABASE small TABLESPACE small")
        at = Ground(server, "small", tmp_path)
        at.execute("CREATE TABLE t (body text)")
        at.execute(FILL.format(rows=9000))
        at.execute("CHECKPOINT")  # from here on its own 20 MB are its own
        made = at.dump()
        (told,) = at.restore().obstacles  # 1.3 times its size is not there
        assert told.thing == f"the disk of {small_disk}"
        with_other_size(at, made, 1)

        with pytest.raises(PermanentError, match=r"pg_restore failed.*No space left on device.*free some space"):
            at.restore(backup="smaller")

        assert at.rows("SELECT count(*) FROM t") == [9000]
        assert at.ours() == []
        at.execute(FILL.format(rows=3000))


def with_other_size(at: Ground, made: Manifest, size: int) -> None:
    """The same set once more, of a database that was said to be so large."""
    store = LocalStore(at.folder / "store", "test")
    other = replace(made, id="smaller", origin=replace(made.origin, bytes=size))
    staged = store.staging(other.id)
    for file in made.files:
        (staged / file.path).parent.mkdir(exist_ok=True)
        (staged / file.path).write_bytes((store.folder(made.id) / file.path).read_bytes())
    store.publish(staged, other)
    store.add_proof(other.id, proof())


def test_a_database_that_is_gone_altogether_comes_back_with_its_owner(server: PostgresServer, tmp_path: Path) -> None:
    at = ground(server, "Gone", tmp_path, f'{ROWS}; CREATE ROLE of_gone; ALTER DATABASE "Gone" OWNER TO of_gone')
    at.execute('COMMENT ON DATABASE "Gone" IS \'ours\'; ALTER DATABASE "Gone" CONNECTION LIMIT 5')
    at.dump()
    with server.connect() as session:
        session.execute('DROP DATABASE "Gone"')

    facts = at.restore(safety_dump=True)

    assert "there is no database Gone: nothing is replaced" in facts.notes
    assert facts.exchange is not None
    assert facts.exchange.kept == ""
    assert at.rows("SELECT count(*) FROM t") == [100]
    question = "SELECT concat_ws('|', pg_get_userbyid(datdba), shobj_description(oid, 'pg_database'), datconnlimit)"
    assert at.rows(f"{question} FROM pg_database WHERE datname = 'Gone'") == ["of_gone|ours|5"]
    assert at.ours() == []


def test_a_database_called_postgres_is_exchanged_like_any_other(server: PostgresServer, tmp_path: Path) -> None:
    (tmp_path / "running").touch()
    at = Ground(server, "postgres", tmp_path)
    at.execute("CREATE TABLE of_postgres (a int); INSERT INTO of_postgres VALUES (1)")
    at.dump()
    at.execute("DELETE FROM of_postgres")
    facts = at.restore()
    assert facts.exchange is not None
    assert at.rows("SELECT a FROM of_postgres") == [1]
    at.restore(backup="previous")
    assert at.rows("SELECT a FROM of_postgres") == []
    with server.connect("template1") as session:
        for name in at.ours():
            session.execute(f'DROP DATABASE "{name}"'.encode())
    at.execute("DROP TABLE of_postgres")


def test_a_server_behind_a_socket(server_folder: Path, tmp_path: Path) -> None:
    sockets = make_folder("atomops-sockets-")
    sockets.chmod(0o777)
    try:
        with postgres_server(17, server_folder, settings={"unix_socket_directories": str(sockets)}) as server:
            over_tcp = ground(server, "local", tmp_path, ROWS)
            dsn = f"postgresql:///local?host={sockets}&port={server.port}&user=postgres"
            at = over_tcp.but(postgres={"dsn": dsn, "password": "env:X"})
            at.dump()
            at.execute("DELETE FROM t")
            facts = at.restore()
            assert facts.obstacles == ()
            assert at.rows("SELECT count(*) FROM t") == [100]
    finally:
        for each in sockets.iterdir():
            each.unlink()
        sockets.rmdir()
