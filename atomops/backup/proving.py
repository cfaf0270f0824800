"""What a set is worth in each of its stores: every byte read again there, and every row restored once."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

from atomops.backup.fetching import fetch
from atomops.backup.making import Draft
from atomops.backup.places import Place, plain_files_of
from atomops.backup.preflight import Tools
from atomops.backup.prove import Bench, proof_of, prove
from atomops.backup.scratch import scratch_server
from atomops.errors import AtomOpsError
from atomops.facts.backup import Manifest, Proof, Result
from atomops.facts.nightly import Stored
from atomops.inventory import Backups
from atomops.stores.checksums import verify
from atomops.stores.local import LocalStore
from atomops.stores.store import Store
from atomops.threads import beside
from atomops.verdict import Unseen

_DAMAGED = "its stored files are not as they were written"
_AGAIN = "take another backup now; look at that disk, and use another set or store"


@contextlib.asynccontextmanager
async def bench(settings: Backups, tools: Tools, work: Path) -> AsyncIterator[Bench | Unseen]:
    """Where sets are restored during the block, or why nothing can be restored here."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            scratch = await stack.enter_async_context(scratch_server(settings, tools, work))
        except (AtomOpsError, OSError) as error:
            opened: Bench | Unseen = Unseen(getattr(error, "what", str(error)), getattr(error, "action", ""))
        else:
            opened = Bench(scratch, tools, settings, work)
        yield opened


async def prove_draft(
    draft: Draft, kept: Sequence[Stored], places: Sequence[Place], on: Bench | Unseen
) -> tuple[Stored, ...]:
    """Its proof in every store that took it: the stored bytes are read again everywhere, and restored once.

    Bytes whose SHA-256 is the manifest's are the same ones in every store. The proof is kept beside each of them.
    """
    started = time.monotonic()
    reread = await asyncio.gather(
        *(_reread(each, place, draft.manifest) for each, place in zip(kept, places, strict=True))
    )
    restored: Proof | None = None
    if () in reread:
        restored = await _restored(draft.manifest, plain_files_of(draft, places), on, started)
    proofs = [_judged(problems, restored, draft.manifest, started) for problems in reread]
    told = [_told(each, problems, proof) for each, problems, proof in zip(kept, reread, proofs, strict=True)]
    return tuple(
        await asyncio.gather(
            *(_noted(each, place, draft.manifest.id) for each, place in zip(told, places, strict=True))
        )
    )


async def prove_stored(store: Store, manifest: Manifest, on: Bench | Unseen, work: Path) -> Proof:
    """Its proof from nothing but the store; it is kept there. Raises what the store raises when it cannot be read."""
    started = time.monotonic()
    problems = await beside(lambda: verify(store, manifest))
    if problems:
        proof = _damaged(manifest, problems, started)
    else:
        proof = await _fetched_and_restored(store, manifest, on, work, started)
    await beside(lambda: store.add_proof(manifest.id, proof))
    return proof


async def _reread(each: Stored, place: Place, manifest: Manifest) -> tuple[str, ...] | Unseen | None:
    """The problems of the stored files, or why they cannot be read; None where the set is not."""
    if each.problem:
        return None
    try:
        return await beside(lambda: verify(place.store, manifest))
    except AtomOpsError as error:
        return Unseen(f"the set is in {each.store}, but could not be read again: {error.what}", error.action)


async def _restored(manifest: Manifest, folder: Path, on: Bench | Unseen, started: float) -> Proof:
    if isinstance(on, Unseen):
        return replace(proof_of(manifest, Result.INTACT, started), reason=on.reason, action=on.action)
    return await prove(manifest, folder, on)


def _judged(
    problems: tuple[str, ...] | Unseen | None, restored: Proof | None, manifest: Manifest, started: float
) -> Proof | None:
    if problems is None or isinstance(problems, Unseen):
        return None
    return _damaged(manifest, problems, started) if problems else restored


def _damaged(manifest: Manifest, problems: tuple[str, ...], started: float) -> Proof:
    failed = proof_of(manifest, Result.FAILED, started)
    return replace(failed, reason=f"{_DAMAGED}: {problems[0]}", differences=problems, action=_AGAIN)


def _told(each: Stored, problems: tuple[str, ...] | Unseen | None, proof: Proof | None) -> Stored:
    return replace(each, problem=problems) if isinstance(problems, Unseen) else replace(each, proof=proof)


async def _noted(each: Stored, place: Place, set_id: str) -> Stored:
    proof = each.proof
    if proof is None:
        return each
    try:
        await beside(lambda: place.store.add_proof(set_id, proof))
    except AtomOpsError as error:
        return replace(each, problem=Unseen(f"the proof could not be kept: {error.what}", error.action))
    return each


async def _fetched_and_restored(
    store: Store, manifest: Manifest, on: Bench | Unseen, work: Path, started: float
) -> Proof:
    identity = None if isinstance(on, Unseen) else on.settings.identity
    if manifest.encrypted_for and identity is None:
        reason, action = "it is encrypted, and no identity is at hand", "set backups.identity to read it again"
        return replace(proof_of(manifest, Result.INTACT, started), reason=reason, action=action)
    if isinstance(store, LocalStore) and not manifest.encrypted_for:
        return await _restored(manifest, store.folder(manifest.id), on, started)
    folder = work / manifest.id
    try:
        await beside(lambda: fetch(store, manifest, folder, identity))
        return await _restored(manifest, folder, on, started)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
