"""A backup killed at any moment leaves nothing at work and nothing half listed; the next one clears up."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from atomops.scratch.postgres import PostgresServer
from tests.kills import kill_at, killable
from tests.nights import World
from tests.waiting import wait_until

pytestmark = pytest.mark.slow(60)

KILLS = 3  # one in each stage
EARLY = 1  # while the temporary Prefect server starts


@pytest.fixture(scope="module")
def world(postgres: PostgresServer, server_folder: Path, api: str) -> Iterator[World]:
    with killable(postgres, "to_be_killed", server_folder, api) as made:
        yield made


@pytest.mark.timeout(900)
def test_killed_at_any_moment_nothing_is_left_at_work_or_half_listed_and_the_next_run_clears_up(
    world: World,
) -> None:
    kill_at(world, KILLS, seed=20261125)


def test_killed_while_the_temporary_prefect_server_starts_that_goes_too(world: World) -> None:
    alone = World(world.server, world.database, world.folder.with_name("killed-alone"))
    alone.write_inventory()
    for number in range(EARLY):
        run = alone.start_night()
        wait_until(lambda: len(alone.processes()) > 1, "the temporary Prefect server")
        time.sleep(number)
        run.kill()
        run.wait()
        alone.wait_for_silence()
