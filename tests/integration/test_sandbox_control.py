"""The sandbox's application, stopped and started by its inventory's commands, and its database pulled from under it."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from atomops import shell
from atomops.inventory import load_inventory
from atomops.runtimes.choose import runtime_of
from atomops.runtimes.runtime import Runtime
from atomops.sandbox.application import control
from atomops.sandbox.world import World, world
from atomops.scratch.leftovers import own_world_folder, processes_of
from tests.waiting import PATIENCE, wait_until

PREFIX = f"atomops-control-{os.getpid()}-"
RESTARTED_WORLD = f"""
from atomops.scratch.leftovers import own_world_folder
from atomops.sandbox.application import control
from atomops.sandbox.world import world
import time
with own_world_folder("{PREFIX}") as folder, world(folder, folder / "history") as running:
    control.stop(running.application.config)
    control.start(running.application.config)
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def running() -> Iterator[World]:
    with own_world_folder("atomops-test-") as folder, world(folder, folder / "history") as it:
        yield it
        config = it.application.config
    assert control.running(config) == []


@pytest.fixture
def runtime(running: World) -> Runtime:
    return runtime_of(load_inventory(running.inventory).target("sandbox"))


def readiness(running: World) -> int:
    """The status that the readiness endpoint answers; 0 when nobody answers."""
    try:
        return httpx.get(f"{running.application.url}/health/ready", trust_env=False).status_code
    except httpx.TransportError:
        return 0


def test_it_is_stopped_and_started_again_on_its_own_port(running: World, runtime: Runtime) -> None:
    before = asyncio.run(runtime.describe())
    asyncio.run(runtime.stop(before))
    assert readiness(running) == 0
    assert asyncio.run(runtime.describe()).is_stopped
    asyncio.run(runtime.start(before))
    wait_until(lambda: readiness(running) == 200, "readiness")


def test_a_restart_is_another_process_in_a_session_of_its_own(running: World, runtime: Runtime) -> None:
    (before,) = control.running(running.application.config)
    asyncio.run(runtime.restart())
    (after,) = control.running(running.application.config)
    assert after.pid != before.pid
    assert os.getsid(after.pid) == after.pid
    assert after in processes_of(running.folder)


def test_two_starts_at_once_are_one_application(running: World) -> None:
    control.stop(running.application.config)
    argv = control.command("start", running.application.config)

    async def both() -> None:
        await asyncio.gather(*(shell.run(argv, timeout=PATIENCE) for _ in range(2)))

    asyncio.run(both())
    wait_until(lambda: len(control.running(running.application.config)) == 1, "one application")
    assert readiness(running) == 200


def test_it_survives_that_its_database_is_renamed_and_its_sessions_ended(running: World) -> None:
    config = running.application.config
    (before,) = control.running(config)
    wait_until(lambda: readiness(running) == 200, "readiness")
    with running.postgres.connect() as session:
        session.execute("ALTER DATABASE atom ALLOW_CONNECTIONS false")
        session.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'atom'")
        wait_until(lambda: readiness(running) == 503, "it to miss its database")
        session.execute("ALTER DATABASE atom RENAME TO atom_old")
        session.execute("CREATE DATABASE atom TEMPLATE atom_old OWNER atom")
        wait_until(lambda: readiness(running) == 200, "readiness")
        session.execute("DROP DATABASE atom_old")
    assert control.running(config) == [before]
    agents = httpx.get(f"{running.application.url}/api/agents", trust_env=False)
    assert agents.status_code == 200


def test_the_role_for_changes_may_make_rename_and_drop_databases(running: World) -> None:
    changes = load_inventory(running.inventory).target("sandbox").changes
    assert changes.dsn is not None
    assert changes.password is not None
    with psycopg.connect(changes.dsn, password=changes.password.reveal(), autocommit=True) as session:
        session.execute("CREATE DATABASE beside OWNER atom")
        session.execute("ALTER DATABASE beside RENAME TO beside_too")
        session.execute("DROP DATABASE beside_too")


def test_a_start_that_cannot_succeed_says_where_to_look(tmp_path: Path) -> None:
    config = tmp_path / "application.json"
    config.write_text(
        '{"port": 1, "database": "", "database_password_file": "/x", "redis": "redis://x", '
        f'"redis_password_file": "/x", "log": "{tmp_path}/log"}}'
    )
    with pytest.raises(RuntimeError, match=r"it ends at once: see .*application\.out"):
        control.start(config)
    assert control.status(config) is None


def test_what_was_started_anew_dies_with_a_world_that_is_killed(tmp_path: Path) -> None:
    owner = shell.start([sys.executable, "-c", RESTARTED_WORLD], log=tmp_path / "log")
    wait_until(lambda: owner.tail().endswith("\n"), "the folder's name")
    folder = Path(owner.tail().strip())
    (application,) = control.running(folder.resolve() / "application.json")
    os.kill(owner.pid, signal.SIGKILL)
    owner.process.wait()
    wait_until(
        lambda: not application.is_running() or application.status() == psutil.STATUS_ZOMBIE,
        "the end of the application",
    )
    wait_until(lambda: not folder.exists(), "the removal of the folder")
