"""A rehearsal on a copy, restored from a real, proven set: its time, its locks, its losses, and its way back."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from atomops.backup.access import backups_of
from atomops.backup.making import workshop
from atomops.backup.preflight import tools_for
from atomops.backup.proving import bench
from atomops.facts.backup import BackupSet
from atomops.facts.migration import Rehearsal
from atomops.migration.look import look
from atomops.migration.order import Order
from atomops.migration.rehearse import Astray, rehearse
from atomops.scratch.postgres import PostgresServer
from atomops.verdict import Unseen
from tests.migrations import HEAD, NO_NOTES, TICKETS, UNIQUE, Scene
from tests.nights import back_up

pytestmark = pytest.mark.slow(70)


@pytest.fixture(scope="module")
def scene(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    made = Scene(postgres, tmp_path_factory.mktemp("rehearsal")).make(UNIQUE)
    back_up(made.target())
    return made


def rehearsed(scene: Scene, order: Order) -> Rehearsal | Unseen:
    """On the newest set of the scene."""
    target = scene.target()
    settings = backups_of(target)

    async def tried() -> Rehearsal | Unseen:
        with workshop(settings) as work:
            seen = await look(target, order, work)
            tools = await tools_for(settings, seen.alembic.server_version // 10_000)
            async with bench(settings, tools, work) as on:
                assert not isinstance(on, Unseen)
                chosen = (scene.store, scene.store.listing().sets[0])
                return await rehearse(seen.facts, seen.alembic, chosen, on, downgrade=order.rehearse_downgrade)

    return asyncio.run(tried())


def went_well(told: Rehearsal | Unseen) -> Rehearsal:
    assert isinstance(told, Rehearsal), told
    assert told.problem == ""
    return told


def test_a_rehearsal_tells_time_locks_losses_and_that_the_way_back_loses_data(scene: Scene) -> None:
    before = scene.catalogue()

    told = went_well(rehearsed(replace(scene, own_scratch=True), Order(rehearse_downgrade=True)))

    assert told.seconds > 0.3
    held = {lock.table: lock for lock in told.locks}
    assert held["public.episode"].mode == "AccessExclusiveLock"
    assert 0.2 < held["public.episode"].seconds < told.seconds
    assert [(loss.what, loss.amount) for loss in told.losses] == [("the column public.agent_registry.notes", 7)]
    assert {"column public.episode.summary", "index public.one_ticket"} <= {each.thing for each in told.schema}
    assert told.keeps_settings
    assert told.downgrade is not None
    assert any("public.agent_registry" in each for each in told.downgrade.differences)
    assert scene.catalogue() == before


def test_a_downgrade_that_loses_nothing_is_told_as_that(scene: Scene, tmp_path: Path) -> None:
    later = scene.copy(tmp_path)
    later.alembic("upgrade", TICKETS)
    back_up(later.target())
    told = went_well(rehearsed(later, Order(rehearse_downgrade=True)))
    assert told.downgrade is not None
    assert told.downgrade.is_lossless, told.downgrade
    assert told.losses == ()


def test_what_fails_on_the_copy_is_told_and_leaves_nothing(scene: Scene, tmp_path: Path) -> None:
    doubled = scene.copy(tmp_path)
    doubled.execute("INSERT INTO agent_execution (agent_id, ticket) VALUES (1, 1)")
    back_up(doubled.target())
    databases = "SELECT string_agg(datname, ' ' ORDER BY 1) FROM pg_database"
    before = doubled.value(databases)

    told = rehearsed(doubled, Order())

    assert isinstance(told, Rehearsal)
    assert "could not create unique index" in told.problem
    assert any("rehearsed as superuser" in note for note in told.notes)
    assert doubled.value(databases) == before


def test_an_alembic_that_does_not_follow_the_variable_is_never_let_loose_on_a_copy(
    scene: Scene, tmp_path: Path
) -> None:
    stubborn = scene.elsewhere(tmp_path)
    address = f"postgresql://postgres:{scene.server.password}@127.0.0.1:{scene.server.port}/{scene.database}"
    stubborn.edit("env.py", 'os.environ["DATABASE_URL"]', f'"{address}"')
    (tmp_path / "store").symlink_to(scene.folder / "store")
    with pytest.raises(Astray, match=f"told by DATABASE_URL to look at an empty database.*found {UNIQUE}"):
        rehearsed(stubborn, Order())
    assert scene.revision == UNIQUE


def test_a_right_that_the_role_lacks_is_missing_in_the_rehearsal_too(scene: Scene, tmp_path: Path) -> None:
    foreign = scene.copy(tmp_path)
    foreign.execute("ALTER TABLE episode OWNER TO postgres")
    back_up(foreign.target())
    told = rehearsed(replace(foreign, own_scratch=True), Order())
    assert isinstance(told, Rehearsal)
    assert "must be owner of table episode" in told.problem
    assert "changes.dsn" in told.action


def test_a_set_of_another_revision_is_not_rehearsed_on(scene: Scene, tmp_path: Path) -> None:
    ahead = scene.copy(tmp_path)
    ahead.alembic("upgrade", NO_NOTES)
    (tmp_path / "store").symlink_to(scene.folder / "store")
    told = rehearsed(ahead, Order())
    assert isinstance(told, Unseen)
    assert f"the set is of revision {UNIQUE}" in told.reason


def test_a_downgrade_is_rehearsed_too(scene: Scene, tmp_path: Path) -> None:
    done = scene.copy(tmp_path)
    done.alembic("upgrade", HEAD)
    back_up(done.target())
    told = went_well(rehearsed(done, Order(action="downgrade", revision=TICKETS)))
    assert ("the column public.episode.summary", 100) in [(loss.what, loss.amount) for loss in told.losses]
    assert [each.is_proven for each in sets(done)] == [True]


def sets(scene: Scene) -> tuple[BackupSet, ...]:
    return scene.store.listing().sets
