"""A change of a role that is killed in the middle has changed nothing, and the next run does it."""

from collections.abc import Iterator

import pytest

from atomops.scratch.postgres import PostgresServer
from tests.nights import World
from tests.waiting import PATIENCE, wait_until

DATABASE = "role_to_be_killed"
SCRIPT = """
CREATE TABLE agent_execution (id int);
CREATE TABLE users (id text PRIMARY KEY, username text, email text, role text, updated_at timestamptz);
INSERT INTO users VALUES ('1', 'root', 'root@example.com', 'admin'), ('2', 'ann', 'ann@example.com', 'member');
"""
OURS = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"


@pytest.fixture(scope="module")
def world(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory, api: str) -> Iterator[World]:
    postgres.create_database(DATABASE, SCRIPT)
    made = World(postgres, DATABASE, tmp_path_factory.mktemp("roles") / "killed", api)
    made.write_inventory("[targets.production.changes]\nlock_timeout = 60")
    yield made
    with postgres.connect() as session:
        session.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def test_killed_while_it_waits_for_the_row_it_has_changed_nothing(world: World, postgres: PostgresServer) -> None:
    wanted = ("run", "set-user-role", "--set", "user=ann", "--set", "role=admin", "--set", "dry_run=false")
    with postgres.connect(DATABASE) as holder, postgres.connect() as watch:

        def waits() -> bool:
            row = watch.execute(OURS, [DATABASE]).fetchone()
            return bool(row and row[0])

        holder.execute("BEGIN")
        holder.execute("SELECT FROM users FOR UPDATE")
        run = world.start(*wanted)
        wait_until(lambda: waits() or run.poll() is not None, "the change")
        assert run.poll() is None, world.output

        run.kill()
        run.wait()
        wait_until(lambda: not waits(), "the server to notice")
        holder.execute("ROLLBACK")
        assert holder.execute("SELECT role FROM users ORDER BY id").fetchall() == [("admin",), ("member",)]

        assert world.start(*wanted).wait(PATIENCE) == 0, world.output
        assert holder.execute("SELECT role FROM users ORDER BY id").fetchall() == [("admin",), ("admin",)]
        lines = (world.store.home / "audit.jsonl").read_text().splitlines()
        assert [line.split('"result":"')[1].split('"')[0] for line in lines] == ["started", "started", "done"]
