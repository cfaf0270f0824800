"""Restores that end before their time: a world with an application, and what must hold whenever one has ended."""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from atomops.inventory import Target, load_inventory
from atomops.scratch.postgres import PostgresServer
from tests import small_application
from tests.kills import moments
from tests.nights import World
from tests.ports import own_port
from tests.restores import dump
from tests.starter import Run
from tests.waiting import PATIENCE, wait_until

ROWS = 20_000
FILL = """
CREATE TABLE t (id int PRIMARY KEY, body text);
INSERT INTO t SELECT n, md5(n::text) FROM generate_series(1, 20000) AS n;
"""
STATE = "SELECT count(*), sum(hashtext(body)), max(id) FROM t"
INVENTORY = """
[targets.production]
history = "{folder}/history"
[targets.production.app]
url = "http://127.0.0.1:{port}"
[targets.production.postgres]
dsn = "{dsn}"
password = "env:A_PASSWORD"
[targets.production.changes]
ready_within = 60
[targets.production.backups]
store = "{folder}/store"
[targets.production.runtime]
kind = "command"
directory = "{root}"
within = 60
{commands}
"""
MODES = ("stop", "disconnect")


class RestoreWorld(World):
    """A world whose application is a process that outlives every run."""

    @property
    def up(self) -> Path:
        return self.folder / "up"

    @property
    def journal(self) -> Path:
        return self.folder / "history" / "production" / "unfinished.json"

    @property
    def target(self) -> Target:
        inventory = load_inventory(self.folder / "inventory.toml")
        return inventory.target("production", read=lambda _: self.server.password)

    def processes(self) -> list[psutil.Process]:
        """Of runs; those of the application belong to it."""
        return [each for each in super().processes() if not self._is_application(each)]

    def instances(self) -> list[psutil.Process]:
        """Those that serve; a shell that starts or stops one has other arguments before it."""
        return [each for each in psutil.process_iter() if self._is_application(each)]

    def _is_application(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            argv = process.cmdline()
            return argv[1:3] == ["-m", "tests.small_application"] and str(self.up) in argv
        return False

    def state(self) -> object:
        with self.server.connect(self.database) as session:
            return session.execute(STATE).fetchone()

    def databases(self, kind: str) -> list[str]:
        question = "SELECT datname::text FROM pg_database WHERE datname LIKE %s ORDER BY 1"
        with self.server.connect() as session:
            return [name for (name,) in session.execute(question, [f"{self.database}_{kind}_%"])]

    def is_ready(self) -> bool:
        app = self.target.app
        assert app is not None
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{app.url}/health/ready", trust_env=False, timeout=20).status_code == 200
        return False

    def start_restore(self, quiesce: str) -> Run:
        settings = ("--set", "dry_run=false", "--set", f"quiesce={quiesce}", "--json", str(self.folder / "report.json"))
        return self.start("run", "restore-database", *settings)

    def resume(self) -> None:
        """`atomops resume`, which must bring back whatever there is to be brought back."""
        assert self.start("resume").wait() == 0, self.output


@contextmanager
def restorable(server: PostgresServer, name: str, folder: Path, api: str) -> Iterator[RestoreWorld]:
    """A database with a proven set of it, and an application that is ready on it."""
    server.create_database(name, FILL)
    world = RestoreWorld(server, name, folder / name, api)
    port, dsn = own_port(), server.dsn(name)
    commands = small_application.commands(port, dsn, world.up, server.password)
    text = "\n".join(f"{what} = {json.dumps(argv)}" for what, argv in commands.items())
    (world.folder / "inventory.toml").write_text(
        INVENTORY.format(folder=world.folder, port=port, dsn=dsn, root=small_application.ROOT, commands=text)
    )
    asyncio.run(dump(world.target, proven=True))
    try:
        small_application.run(commands["start"])
        wait_until(world.is_ready, "the application")
        yield world
    finally:
        small_application.run(commands["stop"])
        assert world.instances() == []


def with_newer_rows(world: RestoreWorld) -> tuple[object, object]:
    """The state of the set, and another one, in which the live database is now. Earlier ones are gone."""
    with world.server.connect() as session:
        for name in (*world.databases("replaced"), *world.databases("refused")):
            session.execute(f'DROP DATABASE "{name}"'.encode())
    with world.server.connect(world.database) as session:
        session.execute(b"DELETE FROM t WHERE id > %d" % ROWS)
        restored = session.execute(STATE).fetchone()
        session.execute(b"INSERT INTO t VALUES (%d, 'newer')" % (ROWS + 1))
    return restored, world.state()


def check_after(world: RestoreWorld, states: Sequence[object]) -> None:
    """Nothing is at work, and the live name is that of one whole database."""
    world.wait_for_silence()
    assert world.state() in states


def check_put_right(world: RestoreWorld, states: Sequence[object]) -> None:
    """As many instances as before are ready on a whole database, and nobody remembers anything."""
    assert world.state() in states
    wait_until(lambda: len(world.instances()) == 1, "one instance")
    wait_until(world.is_ready, "readiness")
    assert not world.journal.exists()


# What a restore does, one after another, and how one sees that it has begun.
STAGES: dict[str, Callable[[RestoreWorld], bool]] = {
    "copying": lambda world: any(world.temp.glob("atomops-backup-*")),
    "stopping and renaming": lambda world: world.journal.exists(),
    "starting": lambda world: bool(world.databases("replaced")),
}
SHARES = ("copying", "stopping and renaming", "stopping and renaming", "starting")  # what is soon over comes twice


def wait_for(stage: str, world: RestoreWorld, run: Run) -> None:
    """Until it has begun, or the run is over."""
    wait_until(lambda: STAGES[stage](world) or run.poll() is not None, stage)


def whole_run(world: RestoreWorld, quiesce: str) -> dict[str, float]:
    """The seconds that each stage took."""
    with_newer_rows(world)
    run, begun = world.start_restore(quiesce), list[float]()
    for stage in STAGES:
        wait_for(stage, world, run)
        begun.append(time.monotonic())
    assert run.wait() == 0, world.output
    ends = [*begun[1:], time.monotonic()]
    return {stage: end - began for stage, began, end in zip(STAGES, begun, ends, strict=True)}


def kill_at(world: RestoreWorld, number: int, *, seed: int, modes: Sequence[str] = MODES) -> None:
    """So many restores are killed, as many in each mode, at any moment of every stage, and put right by a resume.

    Then one that is not killed leaves nothing.
    """
    seen = set[str]()
    for mode in modes:
        seconds = whole_run(world, mode)
        for stage, fraction in moments(SHARES, number // len(modes), seed=seed):
            states = with_newer_rows(world)
            run = world.start_restore(mode)
            wait_for(stage, world, run)
            time.sleep(fraction * seconds[stage])
            run.kill()
            run.wait()
            check_after(world, states)
            seen.add(what_was_found(world, states))
            world.resume()
            check_put_right(world, states)
    assert {found.partition(",")[0] for found in seen} >= {"old", "new"}, seen

    states = with_newer_rows(world)
    assert world.start_restore("stop").wait() == 0, world.output

    check_after(world, states[:1])
    check_put_right(world, states[:1])
    assert world.databases("incoming") == []
    assert world.report["level"] == "OK"


def what_was_found(world: RestoreWorld, states: Sequence[object]) -> str:
    """Where a run was killed, by what it has left."""
    if not world.journal.exists():
        return "old, untouched"
    name = "new" if world.state() == states[0] else "old"
    return f"{name}, {'running' if world.instances() else 'stopped'}"


def check_ended_by(world: RestoreWorld, number: signal.Signals, when: Callable[[], bool], quiesce: str) -> None:
    """A restore that gets the signal at that moment ends in good order: the application is up before it ends."""
    states = with_newer_rows(world)
    run = world.start_restore(quiesce)
    wait_until(lambda: when() or run.poll() is not None, "the moment")
    os.kill(run.pid, number)

    assert run.wait(PATIENCE) != 0, world.output

    assert len(world.instances()) == 1
    assert world.databases("incoming") == []
    assert "Traceback" not in world.output
    check_after(world, states)
    world.resume()
    check_put_right(world, states)
