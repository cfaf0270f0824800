"""A restore that is stopped by a signal ends in good order: the application runs before it ends, whenever that is."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from atomops.scratch.postgres import PostgresServer
from tests.restore_kills import RestoreWorld, check_ended_by, restorable
from tests.rounds import thoroughly

pytestmark = pytest.mark.slow(40)

MOMENTS: dict[str, tuple[str, Callable[[RestoreWorld], bool]]] = {
    "while it restores": ("stop", lambda world: bool(world.databases("incoming"))),
    "while it stops": ("stop", lambda world: world.journal.exists()),
    "while it is down": ("stop", lambda world: world.journal.exists() and not world.instances()),
    "while it starts": ("stop", lambda world: bool(world.databases("replaced"))),
    "while it restarts": ("disconnect", lambda world: bool(world.databases("replaced")) and not world.instances()),
}


@pytest.fixture(scope="module")
def world(postgres: PostgresServer, server_folder: Path, api: str) -> Iterator[RestoreWorld]:
    with restorable(postgres, "restore_stopped", server_folder, api) as made:
        yield made


BY_CTRL_C = ("while it restores", "while it is down", "while it starts")  # which cancels it just as SIGTERM does
CASES = [*((moment, signal.SIGTERM) for moment in MOMENTS), *((moment, signal.SIGINT) for moment in BY_CTRL_C)]
A_FEW = [(each, signal.SIGTERM) for each in ("while it restores", "while it is down", "while it restarts")]


@pytest.mark.parametrize(("moment", "number"), thoroughly(CASES, short=A_FEW), ids=str)
def test_stopped_by_a_signal_the_application_runs_before_it_ends(
    world: RestoreWorld, moment: str, number: signal.Signals
) -> None:
    quiesce, is_now = MOMENTS[moment]
    check_ended_by(world, number, lambda: is_now(world), quiesce)
