"""How many targets are how bad, each named: the fleet is as bad as its worst target."""

from collections.abc import Iterable

from atomops.facts.fleet import FleetFacts, TargetLook
from atomops.humane import plural, span
from atomops.registry import check
from atomops.verdict import Evidence, Level, Reading

SECTION = "Fleet"
_SOURCE = "each target's own report"
_SHOWN = 200  # targets
_NAMED = 3  # codes that are new, of one target


@check("FLEET-CRITICAL", section=SECTION, critical=1, unit="targets", source=_SOURCE, trend="fleet.critical")
def critical(seen: FleetFacts) -> Reading:
    """No target is critical."""
    return _count(seen.of(Level.CRITICAL), "critical")


@check("FLEET-UNKNOWN", section=SECTION, unit="targets", source="unknown is never OK", trend="fleet.unknown")
def unknown(seen: FleetFacts) -> Reading:
    """Every target could be looked at, in every part of it."""
    found = seen.of(Level.UNKNOWN)
    if not found:
        return Reading(0, "every target could be looked at")
    told = _count(found, "not known")
    return Reading(None, told.summary, action=told.action, evidence=told.evidence)


@check("FLEET-WARNING", section=SECTION, warning=1, unit="targets", source=_SOURCE, trend="fleet.warnings")
def warnings(seen: FleetFacts) -> Reading:
    """No target has warnings."""
    return _count(seen.of(Level.WARNING), "with warnings")


@check("FLEET-WELL", section=SECTION, unit="targets", source="information", trend="fleet.well")
def well(seen: FleetFacts) -> Reading:
    """How many targets are well, of how many."""
    found = seen.of(Level.OK)
    told = f"{len(found):,} of {plural(len(seen.looks), 'target')} are well"
    return Reading(len(found), told, evidence=_table(found))


@check("FLEET-NEW", section=SECTION, unit="targets", source="information")
def new(seen: FleetFacts) -> Reading:
    """Where something is new or worse since the target's last report."""
    found = [look for look in seen.looks if look.new]
    return Reading(len(found), f"{plural(len(found), 'target')} with something new", evidence=_table(found))


@check("FLEET-SLOWEST", section=SECTION, unit="s", source="information", trend="fleet.slowest")
def slowest(seen: FleetFacts) -> Reading:
    """The target that took the longest."""
    last = max(seen.looks, key=lambda look: look.seconds)
    return Reading(last.seconds, f"the slowest is {last.target}, in {span(last.seconds)}")


def _count(found: tuple[TargetLook, ...], how: str) -> Reading:
    if not found:
        return Reading(0, f"no target is {how}" if how != "with warnings" else "no target has warnings")
    first = found[0]
    more = f", and {len(found) - 1:,} more" if len(found) > 1 else ""
    action = first.action or f"read the report of {first.target}"
    told = f"{plural(len(found), 'target')} {how}: {first.target}{more}"
    return Reading(len(found), told, action=action, evidence=_table(found))


def _table(looks: Iterable[TargetLook]) -> Evidence | None:
    rows = [(look.target, look.grade or "-", look.summary, news(look)) for look in looks]
    return Evidence.of(("target", "grade", "what", "new"), rows[:_SHOWN]) if rows else None


def news(look: TargetLook) -> str:
    """The first codes that are new, and how many more."""
    more = len(look.new) - _NAMED
    return ", ".join(look.new[:_NAMED]) + (f" and {more} more" if more > 0 else "")
