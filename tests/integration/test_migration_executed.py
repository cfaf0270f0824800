"""A migration of a real database that fails in every way: what is left, what is taken back, and who is named."""

import asyncio
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from atomops.errors import PermanentError
from atomops.facts.migration import Downgraded, Execution, Rehearsal
from atomops.inventory import App
from atomops.migration.execute import execute
from atomops.migration.look import Look, look
from atomops.migration.order import Order
from atomops.scratch.postgres import PostgresServer
from atomops.verdict import Unseen
from tests.migrations import HEAD, LONG, NO_NOTES, SUMMARIES, TICKETS, UNIQUE, Scene
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow(100)

LOSSLESS = Rehearsal("set", 1, 1, "17.10", downgrade=Downgraded(1))
RESTORE = "restore it"


@pytest.fixture(scope="module")
def origins(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scene]:
    """A database at each of the revisions from which the tests set out."""
    found, last = {}, Scene(postgres, tmp_path_factory.mktemp("execution")).make(LONG)
    found[LONG] = last
    for revision in (NO_NOTES, TICKETS):
        last = last.copy(tmp_path_factory.mktemp("execution"))
        last.alembic("upgrade", revision)
        found[revision] = last
    return found


def looked(scene: Scene, order: Order, **migrations: Any) -> Look:  # noqa: ANN401 - as in an inventory
    return asyncio.run(look(scene.target(**migrations), order, None))


def executed(
    scene: Scene,
    order: Order,
    rehearsal: Rehearsal | None = None,
    app: str = "",
    **migrations: Any,  # noqa: ANN401
) -> Execution:
    async def done() -> Execution:
        target = scene.target(**migrations)
        if app:
            target = target.model_copy(update={"app": App(url=app)})
        seen = await look(target, order, None)
        seen = replace(seen, facts=replace(seen.facts, rehearsal=rehearsal))
        return (await execute(target, seen, order, RESTORE)).execution

    return asyncio.run(done())


def test_a_failure_in_a_transaction_is_rolled_back_whole(origins: dict[str, Scene], tmp_path: Path) -> None:
    scene = origins[LONG].copy(tmp_path)
    scene.execute("INSERT INTO agent_registry (name) VALUES ('agent 1')")
    before = scene.catalogue()

    done = executed(scene, Order(revision=UNIQUE), LOSSLESS)

    assert not done.is_there
    assert 'could not create unique index "one_of_each_name"' in done.problem
    assert done.taken_back is not None
    assert done.taken_back.way == "rolled back"
    assert scene.catalogue() == before


def test_a_failure_outside_of_a_transaction_names_exactly_what_it_has_left(
    origins: dict[str, Scene], tmp_path: Path
) -> None:
    scene = origins[NO_NOTES].copy(tmp_path)
    scene.execute("INSERT INTO agent_execution (agent_id, ticket) VALUES (1, 1)")

    done = executed(scene, Order(revision=TICKETS), LOSSLESS)

    assert done.taken_back is not None
    assert done.taken_back.way == "left"
    assert "2 changes: column public.agent_execution.checked, index public.one_ticket" in done.taken_back.words
    assert RESTORE in done.taken_back.action
    assert isinstance(done.schema, tuple)
    assert done.schema[1].after.endswith("INVALID")
    assert scene.revision == NO_NOTES


def test_one_revision_at_a_time_a_failure_is_taken_back_by_a_downgrade_that_is_proven_to_lose_nothing(
    origins: dict[str, Scene], tmp_path: Path
) -> None:
    scene = origins[TICKETS].copy(tmp_path)
    scene.edit(
        "versions/r13_tiers.py", "def upgrade() -> None:", "def upgrade() -> None:\n    op.execute('SELECT 1 / 0')"
    )
    one_by_one: dict[str, Any] = {"environment": {"ONE_BY_ONE": "yes"}}
    before = scene.catalogue()

    unproven = executed(scene, Order(), None, **one_by_one)

    assert unproven.taken_back is not None
    assert f"it stays at {SUMMARIES}" in unproven.taken_back.words
    assert RESTORE in unproven.taken_back.action
    assert scene.revision == SUMMARIES

    scene.alembic("downgrade", TICKETS)
    proven = executed(scene, Order(), LOSSLESS, **one_by_one)

    assert proven.taken_back is not None
    assert proven.taken_back.way == "downgraded", proven.taken_back
    assert scene.catalogue() == before


@contextmanager
def holding(scene: Scene, table: str) -> Iterator[psycopg.Connection[Any]]:
    """Somebody who reads the table, and forgets to end the transaction."""
    dsn = f"{scene.server.dsn(scene.database)}?application_name=forgetful"
    with psycopg.connect(dsn, password=scene.server.password) as session:
        session.execute(f"SELECT FROM {table}".encode())
        yield session


