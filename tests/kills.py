"""Nights that end before their time: a world for them, and what must hold whenever one has ended."""

import datetime as dt
import functools
import itertools
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from atomops.scratch.postgres import PostgresServer
from atomops.stores.checksums import verify
from tests.backup_sets import backup_set, prepared
from tests.nights import World
from tests.starter import Run
from tests.waiting import PATIENCE, wait_until

FILL = """
CREATE TABLE big (id bigint PRIMARY KEY, kind int, body text);
INSERT INTO big SELECT n, n % 97, md5(n::text) || md5((n * 7)::text) || repeat('x', 20)
FROM generate_series(1, 200000) AS n;
CREATE INDEX ON big (kind);
CREATE INDEX ON big (body);
CREATE TABLE docs (id int PRIMARY KEY, doc jsonb);
INSERT INTO docs SELECT n, jsonb_build_object('n', n, 'text', md5(n::text)) FROM generate_series(1, 40000) AS n;
"""
RULES = "keep_days = 3\nkeep_last = 2\nmax_deletions = 1000"


@functools.cache
def now() -> dt.datetime:
    """One for all kills, so that a set that is made up again has the same id; asked by a test, not at its import."""
    return dt.datetime.now(dt.UTC)


@contextmanager
def killable(server: PostgresServer, name: str, folder: Path, api: str | None) -> Iterator[World]:
    """A world of that name, whose database takes a moment to dump and to restore."""
    server.create_database(name, FILL)
    world = World(server, name, folder / name, api)
    world.write_inventory(RULES)
    yield world


def with_old_sets(world: World) -> None:
    """Ten that are due, and two that keep_last wants: pruning has something to do in every run."""
    listed = {each.id for each in world.store.listing().sets}
    for days in (1, 2, *range(10, 20)):
        made = backup_set(days, now=now())
        if made.id not in listed:
            world.store.publish(prepared(world.store.staging(made.id)), made.manifest)
            if made.proof:
                world.store.add_proof(made.id, made.proof)


def is_at_work(world: World) -> bool:
    return any(world.temp.glob("atomops-backup-*"))


def wait_for_work(world: World, run: Run) -> None:
    wait_until(lambda: is_at_work(world) or run.poll() is not None, "the backup")
    assert run.poll() is None, world.output


def is_published(world: World, known: set[str]) -> bool:
    return bool(listed(world) - known)


# What a night does, one after another, and how one sees that it has begun, told which sets were there before.
STAGES: dict[str, Callable[[World, set[str]], bool]] = {
    "dumping": lambda world, _known: is_at_work(world),
    "publishing": lambda world, known: bool(staged(world) - known) or is_published(world, known),
    "proving and pruning": is_published,
}


def listed(world: World) -> set[str]:
    """The names of the folders that are no longer in the making."""
    return {path.name for path in world.store.home.iterdir() if path.is_dir() and not path.name.startswith(".")}


def staged(world: World) -> set[str]:
    return set(leftovers(world))


def wait_for(stage: str, world: World, run: Run, known: set[str]) -> None:
    """Until it has begun, or the run is over."""
    wait_until(lambda: STAGES[stage](world, known) or run.poll() is not None, stage)


def whole_run(world: World) -> dict[str, float]:
    """The seconds that each stage took."""
    known, begun = listed(world) | staged(world), dict[str, float]()
    run = world.start_night()
    for stage in STAGES:
        wait_for(stage, world, run, known)
        begun[stage] = time.monotonic()
    assert run.wait(PATIENCE) == 0, world.output
    ends = [*list(begun.values())[1:], time.monotonic()]
    return {stage: end - began for (stage, began), end in zip(begun.items(), ends, strict=True)}


def check_sets(world: World, known: set[str]) -> None:
    """Every set that is listed is whole; the made-up ones and those that were looked at before are left out."""
    listing = world.store.listing()
    assert listing.unreadable == ()
    for each in listing.sets:
        if each.id not in known and not each.id.endswith("-beef"):
            assert verify(world.store, each.manifest) == ()
            known.add(each.id)


def leftovers(world: World) -> list[str]:
    return sorted(path.name for path in world.store.home.iterdir() if path.name.startswith("."))


def kill_at(world: World, number: int, *, seed: int) -> None:
    """So many nights, killed at any moment of every stage: each leaves nothing at work, and nothing half listed.

    Then one that is not killed, which clears up.
    """
    known, left = set[str](), set[str]()
    with_old_sets(world)
    seconds = whole_run(world)
    for stage, fraction in moments(STAGES, number, seed=seed):
        with_old_sets(world)
        there = listed(world) | staged(world)
        run = world.start_night()
        wait_for(stage, world, run, there)
        time.sleep(fraction * seconds[stage])
        run.kill()
        run.wait()
        world.wait_for_silence()
        check_sets(world, known)
        left |= staged(world)
    assert left, "no kill came while a set was half-written: the moments are not spread over the run"
    before = leftovers(world)

    whole_run(world)

    assert world.report["level"] == "OK"
    assert leftovers(world) == []
    [swept] = [each for each in world.report["findings"] if each["code"] == "NIGHT-SWEPT"]
    assert swept["observed"] == len(before)
    assert all(name in swept["summary"] for name in before[:5])
    world.wait_for_silence()


def moments(stages: Iterable[str], number: int, *, seed: int) -> list[tuple[str, float]]:
    """So many, round the stages: a fraction of a stage in each of equal parts, in any order, always the same ones."""
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    chosen = list(itertools.islice(itertools.cycle(stages), number))
    spread = [
        (stage, (part + chance.random()) / chosen.count(stage))
        for stage in dict.fromkeys(chosen)
        for part in range(chosen.count(stage))
    ]
    return chance.sample(spread, number)
