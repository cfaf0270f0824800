"""What stands in the way of a restore is told before anything is made, each with the statement that removes it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from atomops.errors import AccessDenied, InventoryError, NotThere
from atomops.facts.backup import Manifest
from atomops.scratch.postgres import PostgresServer
from atomops.stores.local import LocalStore
from tests.backup_sets import proof
from tests.postgres_servers import postgres_server
from tests.restores import Ground, ground, obstacles

pytestmark = pytest.mark.slow(30)

OWNER = "refused_owner"
ROWS = """
CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100);
ALTER TABLE t OWNER TO refused_owner; ALTER DATABASE refused OWNER TO refused_owner;
"""


@pytest.fixture(scope="module")
def at(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    with postgres.connect() as session:
        session.execute(f"CREATE ROLE {OWNER}")
    made = ground(postgres, "refused", tmp_path_factory.mktemp("refused"), ROWS)
    made.dump()
    return made


@pytest.fixture(autouse=True)
def nothing_was_made(at: Ground) -> Iterator[None]:
    yield
    assert at.ours() == []
    assert at.rows("SELECT count(*) FROM t") == [100]
    assert at.runs


@contextmanager
def a_role(at: Ground, name: str, attributes: str) -> Iterator[Ground]:
    """The target as that role changes it."""
    role = sql.Identifier(name)
    with at.server.connect() as session:
        made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} ").format(role, sql.Literal(at.server.password))
        session.execute(made + sql.SQL(attributes))
        yield at.but(changes={"dsn": at.server.dsn("refused", name), "password": "env:X"})
        session.execute(sql.SQL("DROP ROLE {}").format(role))


def altered(at: Ground, folder: Path, **origin: object) -> Ground:
    """The same target with a set whose manifest says something else of its origin."""
    store = LocalStore(folder / "store", "test")
    made = at.dump()
    other: Manifest = replace(made, id=f"{made.id}-altered", origin=replace(made.origin, **origin))  # type: ignore[arg-type]
    earlier = LocalStore(at.folder / "store", "test")
    staged = store.staging(other.id)
    for file in made.files:
        place = staged / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        with earlier.open(made.id, file.path) as stream:
            place.write_bytes(stream.read())
    store.publish(staged, other)
    store.add_proof(other.id, proof())
    return at.but(backups={"store": str(folder / "store")})


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        ({"roles": ("missing_role",)}, 'the role missing_role: .*CREATE ROLE "missing_role"'),
        ({"extensions": {"postgis": "3.5"}}, "the extension postgis: .*install the package of postgis 3.5"),
        ({"server_version": "99.1"}, "dumped from PostgreSQL 99, the server is 17: restore it into PostgreSQL 99"),
        ({"bytes": 10**15}, "the disk of /.*: a restore needs about 1.2 PiB.*free some space"),
    ],
)
def test_what_the_server_lacks(at: Ground, tmp_path: Path, origin: dict[str, object], told: str) -> None:
    facts = altered(at, tmp_path, **origin).restore()
    (only,) = obstacles(facts)
    assert_like(told, only)
    assert facts.copy is None


def assert_like(pattern: str, told: str) -> None:
    import re  # noqa: PLC0415

    assert re.search(pattern, told), told


def test_without_a_tablespace_of_the_original_everything_lies_in_the_databases_own(at: Ground, tmp_path: Path) -> None:
    facts = altered(at, tmp_path, tablespaces=("fast: /mnt/fast",)).restore(mode="beside")
    assert facts.obstacles == ()
    assert "without the tablespaces fast, which are not here" in facts.notes
    assert any("--no-tablespaces" in step.exactly for step in facts.steps)
    assert facts.copy is not None
    assert facts.copy.differences == ()


def test_a_set_that_no_program_here_can_read(at: Ground, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store", "test")
    made = at.dump()
    newer = replace(made, id="newer", client_version="99.1", files=())
    store.publish(store.staging("newer"), newer)
    facts = at.but(backups={"store": str(tmp_path / "store")}).restore(backup="newer")
    assert_like("pg_restore: newer needs pg_restore 99 or newer.*install postgresql-client-99", next(obstacles(facts)))


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        (f"IN ROLE {OWNER}", "our role may not create databases: ALTER ROLE .*CREATEDB"),
        ("CREATEDB", f"only its owner, who may create databases, may rename it: GRANT .{OWNER}. TO"),
        ("CREATEDB", f"the role {OWNER}: our role may not give it what it owned"),
        (f"CREATEDB NOINHERIT IN ROLE {OWNER}", f"the role {OWNER}: our role may not give it what it owned"),
    ],
)
def test_what_our_role_may_not(at: Ground, attributes: str, told: str) -> None:
    with a_role(at, "somebody", attributes) as restricted:
        assert_like(told, "\n".join(obstacles(restricted.restore())))


def test_an_extension_that_only_a_superuser_may_create(at: Ground, tmp_path: Path) -> None:
    with a_role(at, "somebody", f"CREATEDB IN ROLE {OWNER}") as restricted:
        facts = altered(restricted, tmp_path, extensions={"plpgsql": "1.0", "pg_stat_statements": "1.11"}).restore()
        assert [each.thing for each in facts.obstacles] == ["the extension pg_stat_statements"]


def test_sessions_that_our_role_may_not_end(at: Ground) -> None:
    with (
        a_role(at, "somebody", f"CREATEDB IN ROLE {OWNER}") as restricted,
        a_role(at, "a_guest", ""),
        at.server.connect("refused"),
        psycopg.connect(at.server.dsn("refused", "a_guest"), password=at.server.password),
    ):
        told = list(obstacles(restricted.restore()))
    assert_like("a session of a_guest: our role may not end it: GRANT pg_signal_backend TO .somebody", told[0])
    assert_like("a session of postgres: our role may not end it: set changes.dsn to a superuser", told[1])


def test_a_schema_that_an_earlier_restore_of_tables_has_made(at: Ground) -> None:
    facts = at.restore(mode="tables", tables=("t",))
    again = at.restore(mode="tables", tables=("t",))
    assert_like(f"the schema {facts.schema}: .*DROP SCHEMA .{facts.schema}. CASCADE", next(obstacles(again)))
    at.execute(f"DROP SCHEMA {facts.schema} CASCADE")


def test_the_lock_of_a_change_held_in_the_live_database_itself(postgres: PostgresServer, at: Ground) -> None:
    with a_role(at, "locker", "IN ROLE pg_monitor, pg_read_all_data") as reader, at.server.connect() as session:
        session.execute("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
        try:
            own = {"dsn": postgres.dsn("refused", "locker"), "password": "env:X"}
            changes = {"dsn": postgres.dsn(), "password": "env:X"}
            facts = reader.but(postgres=own, changes=changes).restore()
        finally:
            session.execute("GRANT CONNECT ON DATABASE postgres TO PUBLIC")
    (only,) = obstacles(facts)
    assert_like("the lock of this change: it is held in refused itself: GRANT CONNECT ON DATABASE postgres", only)


def test_a_wrong_password(at: Ground) -> None:
    wrong = {"dsn": at.server.dsn("postgres"), "password": "env:X"}
    with pytest.raises(AccessDenied, match=r"refuses the password: check changes.password"):
        replace(at, password="nonsense").but(changes=wrong).plan()


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"backup": "nothing-1"}, "no backup set of refused is called nothing-1; the newest is refused-"),
        ({"backup": "before:2001-01-01T00:00"}, "no sound backup set is older than 2001-01-01"),
        ({"backup": "previous"}, "no replaced database of refused is kept"),
        ({"database": "elsewhere"}, "there is no backup set of elsewhere"),
        ({"mode": "tables", "tables": ("nothing",)}, "has no rows of a table nothing"),
    ],
)
def test_what_is_not_there(at: Ground, wanted: dict[str, object], told: str) -> None:
    with pytest.raises(NotThere, match=told):
        at.restore(**wanted)


def test_an_application_that_nobody_can_stop(at: Ground) -> None:
    with pytest.raises(InventoryError, match=r"cannot be stopped.*quiesce=disconnect"):
        at.but(runtime=None).restore()


def test_an_older_server_than_the_dumps(at: Ground, server_folder: Path, tmp_path: Path) -> None:
    with postgres_server(16, server_folder) as server:
        other = ground(server, "refused", tmp_path)
        facts = other.but(backups={"store": str(at.folder / "store")}).restore()
        told = "\n".join(obstacles(facts))
        assert_like("dumped from PostgreSQL 17, the server is 16: restore it into PostgreSQL 17 or newer", told)
        assert_like(f"the role {OWNER}: the set needs it", told)
        assert other.ours() == []
