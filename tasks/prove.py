"""Prove a set by restoring it."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from atomops.backup.making import Draft
from atomops.backup.places import Place
from atomops.backup.prove import Bench
from atomops.backup.proving import prove_draft
from atomops.backup.scratch import restored_bytes
from atomops.facts.nightly import Stored
from atomops.verdict import Unseen
from tasks.progress import shown_progress


@task(task_run_name="prove-{draft.manifest.database}", cache_policy=NO_CACHE)
async def prove(
    draft: Draft, kept: Sequence[Stored], places: Sequence[Place], on: Bench | Unseen
) -> tuple[Stored, ...]:
    """The proof of the set in each store that took it. Never raises: what cannot be proven says why."""
    manifest = draft.manifest

    async def measure() -> float:
        done = 0 if isinstance(on, Unseen) else await restored_bytes(on.scratch)
        return done / max(1, manifest.origin.bytes)

    async with shown_progress(f"nightly-backup-{manifest.target}-proof", f"Restoring {manifest.id}", measure):
        return await prove_draft(draft, kept, places, on)
