"""A step of our backup without its flow, as a process of its own: `python -m bench.backup_steps dump|prove`.

The inventory is the one in force; the target is called "bench".
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

from atomops.backup.access import backups_of
from atomops.backup.making import SetInTheMaking, workshop
from atomops.backup.places import keep, places_of
from atomops.backup.preflight import examine, plan_backup
from atomops.backup.prove import Bench
from atomops.backup.proving import bench, prove_draft
from atomops.inventory import load_inventory
from atomops.secret import read_secret
from atomops.verdict import Unseen

TARGET = "bench"


async def run(*, proven: bool) -> None:
    """The database is dumped, counted, hashed and kept; and restored and compared, if it is to be proven."""
    target = load_inventory().target(TARGET, read=read_secret)
    settings = backups_of(target)
    with workshop(settings) as work:
        plan = await plan_backup(target)
        places = await places_of(target, settings)
        proving = bench(settings, plan.tools, work) if proven else _nowhere()
        async with proving as on:
            access = plan.databases[0]
            await examine(plan, access)
            draft = await SetInTheMaking(plan, access, [place.store for place in places], work).make(jobs=settings.jobs)
            kept = await keep(draft, places)
            if on is not None:
                kept = await prove_draft(draft, kept, places, on)
    for each in kept:
        print(f"{draft.manifest.durations} {each.proof and each.proof.durations}")
        if each.problem or (proven and not (each.proof and each.proof.sentence.startswith("restored"))):
            sys.exit(f"{each.problem or each.proof}")


@contextlib.asynccontextmanager
async def _nowhere() -> AsyncIterator[Bench | Unseen | None]:
    yield None


if __name__ == "__main__":
    asyncio.run(run(proven=sys.argv[1] == "prove"))
