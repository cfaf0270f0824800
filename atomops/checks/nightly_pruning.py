"""What pruning did this night, and what kept it from more."""

from atomops.checks.nightly import GUIDE, PROVEN, SHOWN
from atomops.facts.nightly import NightFacts
from atomops.humane import plural
from atomops.registry import check
from atomops.verdict import Evidence, NotSeen, Reading

SECTION = "Retention"


@check("NIGHT-PRUNED", section=SECTION, unit="sets", source="operations guide (30 days)")
def pruned(seen: NightFacts) -> Reading:
    """What went, by the rules of the inventory, and what stays; in a dry run, what would."""
    rows = [(each.store, name, "removed") for each in seen.prunings for name in each.removed]
    rows += [(each.store, name, f"retained: {why}") for each in seen.prunings for name, why in each.retained.items()]
    if seen.dry_run:
        rows += [(each.store, name, "would go") for each in seen.prunings for name in each.due]
    removed = sum(len(each.removed) for each in seen.prunings)
    kept = sum(each.kept for each in seen.prunings)
    evidence = Evidence.of(("store", "set", "what became of it"), rows[:SHOWN]) if rows else None
    return Reading(removed, f"{plural(removed, 'set')} pruned, {kept:,} kept", evidence=evidence)


@check("NIGHT-PRUNE-REFUSED", section=SECTION, warning=1, unit="refusals", source=PROVEN)
def refused(seen: NightFacts) -> Reading:
    """Nothing is pruned when that could cost the last good backup; then this says why."""
    rows = [(each.store, each.held_back, "") for each in seen.prunings if each.held_back]
    rows += [
        (each.store, f"{refusal.reason} ({len(each.due)} due)", refusal.action)
        for each in seen.prunings
        for refusal in each.refusals
    ]
    if not rows:
        unseen = [each.store for each in seen.prunings if not each.is_clock_seen]
        but = f"; the clock of {', '.join(unseen)} tells its time only by writing: not compared" if unseen else ""
        return Reading(0, f"nothing stood against pruning{but}")
    action = next((action for _, _, action in rows if action), "see the findings of the backup itself")
    evidence = Evidence.of(("store", "reason", "what to do"), rows[:SHOWN])
    return Reading(len(rows), f"nothing pruned in {rows[0][0]}: {rows[0][1]}", action=action, evidence=evidence)


@check("NIGHT-PRUNE-FAILED", section=SECTION, warning=1, unit="sets", source=GUIDE)
def failed_removals(seen: NightFacts) -> Reading:
    """Every set that was to go is gone, unless the store holds it (object lock), which is no failure."""
    unlisted = next((each.problem for each in seen.prunings if each.problem), None)
    if unlisted:
        raise NotSeen(unlisted)
    rows = [(each.store, name, why) for each in seen.prunings for name, why in each.failed.items()]
    told = f"{rows[0][1]} could not be removed: {rows[0][2]}" if rows else "no removal failed"
    action = "it is tried again every night; look at the store's rights" if rows else ""
    evidence = Evidence.of(("store", "set", "reason"), rows[:SHOWN]) if rows else None
    return Reading(len(rows), told, action=action, evidence=evidence)
