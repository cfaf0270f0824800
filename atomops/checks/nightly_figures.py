"""What this night's sets take of room and of time, what is in none of them, and what was cleared up."""

import math
from statistics import median

from atomops.checks.nightly import SECTION, SHOWN, proofs
from atomops.facts.nightly import NightFacts
from atomops.humane import plural, size, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, Reading

_FEWEST, _COMPARED = 3, 7  # earlier sets that a size is compared with
_SMALL = 65_536  # bytes: tables of contents alone make no ratio


@check("NIGHT-SIZE-CHANGE", section=SECTION, warning=2, critical=10, unit="times", source="Atom Ops default")
def size_change(seen: NightFacts) -> Reading | Gap:
    """A new set is about as large as the ones before it, both ways: a tenth is as odd as ten times as much."""
    ratios = [
        (_ratio(each.set.bytes, stored.earlier_bytes), each.set, stored)
        for each in seen.databases
        for stored in each.stored
        if each.set and len(stored.earlier_bytes) >= _FEWEST
    ]
    if not ratios:
        return Gap(SECTION, f"size of the new set: fewer than {_FEWEST} sets before it to compare with")
    ratio, made, stored = max(ratios, key=lambda entry: entry[0])
    usual = median(stored.earlier_bytes[:_COMPARED])
    told = f"{made.id} has {size(made.bytes)}, the sets before it {size(usual)} (median)"
    return Reading(ratio, told, action="compare the rows of both (atomops backups show): deleted, loaded, or left out?")


def _ratio(now: int, earlier: tuple[int, ...]) -> float:
    smaller, larger = sorted((float(now), median(earlier[:_COMPARED])))
    return (larger + _SMALL) / (smaller + _SMALL)


@check("NIGHT-SET-BYTES", section=SECTION, unit="bytes", source="information", trend="backup.set_bytes")
def set_bytes(seen: NightFacts) -> Reading | Gap:
    """What this night's sets take in one store, to be followed over time."""
    made = [each.set for each in seen.databases if each.set]
    if not made:
        return Gap(SECTION, "size of the new sets: there are none")
    total, of = sum(each.bytes for each in made), sum(each.origin_bytes for each in made)
    return Reading(total, f"the new sets take {size(total)} in a store, for {size(of)} in the server")


@check("NIGHT-DUMP-TIME", section=SECTION, unit="s", source="information", trend="backup.dump_seconds")
def dump_time(seen: NightFacts) -> Reading | Gap:
    """How long the dumps took: for so long every table was locked against being altered."""
    times = [each.set.seconds.get("dump", math.nan) for each in seen.databases if each.set]
    if not times:
        return Gap(SECTION, "time of the dump: there was none")
    return Reading(sum(times), f"dumping took {span(sum(times))}")


@check("NIGHT-RESTORE-TIME", section=SECTION, unit="s", source="information", trend="backup.proof_seconds")
def restore_time(seen: NightFacts) -> Reading | Gap:
    """How long the restores took: about what users would wait, on a machine like this one."""
    times = [proof.durations["restore"] for _, _, proof in proofs(seen) if "restore" in proof.durations]
    if not times:
        return Gap(SECTION, "time of a restore: nothing was restored")
    return Reading(sum(times), f"restoring everything took {span(sum(times))}")


@check("NIGHT-LEFT-OUT", section=SECTION, unit="things", source="information")
def left_out(seen: NightFacts) -> Reading | Gap:
    """What no dump holds is known: rows of foreign tables, replication slots, subscriptions, tablespace folders."""
    made = [each.set for each in seen.databases if each.set]
    if not made:
        return Gap(SECTION, "what is left out: nothing was dumped")
    rows = [(each.id, name, reason) for each in made for name, reason in each.left_out.items()]
    rows += [(each.id, thing, "recorded in the manifest only") for each in made for thing in each.surroundings]
    told = f"{plural(len(rows), 'thing')} that no dump holds"
    return Reading(len(rows), told, evidence=Evidence.of(("set", "what", "why"), rows[:SHOWN]) if rows else None)


@check("NIGHT-SWEPT", section=SECTION, unit="things", source="information")
def swept(seen: NightFacts) -> Reading | Gap:
    """What runs that were killed have left half-written or half-proven is removed by the next run, and named."""
    if seen.dry_run:
        return Gap(SECTION, "what killed runs have left: a dry run removes nothing")
    told = f"{plural(len(seen.swept), 'thing')} that killed runs had left removed"
    return Reading(len(seen.swept), f"{told}: {', '.join(seen.swept[:5])}" if seen.swept else told)
