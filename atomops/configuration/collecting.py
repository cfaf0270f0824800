"""The whole configuration of a target as it is now, in memory alone."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from atomops.configuration.files import read_files
from atomops.configuration.settings import settings_of
from atomops.facts.configuration import NotTaken
from atomops.inventory import Docker, Kubernetes, Systemd, Target
from atomops.plans.configuration.found import Found


@dataclass(frozen=True)
class Collected:
    """What was found, and what was not."""

    runtime: str
    found: tuple[Found, ...] = field(repr=False)
    not_taken: tuple[NotTaken, ...] = ()


async def collect(target: Target) -> Collected:
    """Everything that the runtime refers to and the inventory names; what could not be had is told, by name.

    Raises AtomOpsError when not even the workload can be looked at.
    """
    settings = settings_of(target)
    named = read_files(settings.files, limit=settings.file_limit)
    (runtime, found, not_taken), files = await asyncio.gather(_of_runtime(target), named)
    whole = {each.name: each for each in (*found, *files[0])}  # an environment file may be named twice
    return Collected(runtime, tuple(whole.values()), (*not_taken, *files[1]))


async def _of_runtime(target: Target) -> tuple[str, Sequence[Found], Sequence[NotTaken]]:
    """Each kind is imported only when it is meant: the clients of some take half a second."""
    settings = settings_of(target)
    match target.runtime:
        case Kubernetes() as runtime:
            from atomops.configuration.kubernetes import collect_objects  # noqa: PLC0415

            return await collect_objects(runtime, settings)
        case Docker() as runtime:
            from atomops.configuration.docker import collect_containers  # noqa: PLC0415

            return await collect_containers(runtime)
        case Systemd() as runtime:
            from atomops.configuration.systemd import collect_unit  # noqa: PLC0415

            return await collect_unit(runtime, limit=settings.file_limit)
        case _:
            return "the inventory", (), ()
