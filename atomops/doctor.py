"""Reach everything that a target names, and say for each gap what exactly is missing."""

import asyncio
import dataclasses
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from atomops.errors import AtomOpsError
from atomops.inventory import Target
from atomops.probes.parts import PARTS, Part
from atomops.verdict import Unseen


@dataclass(frozen=True)
class Diagnosis:
    """How one part of the target is for us: its gaps are what could not be seen, each with its remedy.

    `missing` says why it is not configured; `failure` why it could not be looked at at all. `seconds` is wall time.
    """

    part: Part
    seconds: float = 0
    missing: str = ""
    failure: Unseen | None = None
    gaps: tuple[Unseen, ...] = ()


async def examine(target: Target) -> list[Diagnosis]:
    """Every part, looked at side by side and without a retry."""
    return list(await asyncio.gather(*(_examine(part, target) for part in PARTS)))


async def _examine(part: Part, target: Target) -> Diagnosis:
    if missing := part.missing(target):
        return Diagnosis(part, missing=missing)
    started = time.monotonic()
    try:
        facts = await (part.reach or part.look)(target)
    except AtomOpsError as error:
        return Diagnosis(part, time.monotonic() - started, failure=Unseen(error.what, error.action))
    return Diagnosis(part, time.monotonic() - started, gaps=tuple(dict.fromkeys(unseen_in(facts))))


def unseen_in(facts: object) -> Iterator[Unseen]:
    """Every part of the facts that could not be seen, wherever it hides."""
    if isinstance(facts, Unseen):
        yield facts
    elif dataclasses.is_dataclass(facts):
        for field in dataclasses.fields(facts):
            yield from unseen_in(getattr(facts, field.name))
    elif isinstance(facts, Mapping):
        for value in facts.values():
            yield from unseen_in(value)
    elif isinstance(facts, tuple):
        for value in facts:
            yield from unseen_in(value)
