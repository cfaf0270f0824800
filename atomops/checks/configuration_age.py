"""Whether there is a backup of the configuration, young enough and whole."""

import math

from atomops.facts.configuration_backup import ConfigurationAge, NewestConfiguration
from atomops.humane import span
from atomops.registry import check
from atomops.verdict import Evidence, NotSeen, Reading, Unseen

SECTION = "Configuration backup"
_RUN = "atomops run config-backup, and see why its last runs made none"


@check(
    "CONFIG-AGE",
    section=SECTION,
    warning=1.25,
    critical=2,
    unit="intervals",
    source="Atom Ops default, as for the database; a quarter of the interval is left to the run itself",
    trend="configuration.age",
)
def newest_age(seen: ConfigurationAge) -> Reading:
    """Every store has a set of the configuration that is about as young as configuration.every_hours wants."""
    ages = [(_intervals(seen, each), each) for each in seen.stores if not isinstance(each.newest, Unseen)]
    worst, where = max(ages, key=lambda age: age[0], default=(0.0, None))
    if worst < 1.25:  # noqa: PLR2004 - nothing bad was seen, which counts when everything was
        for each in seen.stores:
            if isinstance(each.newest, Unseen):
                raise NotSeen(each.newest)
    rows = [(each.store, _told(seen, each), _worth(each)) for each in seen.stores]
    told = f"the newest set in {where.store if where else 'no store'}: {_told(seen, where) if where else 'none'}"
    expected = f"{told}; one is expected every {span(seen.every_hours * 3600)}"
    action = _RUN if worst >= 1.25 else ""  # noqa: PLR2004 - the warning
    return Reading(worst, expected, action, Evidence.of(("store", "newest set", "worth"), rows))


@check("CONFIG-NEWEST-WHOLE", section=SECTION, warning=1, unit="sets", source="a backup is one that can be read")
def newest_whole(seen: ConfigurationAge) -> Reading:
    """The newest sets were read again, and nothing is missing in them."""
    wanting = [each for each in seen.stores if not (each.is_complete and each.is_proven)]
    if not wanting:
        return Reading(0, "the newest sets are complete, and were read again")
    told = f"the newest set in {wanting[0].store} is {_worth(wanting[0])}"
    return Reading(len(wanting), told, action="see the last report of config-backup, which names what is missing")


def _intervals(seen: ConfigurationAge, each: NewestConfiguration) -> float:
    if each.newest is None or isinstance(each.newest, Unseen):
        return math.inf
    return (seen.at - each.newest).total_seconds() / 3600 / seen.every_hours


def _told(seen: ConfigurationAge, each: NewestConfiguration) -> str:
    if isinstance(each.newest, Unseen):
        return f"unknown: {each.newest.reason}"
    return "none at all" if each.newest is None else f"{span((seen.at - each.newest).total_seconds())} old"


def _worth(each: NewestConfiguration) -> str:
    if each.newest is None or isinstance(each.newest, Unseen):
        return ""
    lacking = [*([] if each.is_complete else ["incomplete"]), *([] if each.is_proven else ["not proven"])]
    return ", ".join(lacking) or "complete, read again"
