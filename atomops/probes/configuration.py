"""The newest sets of the configuration, and everything that a set would hold looked at once."""

import datetime as dt

from atomops.backup.places import Place, places_of
from atomops.configuration.collecting import collect
from atomops.configuration.settings import identity_of, recipients_of, settings_of
from atomops.facts.configuration import Why
from atomops.facts.configuration_backup import ConfigurationAge, ConfigurationReach, NewestConfiguration
from atomops.inventory import Target
from atomops.probes.backups import configured
from atomops.stores.choose import CONFIGURATION
from atomops.verdict import Unseen

_NOBODY = Unseen(
    "nobody is named to encrypt for: secrets, environment files and the like would be refused",
    'backups.recipients = ["age1…"], the public key of age-keygen',
)


async def look(target: Target) -> ConfigurationAge:
    """Every store, side by side; one that cannot be seen is unseen by itself. Raises NotThere."""
    places = await places_of(target, configured(target), CONFIGURATION)
    now = dt.datetime.now(dt.UTC)
    return ConfigurationAge(now, settings_of(target).every_hours, tuple(_newest(place, now) for place in places))


async def reach(target: Target) -> ConfigurationReach:
    """Everything is looked at as for a backup, and nothing is written. Raises what not even that can be done for."""
    collected = await collect(target)
    gaps = [
        Unseen(f"{each.name}: {each.reason}", each.action)
        for each in collected.not_taken
        if each.why is not Why.BY_INTENTION
    ]
    if not recipients_of(target) and any(each.is_secret for each in collected.found):
        gaps.append(_NOBODY)
    places = await places_of(target, configured(target), CONFIGURATION)
    gaps += [place.before for place in places if isinstance(place.before, Unseen)]
    return ConfigurationReach(len(collected.found), tuple(gaps))


async def reach_restore(target: Target) -> ConfigurationReach:
    """Whether there is a set to restore, and the key that reads it. Raises NotThere."""
    places = await places_of(target, configured(target), CONFIGURATION)
    gaps = [place.before for place in places if isinstance(place.before, Unseen)]
    sets = [each for place in places if not isinstance(place.before, Unseen) for each in place.before.sets]
    if not sets and not gaps:
        gaps.append(Unseen("there is no backup of the configuration yet", "atomops run config-backup"))
    if any(each.manifest.encrypted_for for each in sets) and identity_of(target) is None:
        gaps.append(
            Unseen("no identity is at hand to read the encrypted sets", "set backups.identity where you restore")
        )
    return ConfigurationReach(len(sets), tuple(gaps))


def _newest(place: Place, now: dt.datetime) -> NewestConfiguration:
    if isinstance(place.before, Unseen):
        return NewestConfiguration(place.store.name, place.before)
    for each in place.before.sets:
        known = each.manifest.configuration
        if known is not None and each.at <= now:
            return NewestConfiguration(place.store.name, each.at, known.is_complete, each.is_proven)
    return NewestConfiguration(place.store.name, None)
