"""Backups and restores killed at many moments, each of which must lose nothing."""

from pathlib import Path

import pytest

from atomops.scratch.postgres import PostgresServer
from tests import kills, restore_kills
from tests.rounds import ROUNDS

pytestmark = [pytest.mark.slow(12 * ROUNDS), pytest.mark.timeout(60 * ROUNDS + 300)]


def test_a_backup_killed_at_any_moment_leaves_nothing_at_work_or_half_listed(
    postgres: PostgresServer, server_folder: Path, api: str
) -> None:
    with kills.killable(postgres, "killed_often", server_folder, api) as world:
        kills.kill_at(world, ROUNDS, seed=20261130)


def test_a_restore_killed_at_any_moment_leaves_one_whole_database_live(
    postgres: PostgresServer, server_folder: Path, api: str
) -> None:
    with restore_kills.restorable(postgres, "restored_often", server_folder, api) as world:
        restore_kills.kill_at(world, ROUNDS, seed=20261201)