def test_a_lock_that_is_held_is_not_waited_for_long_and_its_holder_is_named(
    origins: dict[str, Scene], tmp_path: Path
) -> None:
    scene = origins[TICKETS].copy(tmp_path)
    before = scene.catalogue()
    with holding(scene, "episode") as session:
        done = executed(scene, Order(lock_retries=1))

        assert len(done.attempts) == 2
        assert "a lock was not granted in time" in done.problem
        (holder,) = done.attempts[0].waited_for
        assert holder.startswith(f"forgetful (postgres, backend {session.info.backend_pid}, idle in transaction since ")
    assert done.taken_back is not None
    assert done.taken_back.way == "rolled back"
    assert scene.catalogue() == before


def test_it_is_tried_again_until_the_lock_is_free(origins: dict[str, Scene], tmp_path: Path) -> None:
    scene = origins[TICKETS].copy(tmp_path)
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'atomops-m%'"
    )
    with holding(scene, "episode") as session:

        def let_go() -> None:
            wait_until(lambda: scene.value(waiting) == 1, "the wait for the lock")
            wait_until(lambda: scene.value(waiting) == 0, "its end")
            session.rollback()

        letting_go = threading.Thread(target=let_go)
        letting_go.start()
        done = executed(scene, Order(lock_retries=8))
        letting_go.join()

    assert done.is_there
    assert len(done.attempts) > 1
    assert done.taken_back is None
    assert done.rows == {"agent_execution": (300, 300), "episode": (100, 100)}
    assert scene.revision == HEAD


@contextmanager
def application(scene: Scene) -> Iterator[str]:
    """An application that is ready only as long as the database has no summaries."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ready = scene.revision == TICKETS
            self.send_response(200 if ready else 503)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps({"status": "ready" if ready else "not_ready", "checks": {}}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_an_application_that_is_not_ready_afterwards_gets_its_old_schema_back(
    origins: dict[str, Scene], tmp_path: Path
) -> None:
    scene = origins[TICKETS].copy(tmp_path)
    with application(scene) as url:
        done = executed(scene, Order(), LOSSLESS, app=url)

    assert done.is_there
    assert done.ready_before is True
    assert isinstance(done.ready_seconds, Unseen)
    assert done.taken_back is not None
    assert done.taken_back.way == "downgraded"
    assert scene.revision == TICKETS


def test_scripts_that_changed_since_the_look_are_not_run(origins: dict[str, Scene], tmp_path: Path) -> None:
    scene = origins[TICKETS].elsewhere(tmp_path)
    order = Order()
    seen = looked(scene, order)
    scene.edit("versions/r12_summaries.py", "left(title, 20)", "left(title, 30)")
    with pytest.raises(PermanentError, match="other ones than those that were looked at"):
        asyncio.run(execute(scene.target(), seen, order, RESTORE))
    assert scene.revision == TICKETS


def test_a_table_that_is_not_there_is_named_before_anything_is_run(origins: dict[str, Scene]) -> None:
    with pytest.raises(PermanentError, match="there is no table agent_exekution"):
        executed(origins[TICKETS], Order(tables=("agent_exekution",)))
    assert origins[TICKETS].revision == TICKETS


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "kill -9"])
def test_killed_in_the_middle_no_alembic_is_left_and_the_database_is_as_before(
    origins: dict[str, Scene], tmp_path: Path, number: signal.Signals
) -> None:
    scene = origins[TICKETS].copy(tmp_path)
    scene.edit("versions/r12_summaries.py", "pg_sleep(0.3)", "pg_sleep(600)")
    before = scene.catalogue()
    temp = tmp_path / "temp"
    temp.mkdir()
    own = {"TMPDIR": str(temp), "ATOMOPS_TEST_KILLED": scene.database}
    argv = [sys.executable, "-m", "tests.migrate_alone"]
    with (tmp_path / "output").open("wb") as output:
        run = subprocess.Popen(argv, env=os.environ | own, stdin=subprocess.PIPE, stdout=output, stderr=output)
    told = {"port": scene.server.port, "password": scene.server.password}
    assert run.stdin is not None
    run.stdin.write(json.dumps(told | {"folder": str(tmp_path), "database": scene.database}).encode() + b"\n")
    run.stdin.flush()
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    wait_until(lambda: scene.value(asleep) == 1 or run.poll() is not None, "the long statement")
    assert run.poll() is None, (tmp_path / "output").read_text()

    run.send_signal(number)

    run.wait(PATIENCE)
    run.stdin.close()
    wait_until(lambda: not _left(scene.database), "the end of alembic")
    wait_until(lambda: scene.value(asleep) == 0, "the end of its session")
    wait_until(lambda: not any(temp.iterdir()), "the end of its folder")
    assert scene.catalogue() == before


def _left(mark: str) -> list[int]:
    """Processes of that run."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("ATOMOPS_TEST_KILLED") == mark:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found
