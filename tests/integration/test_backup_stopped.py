"""A backup that is stopped by a signal clears up before it ends."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from atomops.scratch.postgres import PostgresServer
from tests.kills import RULES, check_sets, killable, leftovers, wait_for_work, with_old_sets
from tests.nights import World
from tests.rounds import thoroughly
from tests.starter import Run
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow(65)


@pytest.fixture(scope="module")
def world(postgres: PostgresServer, server_folder: Path, api: str) -> Iterator[World]:
    with killable(postgres, "to_be_stopped", server_folder, api) as made:
        yield made


@pytest.mark.parametrize(
    ("number", "moment"),
    thoroughly([(signal.SIGINT, 0.2), (signal.SIGTERM, 1.2), (signal.SIGINT, 2.4)], short=[(signal.SIGTERM, 1.2)]),
    ids=str,
)
def test_stopped_by_a_signal_while_it_dumps_it_clears_up_before_it_ends(
    world: World, number: signal.Signals, moment: float
) -> None:
    world.write_inventory(f'{RULES}\ncompression = "zstd:19"')  # so that the dump outlasts every moment
    check_ended_by(world, number, lambda run: wait_for_work(world, run), moment)


@pytest.mark.parametrize("number", thoroughly([signal.SIGINT, signal.SIGTERM], short=[signal.SIGINT]), ids=str)
def test_stopped_by_a_signal_while_it_proves_it_clears_up_before_it_ends(world: World, number: signal.Signals) -> None:
    world.write_inventory(RULES)
    before = real_sets(world)

    def published(_run: Run) -> None:
        wait_until(lambda: real_sets(world) > before, "a new set")

    check_ended_by(world, number, published, 0)


def real_sets(world: World) -> set[str]:
    return {each.id for each in world.store.listing().sets if not each.id.endswith("-beef")}


def check_ended_by(world: World, number: signal.Signals, begun: Callable[[Run], None], moment: float) -> None:
    """A night that gets the signal so many seconds after it has begun."""
    with_old_sets(world)
    for name in leftovers(world):  # of other tests
        os.rename(world.store.home / name, world.folder / f"moved-{time.monotonic_ns()}")  # noqa: PTH104 - or a new name
    run = world.start_night()
    try:
        begun(run)
        time.sleep(moment)
        run.send_signal(number)
        assert run.wait(PATIENCE) != 0, world.output
    finally:
        run.kill()  # or it holds the lock against the next test
        run.wait()

    world.wait_for_silence()
    check_sets(world, set())
    assert leftovers(world) == []
    assert "Traceback" not in world.output
