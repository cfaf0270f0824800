"""The sandbox's application, asked and written to all the time, comes through an exchange of its database."""

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import psycopg
import pytest

from atomops.change.journal import unfinished
from atomops.facts.backup import Manifest
from atomops.facts.restore import DISCONNECT, STOP, RestoreFacts
from atomops.inventory import Target, load_inventory
from atomops.restore.planning import Wanted
from atomops.sandbox.application import control
from atomops.sandbox.seed import DATABASE, OWNER
from atomops.sandbox.world import World, world
from atomops.scratch.leftovers import own_world_folder
from tests.restores import dump, restore
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow(30)

TABLE = "CREATE TABLE written (id bigserial PRIMARY KEY, at timestamptz DEFAULT now())"


@dataclass
class Users:
    """Somebody who asks whether it is ready, and somebody who writes rows, both without a pause."""

    running: World
    statuses: Counter[int] = field(default_factory=Counter)
    written: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def at_work(self) -> Iterator["Users"]:
        threads = [threading.Thread(target=each) for each in (self._ask, self._write)]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: self.statuses[200] > 3 and self.written > 3, "the users' work")
            yield self
            good, written = self.statuses[200], self.written
            wait_until(lambda: self.statuses[200] > good + 3 and self.written > written + 3, "their further work")
        finally:
            self._over.set()
            for thread in threads:
                thread.join(PATIENCE)

    def _ask(self) -> None:
        with httpx.Client(base_url=self.running.application.url, trust_env=False, timeout=10) as client:
            while not self._over.wait(0.01):
                try:
                    self.statuses[client.get("/health/ready").status_code] += 1
                except httpx.TransportError:
                    self.statuses[0] += 1

    def _write(self) -> None:
        password = (self.running.folder / "secrets" / OWNER).read_text()
        while not self._over.wait(0.01):
            with contextlib.suppress(psycopg.Error):  # noqa: SIM117 - of connecting as well
                with psycopg.connect(self.running.postgres.dsn(DATABASE, OWNER), password=password) as session:
                    while not self._over.wait(0.01):
                        session.execute("INSERT INTO written DEFAULT VALUES")
                        session.commit()
                        self.written += 1


@pytest.fixture(scope="module")
def running() -> Iterator[World]:
    with own_world_folder("atomops-test-") as folder, world(folder, folder / "history") as it:
        with it.postgres.connect(DATABASE) as session:
            session.execute(TABLE)
            session.execute(f"ALTER TABLE written OWNER TO {OWNER}")
            session.execute("INSERT INTO written SELECT FROM generate_series(1, 1000)")
        yield it


@pytest.fixture(scope="module")
def at(running: World) -> Target:
    return load_inventory(running.inventory).target("sandbox")


@pytest.fixture(scope="module")
def made(at: Target) -> Manifest:
    return asyncio.run(dump(at, proven=True))


def restored(at: Target, **wanted: str) -> RestoreFacts:
    return asyncio.run(restore(at, Wanted(**wanted)))  # type: ignore[arg-type]


def rows(running: World) -> int:
    with running.postgres.connect(DATABASE) as session:
        (number,) = session.execute("SELECT count(*) FROM written").fetchone() or (0,)
    return int(number)


@pytest.mark.few(1)
@pytest.mark.parametrize("quiesce", [STOP, DISCONNECT])
def test_its_users_come_back_to_the_restored_rows_and_by_one_command_to_the_earlier_ones(
    running: World, at: Target, made: Manifest, quiesce: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dumped = made.contents.tables["public.written"].rows
    with Users(running).at_work() as users:
        before = users.written
        facts = restored(at, backup=made.id, quiesce=quiesce)
        by_then = users.written  # some of it into the restored one
        assert_ready(facts, running)
        assert facts.copy is not None
        assert facts.copy.differences == ()
        assert facts.copy.rows == made.contents.rows
        assert dumped <= rows(running) <= dumped + by_then

    with Users(running).at_work():
        back = restored(at, backup="previous", quiesce=quiesce)
        assert_ready(back, running)
        assert rows(running) >= dumped + before
    with capsys.disabled():
        print(f"\n{quiesce}: {told(facts)}; back: {told(back)}")  # noqa: T201 - measured, but not judged


def told(facts: RestoreFacts) -> str:
    done = facts.exchange
    assert done is not None
    return f"down for {done.downtime or 0:.2f} s, renamed in {done.renamed_in:.2f} s"


def assert_ready(facts: RestoreFacts, running: World) -> None:
    done = facts.exchange
    assert done is not None
    assert (done.problem, done.went_back, done.is_ready) == (None, "", True)
    assert len(control.running(running.application.config)) == 1
    assert httpx.get(f"{running.application.url}/health/ready", trust_env=False).status_code == 200
    assert unfinished(load_inventory(running.inventory).target("sandbox")) is None
    with running.postgres.connect() as session:
        (left,) = session.execute("SELECT count(*) FROM pg_database WHERE datname ~ '_incoming_'").fetchone() or (1,)
    assert left == 0
