"""Cancelled at any step of an exchange, the application runs, and the next restore settles what is left."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from atomops.change.journal import unfinished
from atomops.facts.restore import DISCONNECT, STOP
from atomops.restore.planning import Wanted
from atomops.restore.recovery import finish_killed
from atomops.scratch.postgres import PostgresServer
from tests.restore_asked import PATIENT, RENAMING, as_in_the_beginning, asked, is_live, mark_live, without
from tests.restores import Ground, flag_runtime, restore
from tests.rounds import thoroughly
from tests.waiting import wait_until

pytestmark = pytest.mark.slow(25)

BOTH = pytest.mark.parametrize("quiesce", thoroughly([STOP, DISCONNECT], short=[STOP]))


@pytest.fixture(scope="module")
def made(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with asked(postgres, "cancelled", tmp_path_factory.mktemp("cancelled")) as at:
        yield at


@pytest.fixture
def at(made: Ground) -> Iterator[Ground]:
    yield made
    as_in_the_beginning(made)


def cancelled(at: Ground, when: Callable[[], bool], **wanted: Any) -> None:  # noqa: ANN401 - as the flow's parameters
    """A restore that is cancelled as soon as that is so."""

    async def run() -> None:
        restoring = asyncio.create_task(restore(at.target, Wanted(**wanted)))
        cancelling = asyncio.create_task(asyncio.to_thread(wait_until, when, "the moment"))
        await asyncio.wait([restoring, cancelling], return_when=asyncio.FIRST_COMPLETED)
        restoring.cancel()
        with pytest.raises(asyncio.CancelledError):
            await restoring
        await cancelling

    asyncio.run(run())
    assert at.runs
    assert [each for each in at.ours() if "_incoming_" in each] == []


def finished(at: Ground) -> None:
    """The next restore, or `atomops resume`, brings everything in order."""
    asyncio.run(finish_killed(at.target))
    assert at.runs
    assert unfinished(at.target) is None
    assert at.rows("SELECT a FROM needed") == [1]


def has(at: Ground, kind: str) -> Callable[[], bool]:
    return lambda: any(f"_{kind}_" in name for name in at.ours())


def test_cancelled_while_it_stops_nothing_is_exchanged(at: Ground) -> None:
    mark_live(at)
    slow = at.but(runtime=flag_runtime(at.folder, stop=f"rm {at.folder}/running; sleep 30"))
    cancelled(slow, lambda: not at.runs, backup="latest")
    assert is_live(at)
    assert unfinished(at.target) is None
    assert at.ours() == []


def test_cancelled_while_sessions_would_not_end_nothing_is_exchanged(at: Ground) -> None:
    mark_live(at)
    with at.server.connect() as session:  # whoever copies a database holds a lock that a rename waits for
        session.execute("BEGIN")
        session.execute("COMMENT ON DATABASE cancelled IS NULL")
        cancelled(at, lambda: at.rows(f"SELECT true {RENAMING}", "postgres") == [True], backup="latest")
    assert is_live(at)
    assert unfinished(at.target) is None
    assert at.ours() == []


def test_cancelled_while_it_starts_it_is_started_all_the_same(at: Ground) -> None:
    mark_live(at)
    slow = at.but(runtime=flag_runtime(at.folder, start=f"sleep 2; touch {at.folder}/running"), changes=PATIENT)
    cancelled(slow, has(at, "replaced"), backup="latest")
    assert not is_live(at)
    finished(at)
    assert not is_live(at)


def test_cancelled_while_it_restarts_it_is_started_all_the_same(at: Ground) -> None:
    restart = f"rm {at.folder}/running; sleep 30"
    slow = at.but(runtime=flag_runtime(at.folder, restart=restart), changes=PATIENT)
    cancelled(slow, lambda: not at.runs, backup="latest", quiesce=DISCONNECT)
    finished(at)


def test_cancelled_while_nobody_knows_whether_it_will_be_ready_the_next_one_settles_it(at: Ground) -> None:
    mark_live(at)
    cancelled(at.but(changes=PATIENT), lambda: has(at, "replaced")() and at.runs, backup=without(at))
    assert not is_live(at)
    assert unfinished(at.target) is not None
    finished(at)
    assert is_live(at)


def test_cancelled_on_its_way_back_the_application_runs_and_the_next_one_goes_all_the_way(at: Ground) -> None:
    mark_live(at)
    stopped = at.folder / "stopped"
    slow = f"if [ -e {stopped} ]; then rm {at.folder}/running; sleep 30; fi; touch {stopped}; rm {at.folder}/running"
    going = at.but(runtime=flag_runtime(at.folder, stop=slow))
    cancelled(going, lambda: stopped.exists() and has(at, "replaced")() and went_down_again(at), backup=without(at))
    stopped.unlink()
    finished(at)
    assert is_live(at)


def went_down_again(at: Ground) -> bool:
    """It ran on the new database, and is stopped again."""
    flag = at.folder / "was up"
    if at.runs and has(at, "replaced")():
        flag.touch()
    if flag.exists() and not at.runs:
        flag.unlink()
        return True
    return False
