"""What the probe of disks, memory and load sees of a target, taken apart."""

from pathlib import Path

from atomops.facts.capacity import CapacityFacts
from atomops.inventory import Target
from atomops.probes.parts import CAPACITY
from atomops.verdict import Unseen
from tests.targets import look, target


def host(folder: Path, *paths: Path | str, **settings: object) -> Target:
    return target(history=folder / "history", host={"paths": [str(path) for path in paths], **settings})


def seen_of(at: Target) -> CapacityFacts:
    facts = look(CAPACITY, at)
    assert isinstance(facts, CapacityFacts)
    return facts


def mount_of(facts: CapacityFacts, path: Path | str) -> str:
    (mount,) = [each.mount for each in facts.paths if each.path == str(path)]
    assert isinstance(mount, str), mount
    return mount


def unseen(facts: CapacityFacts, path: Path | str) -> Unseen:
    (mount,) = [each.mount for each in facts.paths if each.path == str(path)]
    assert isinstance(mount, Unseen), mount
    return mount
