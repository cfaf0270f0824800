"""A vacuum that is stopped or killed leaves no backend at work, and the next one does what it had not."""

import signal
from collections.abc import Iterator

import pytest

from atomops.scratch.postgres import PostgresServer
from tests.nights import World
from tests.starter import Run
from tests.vacuums import undisturbed, with_dead_rows
from tests.waiting import PATIENCE, wait_until

DATABASE = "vacuum_to_be_killed"
SLOWLY = ("--set", "cost_delay=100", "--set", "cost_limit=1")
AT_WORK = "SELECT count(*) FROM pg_stat_progress_vacuum WHERE datname = %s"


@pytest.fixture(scope="module")
def world(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory, api: str) -> Iterator[World]:
    with undisturbed(postgres, DATABASE):
        with postgres.connect(DATABASE) as session:
            session.execute(with_dead_rows("large", 200_000).encode())
        made = World(postgres, DATABASE, tmp_path_factory.mktemp("vacuum") / "killed", api)
        made.write_inventory()
        yield made


def start(world: World, *more: str) -> Run:
    report = world.folder / "report.json"
    report.unlink(missing_ok=True)
    argv = ("run", "vacuum-tables", "--set", "tables=large", "--json", str(report), *more)
    return world.start(*argv)


def at_work(world: World) -> bool:
    with world.server.connect() as session:
        row = session.execute(AT_WORK, [world.database]).fetchone()
    return bool(row and row[0])


def started_slowly(world: World) -> Run:
    """A run whose VACUUM would take minutes, at work on the server."""
    run = start(world, *SLOWLY)
    wait_until(lambda: at_work(world) or run.poll() is not None, "the VACUUM")
    assert run.poll() is None, world.output
    return run


@pytest.mark.parametrize("postgres", [17], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_however_it_is_ended_nothing_is_left_at_work(world: World, number: signal.Signals) -> None:
    run = started_slowly(world)

    run.send_signal(number)

    assert run.wait(PATIENCE) != 0
    world.wait_for_silence()
    assert not at_work(world)
    assert "Traceback" not in world.output
    last = (world.store.home / "audit.jsonl").read_text().splitlines()[-1]
    assert ('"result":"started"' if number == signal.SIGKILL else '"result":"cancelled"') in last


@pytest.mark.parametrize("postgres", [13], indirect=True)
def test_where_the_server_does_not_notice_the_next_run_ends_what_is_left_and_does_the_work(world: World) -> None:
    """PostgreSQL 13 does not look whether the client is still there."""
    run = started_slowly(world)
    run.kill()
    run.wait()
    assert at_work(world)

    assert start(world).wait(PATIENCE) == 0, world.output

    found = {each["code"]: each for each in world.report["findings"]}
    assert found["VACUUM-ENDED"]["observed"] == 1
    assert found["VACUUM-DONE"]["observed"] == 1
    world.wait_for_silence()
