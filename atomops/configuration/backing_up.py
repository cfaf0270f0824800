"""A backup of the configuration, from looking to pruning."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from atomops.backup.access import backups_of
from atomops.backup.making import Draft, telling_full_disk, workshop
from atomops.backup.places import Place, keep, places_of, sweep
from atomops.backup.prune import prune
from atomops.change.lock import Lock
from atomops.configuration.collecting import Collected, collect
from atomops.configuration.comparing import Compared, compare
from atomops.configuration.key import key_of
from atomops.configuration.proving import prove_everywhere
from atomops.configuration.sets import Sealed, describe, seal, write
from atomops.configuration.settings import SERIES, identity_of, recipients_of, settings_of
from atomops.errors import AtomOpsError
from atomops.facts.backup import Result
from atomops.facts.configuration_backup import ConfigurationFacts, Taken
from atomops.facts.nightly import Pruning, Stored
from atomops.inventory import Target
from atomops.stores.choose import CONFIGURATION
from atomops.threads import beside


@dataclass(frozen=True)
class Prepared:
    """Everything that a set will hold, sealed in memory, and how it differs from the last one."""

    target: Target
    places: Sequence[Place]
    collected: Collected = field(repr=False)
    sealed: Sealed = field(repr=False)
    compared: Compared

    @property
    def plan(self) -> tuple[str, ...]:
        """Every file that would be written."""
        return tuple(f"write {each.path} ({each.name})" for each in self.sealed.configuration.items)

    def facts(
        self,
        *,
        set_id: str = "",
        stored: tuple[Stored, ...] = (),
        prunings: tuple[Pruning, ...] = (),
        swept: tuple[str, ...] = (),
    ) -> ConfigurationFacts:
        """What came of it; without a set it was a dry run."""
        known = self.sealed.configuration
        return ConfigurationFacts(
            at=dt.datetime.now(dt.UTC),
            dry_run=not set_id,
            runtime=known.runtime,
            set_id=set_id,
            recipients=len(recipients_of(self.target)),
            taken=tuple(
                Taken(each.name, each.path, len(self.sealed.contents[each.path]), each.is_secret, each.notes)
                for each in known.items
            ),
            not_taken=known.not_taken,
            compared_with=self.compared.with_set,
            differences=self.compared.differences,
            stored=stored,
            prunings=prunings,
            swept=swept,
        )


async def prepare(target: Target, *, dry_run: bool) -> Prepared:
    """What a set would hold. Nothing is written, but for the key of the digests when it is no dry run.

    Raises AtomOpsError when the workload cannot be looked at, or a recipient is none.
    """
    key = key_of(target, make=not dry_run)
    collected = await collect(target)
    places = await places_of(target, backups_of(target), CONFIGURATION)
    sealed = await beside(lambda: seal(collected, recipients_of(target), key))
    compared = await compare(places, sealed.configuration, collected.found, key, identity_of(target))
    return Prepared(target, places, collected, sealed, compared)


async def save(prepared: Prepared, at: dt.datetime) -> tuple[str, tuple[Stored, ...], tuple[str, ...]]:
    """The new set's name, what became of it in every store, and what killed runs had left there.

    Raises PermanentError when no folder can be written.
    """
    target, places = prepared.target, prepared.places
    swept = await sweep(places)
    manifest, sealed = describe(prepared.sealed, target.name, recipients_of(target), at)
    with workshop(backups_of(target)) as work:
        folder = await beside(lambda: _staging(places, manifest.id)) or work / manifest.id
        with telling_full_disk(folder):
            await beside(lambda: write(sealed, folder))
        kept = await keep(Draft(manifest, folder, folder), places)
        stored = await prove_everywhere(manifest, kept, places, identity_of(target))
    return manifest.id, stored, swept


async def prune_places(
    prepared: Prepared, stored: Sequence[Stored], lock: Lock, *, dry_run: bool
) -> tuple[Pruning, ...]:
    """What went from each store, by its rules. Nothing goes where the new set is not whole."""
    every_hours = settings_of(prepared.target).every_hours
    is_whole = prepared.sealed.configuration.is_complete
    prunings = []
    for number, place in enumerate(prepared.places):
        why_not = "" if dry_run else _held_back(stored[number], is_complete=is_whole)
        prunings.append(await prune(place, every_hours, lock, why_not=why_not, dry_run=dry_run))
    return tuple(prunings)


def _held_back(stored: Stored, *, is_complete: bool) -> str:
    if stored.problem or stored.proof is None or stored.proof.result is Result.FAILED:
        return f"the new set of the {SERIES} is not known to lie there whole"
    return "" if is_complete else f"the new set of the {SERIES} is not complete"


def _staging(places: Sequence[Place], set_id: str) -> Path | None:
    """Of the first store that has room for one; none of them is no reason to fail yet."""
    for place in places:
        try:
            folder = place.store.staging(set_id)
        except AtomOpsError:
            continue
        if folder is not None:
            return folder
    return None
