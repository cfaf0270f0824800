"""A published set that is damaged afterwards, by one bit or a whole file: found by every look."""

import asyncio
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from atomops.cli.backups import verify_set
from atomops.facts.backup import MANIFEST, BackupSet
from atomops.inventory import INVENTORY_VARIABLE, Target
from atomops.probes.backups import look
from atomops.probes.parts import BACKUPS
from atomops.scratch.postgres import PostgresServer
from atomops.stores.local import LocalStore
from atomops.verdict import Level, Unseen
from tests.nights import World, back_up, prove_again
from tests.targets import findings, target
from tests.waiting import PATIENCE


def verify(set_id: str, *, checksums_only: bool = False) -> int:
    return verify_set("production", None, None, set_id=set_id, checksums_only=checksums_only)


pytestmark = pytest.mark.slow(20)

FLIPS = 60
SEED = 20261125


@pytest.fixture(scope="module")
def world(postgres: PostgresServer, server_folder: Path) -> World:
    script = (Path(__file__).parents[1] / "data" / "every-kind.sql").read_text(encoding="utf-8")
    postgres.create_database("to_be_damaged", script)
    made = World(postgres, "to_be_damaged", server_folder / "damaged")
    made.write_inventory()
    back_up(at(made))
    return made


@pytest.fixture(autouse=True)
def environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_PASSWORD", world.server.password)
    monkeypatch.setenv(INVENTORY_VARIABLE, str(world.folder / "inventory.toml"))


def at(world: World) -> Target:
    postgres = {"dsn": world.server.dsn(world.database), "password": "env:X"}
    made = target(world.server.password, postgres=postgres, backups={"store": world.store.name})
    return made.model_copy(update={"name": "production"})


def the_set(store: LocalStore) -> BackupSet:
    [one] = store.listing().sets
    return one


def level_at_the_look(world: World) -> tuple[Level, str]:
    """What the end of the day would say of the newest set's bytes."""
    finding = findings(BACKUPS, asyncio.run(look(at(world))))["BACKUP-CHECKSUM"]
    return finding.level, finding.summary


@pytest.fixture
def spoiled(world: World) -> Iterator[Path]:
    """The folder of the set, every byte of which is as it was again after the test."""
    folder = world.store.folder(the_set(world.store).id)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    yield folder
    for path in folder.rglob("*"):
        if path.is_file() and path not in before:
            path.unlink()
    for path, content in before.items():
        path.write_bytes(content)


def test_every_one_of_sixty_flipped_bits_is_found_by_verify_and_at_the_end_of_the_day(
    world: World, spoiled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(SEED)  # noqa: S311 - places, not secrets
    files = [spoiled / file.path for file in the_set(world.store).manifest.files if file.bytes]
    set_id = spoiled.name
    assert level_at_the_look(world)[0] is Level.OK
    assert verify(set_id, checksums_only=True) == 0
    for number in range(FLIPS):
        path = files[number % len(files)] if number < len(files) else chance.choice(files)
        whole = path.read_bytes()
        place = chance.randrange(len(whole))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << chance.randrange(8))]) + whole[place + 1 :])
        capsys.readouterr()
        assert verify(set_id, checksums_only=True) == 2, path
        assert f"{path.relative_to(spoiled)} has changed: its SHA-256 is another one" in capsys.readouterr().out
        level, summary = level_at_the_look(world)
        assert level is Level.CRITICAL, path
        assert set_id in summary
        path.write_bytes(whole)
    assert verify(set_id, checksums_only=True) == 0


@pytest.mark.few(1)
@pytest.mark.parametrize("damage", ["truncated", "missing", "longer"])
def test_a_truncated_a_missing_and_a_longer_file_disprove_the_set_and_are_named(
    world: World, spoiled: Path, damage: str
) -> None:
    made = the_set(world.store)
    name = max(made.manifest.files, key=lambda file: file.bytes).path
    path = spoiled / name
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(whole[:-1] if damage == "truncated" else whole + b"\0")

    proof = prove_again(at(world), made.manifest)

    assert proof.result == "failed"
    assert proof.differences[0].startswith(f"{name} is {damage}")
    assert level_at_the_look(world)[0] is Level.CRITICAL
    assert verify(made.id) == 2


def test_a_set_of_a_future_version_is_shown_and_neither_used_nor_pruned(
    world: World, spoiled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = spoiled / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"schema": 99}), encoding="utf-8")
    listing = world.store.listing()
    assert listing.sets == ()
    assert [(each.name, "schema 99" in each.reason) for each in listing.unreadable] == [(spoiled.name, True)]
    [store] = asyncio.run(look(at(world))).stores
    assert not isinstance(store.sets, Unseen)
    assert store.reread == ()
    run = world.start("backups", "prune")
    assert run.wait(PATIENCE) == 0, world.output
    assert path.exists()
    assert capsys.readouterr().err == ""
