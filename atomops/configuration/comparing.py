"""What has changed since the last set: by digests of the same key, or by its own values where they can be read."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from atomops.backup.places import Place
from atomops.configuration.key import Key
from atomops.configuration.reading import configuration_of, contents_of
from atomops.errors import AtomOpsError
from atomops.facts.backup import BackupSet
from atomops.facts.configuration import Configuration, Difference, Item, Why
from atomops.plans.configuration.changes import differences
from atomops.plans.configuration.found import Found
from atomops.secret import Secret
from atomops.stores.store import Store
from atomops.threads import beside
from atomops.verdict import Unseen

Values = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Compared:
    """The set that it was compared with, "" for none, and what is different; or why nobody knows."""

    with_set: str
    differences: tuple[Difference, ...] | Unseen


async def compare(
    places: Sequence[Place], known: Configuration, found: Iterable[Found], key: Key, identity: Secret | None
) -> Compared:
    """With the newest set of the first store that has one. Never raises AtomOpsError."""
    last = _last(places)
    if last is None:
        unseen = [each.before for each in places if isinstance(each.before, Unseen)]
        return Compared("", unseen[0] if unseen else ())
    store, earlier = last
    old = await _values(store, earlier, identity)
    before = _by_name(configuration_of(earlier.manifest))
    if configuration_of(earlier.manifest).digest_key != key.id:
        if isinstance(old, Unseen):
            reason = f"{earlier.id} was compared by another key, and {old.reason}"
            return Compared(earlier.id, Unseen(reason, old.action))
        before = {name: replace(item, digests=key.digests(name, old.get(name, {}))) for name, item in before.items()}
    before, after = _comparable(before, configuration_of(earlier.manifest), known)
    new = {each.name: each.fields for each in found}
    return Compared(earlier.id, differences(before, after, None if isinstance(old, Unseen) else old, new))


def _last(places: Sequence[Place]) -> tuple[Store, BackupSet] | None:
    now = dt.datetime.now(dt.UTC)
    for place in places:
        if not isinstance(place.before, Unseen):
            for each in place.before.sets:
                if each.manifest.configuration is not None and each.at <= now:
                    return place.store, each
    return None


async def _values(store: Store, earlier: BackupSet, identity: Secret | None) -> Values | Unseen:
    try:
        contents = await beside(lambda: contents_of(store, earlier.manifest, identity))
        return {name: content.fields for name, content in contents.items()}
    except AtomOpsError as error:
        return Unseen(error.what, error.action)


def _by_name(known: Configuration) -> dict[str, Item]:
    return {each.name: each for each in known.items}


def _comparable(
    before: Mapping[str, Item], earlier: Configuration, known: Configuration
) -> tuple[dict[str, Item], dict[str, Item]]:
    """Without what one of the two could not see: that is neither removed nor added, nor what only it would name."""

    def unseen(of: Configuration) -> set[str]:
        return {each.name for each in of.without(Why.UNKNOWN, Why.REFUSED)}

    then, now, after = unseen(earlier), unseen(known), _by_name(known)
    return (
        {name: item for name, item in before.items() if name in after or not now},
        {name: item for name, item in after.items() if name in before or not then},
    )
