"""A set of the configuration put back: chosen, read, looked at object by object, applied in the order of need."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from atomops.backup.access import backups_of
from atomops.backup.places import Place, places_of
from atomops.configuration import writing
from atomops.configuration.applying import Applier
from atomops.configuration.reading import Content, configuration_of, contents_of
from atomops.configuration.settings import SERIES, identity_of, settings_of
from atomops.errors import NotThere
from atomops.facts.backup import Listing, Manifest
from atomops.facts.configuration_restore import ConfigurationRestoreFacts, Deed, Fate, Restoration
from atomops.inventory import Kubernetes, Target
from atomops.plans.choice import choose
from atomops.plans.configuration.found import CONTAINER, FILE
from atomops.plans.configuration.kinds import place_of
from atomops.stores.choose import CONFIGURATION
from atomops.stores.store import Store
from atomops.threads import beside
from atomops.verdict import Unseen

_MOST_AT_ONCE = 8  # questions to the API server
_NO_CLUSTER = "the target's runtime is not Kubernetes"


@dataclass(frozen=True)
class Chosen:
    """The set, its items in the order in which they are restored, and what each would do."""

    target: Target
    store: Store
    manifest: Manifest
    contents: tuple[Content, ...] = field(repr=False)
    restorations: tuple[Restoration, ...]
    take_over: bool
    notes: tuple[str, ...] = ()

    @property
    def plan(self) -> tuple[str, ...]:
        """Everything that would be done, in its order."""
        return tuple(f"{each.deed} {each.name}" for each in self.restorations if each.deed is not Deed.NOTHING)

    def facts(self, restorations: Sequence[Restoration], *, dry_run: bool) -> ConfigurationRestoreFacts:
        """What came of it."""
        return ConfigurationRestoreFacts(
            at=dt.datetime.now(dt.UTC),
            dry_run=dry_run,
            set_id=self.manifest.id,
            set_at=self.manifest.at,
            store=self.store.name,
            take_over=self.take_over,
            restorations=tuple(restorations),
            not_taken=configuration_of(self.manifest).not_taken,
            notes=self.notes,
        )


async def choose_and_look(target: Target, wanted: str, names: Sequence[str], *, take_over: bool) -> Chosen:
    """What restoring would do. Changes nothing. Raises NotThere, Damaged, SecretError, and what the store raises."""
    places = await places_of(target, backups_of(target), CONFIGURATION)
    notes = tuple(note for each in places for note in _passed_over(each))
    choice = choose(wanted, SERIES, [_listing(each) for each in places], target.timezone)
    if choice.set is None:
        action = "; ".join(notes) or "look at them: atomops backups list --kind configuration"
        raise NotThere(choice.why_not, action=action)
    store, manifest = places[choice.store].store, choice.set.manifest
    chosen = _chosen_names(manifest, names)
    found = await beside(lambda: contents_of(store, manifest, identity_of(target), chosen))
    contents = tuple(sorted(found.values(), key=lambda each: (place_of(each.item.kind), each.item.name)))
    applier = _applier(target, take_over=take_over)
    gate = asyncio.Semaphore(_MOST_AT_ONCE)

    async def looked(content: Content) -> Restoration:
        async with gate:
            return await _look(content, applier)

    restorations = tuple(await asyncio.gather(*map(looked, contents)))
    return Chosen(target, store, manifest, contents, restorations, take_over, notes)


async def carry_out(chosen: Chosen) -> tuple[Restoration, ...]:
    """What became of each, in the order of need. One that is refused stops no other; a server that is away does.

    Never raises AtomOpsError.
    """
    applier = _applier(chosen.target, take_over=chosen.take_over)
    done: list[Restoration] = []
    is_away = False
    for content, planned in zip(chosen.contents, chosen.restorations, strict=True):
        if planned.deed not in {Deed.CREATE, Deed.CHANGE}:
            done.append(planned)
        elif content.item.kind == FILE:
            done.append(await writing.write(content, planned))
        elif is_away or applier is None:
            done.append(replace(planned, fate=Fate.NOT_REACHED, reason="the API server went away before its turn"))
        else:
            done.append(await applier.apply(content, planned))
            is_away = done[-1].is_of_an_absent_server
    return tuple(done)


def _chosen_names(manifest: Manifest, names: Sequence[str]) -> frozenset[str] | None:
    if not names:
        return None
    known = [each.name for each in configuration_of(manifest).items]
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=1) or known[:1]
            action = f"did you mean {close[0]}?" if close else "it holds nothing at all"
            raise NotThere(f"{manifest.id} has no {name}", action=action)
    return frozenset(names)


def _applier(target: Target, *, take_over: bool) -> Applier | None:
    if not isinstance(target.runtime, Kubernetes):
        return None
    return Applier(target.runtime, settings_of(target), take_over=take_over)


async def _look(content: Content, applier: Applier | None) -> Restoration:
    item = content.item
    if item.kind == FILE:
        return await writing.look(content)
    if item.kind == CONTAINER:
        action = "docker compose up -d, with the files of this set"
        return Restoration(item.name, item.kind, Deed.BY_HAND, reason="containers are made by compose", action=action)
    if applier is None:
        action = "kubectl apply -f, as RESTORE.txt of the set says"
        return Restoration(item.name, item.kind, Deed.BY_HAND, reason=_NO_CLUSTER, action=action)
    return await applier.look(content)


def _passed_over(place: Place) -> list[str]:
    unseen = place.before
    return [f"{place.store.name} was passed over: {unseen.reason}"] if isinstance(unseen, Unseen) else []


def _listing(place: Place) -> Listing:
    return Listing(place.store.name) if isinstance(place.before, Unseen) else place.before
