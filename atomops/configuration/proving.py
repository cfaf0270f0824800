"""What a set of the configuration is worth: read from its store, compared, and opened where a key is at hand."""

import time
from collections.abc import Sequence
from dataclasses import replace

from atomops.backup.fetching import Damaged
from atomops.backup.places import Place
from atomops.backup.prove import proof_of
from atomops.configuration.reading import opened, read_again
from atomops.errors import AtomOpsError, NotThere
from atomops.facts.backup import Manifest, Proof, Result
from atomops.facts.nightly import Stored
from atomops.secret import Secret
from atomops.stores.store import Store
from atomops.threads import beside
from atomops.verdict import Unseen

_LIKELY = "the key is of somebody else: compare recipients and identity"


async def prove_everywhere(
    manifest: Manifest, kept: Sequence[Stored], places: Sequence[Place], identity: Secret | None
) -> tuple[Stored, ...]:
    """Its proof in each store that took it, kept beside it. Never raises AtomOpsError: what fails is told."""
    return tuple([await _proven(manifest, each, place, identity) for each, place in zip(kept, places, strict=True)])


async def prove(store: Store, manifest: Manifest, identity: Secret | None) -> Proof:
    """Its proof from nothing but the store; it is kept there. Raises what the store raises when it cannot be read."""
    proof = await beside(lambda: _proof(store, manifest, identity))
    await beside(lambda: store.add_proof(manifest.id, proof))
    return proof


async def _proven(manifest: Manifest, kept: Stored, place: Place, identity: Secret | None) -> Stored:
    if kept.problem:
        return kept
    try:
        return replace(kept, proof=await prove(place.store, manifest, identity))
    except AtomOpsError as error:
        reason = f"the set is in {kept.store}, but could not be read again: {error.what}"
        return replace(kept, problem=Unseen(reason, error.action))


def _proof(store: Store, manifest: Manifest, identity: Secret | None) -> Proof:
    """Blocks."""
    started = time.monotonic()

    def told(result: Result, reason: str = "", action: str = "") -> Proof:
        return replace(proof_of(manifest, result, started), reason=reason, action=action)

    try:
        stored = read_again(store, manifest)
    except (Damaged, NotThere) as error:
        return told(Result.FAILED, error.what, error.action)
    if manifest.encrypted_for and identity is None:
        reason = "every byte is as it was written; no identity is at hand to decrypt it"
        return told(Result.INTACT, reason, "atomops backups verify where backups.identity is at hand")
    try:
        items = opened(stored, manifest, identity)
    except AtomOpsError as error:
        return told(Result.FAILED, error.what, error.action or _LIKELY)
    return told(Result.READ, f"{len(items)} objects and files " + ("decrypted" if manifest.encrypted_for else "parsed"))
