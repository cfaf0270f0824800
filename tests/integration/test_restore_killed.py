"""A restore killed at any moment leaves one whole database live and nothing at work; what follows puts it right."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from atomops.scratch.postgres import PostgresServer
from tests.restore_kills import RestoreWorld, kill_at, restorable

pytestmark = pytest.mark.slow(60)

KILLS = 4  # two while the application is stopped, and one in each other stage


@pytest.fixture
def world(postgres: PostgresServer, server_folder: Path, api: str) -> Iterator[RestoreWorld]:
    with restorable(postgres, "restore_killed", server_folder, api) as made:
        yield made


@pytest.mark.timeout(900)
def test_killed_at_any_moment_one_whole_database_is_live_and_what_follows_puts_it_right(world: RestoreWorld) -> None:
    kill_at(world, KILLS, seed=20261126, modes=["stop"])
