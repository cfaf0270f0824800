"""What a vacuum brought and cost: rows, bytes, time, and what FULL needs."""

from collections.abc import Iterable
from dataclasses import dataclass

from atomops.checks.vacuum import DRY, SECTION
from atomops.facts.vacuum import Status, TableOutcome, TableState, VacuumFacts
from atomops.humane import plural, size, span
from atomops.plans.vacuum_words import COLUMNS, both, cells, free
from atomops.plans.vacuum_words import full as words
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen

_SHOWN = 60  # rows of evidence


@check("VACUUM-FOUND", section=SECTION, unit="rows", source="information", trend="vacuum.dead_rows")
def found(seen: VacuumFacts) -> Reading:
    """The tables as they were found, with their dead rows (the server's own estimates)."""
    states = [(each.table, each.before) for each in seen.outcomes if each.before]
    dead = sum(state.dead_rows or 0 for _, state in states)
    told = f"{plural(dead, 'dead row')} in {plural(len(states), 'table')} (estimated)"
    rows = [(table, *cells(state)) for table, state in states] if seen.dry_run else []
    return Reading(dead, told, evidence=Evidence.of(COLUMNS, rows[:_SHOWN]) if rows else None)


@check("VACUUM-DEAD-ROWS", section=SECTION, unit="rows", source="information", trend="vacuum.dead_rows_removed")
def dead_rows(seen: VacuumFacts) -> Reading | Gap:
    """How many dead rows went (the server's own estimates); every table before and after."""
    pairs = list(_pairs(seen))
    if not pairs:
        return DRY if seen.dry_run else Gap(SECTION, "dead rows that went: nothing was vacuumed")
    removed = sum(max(0, (each.before.dead_rows or 0) - (each.after.dead_rows or 0)) for each in pairs)
    rows = ((each.outcome.table, *both(each.before, each.after)) for each in pairs[:_SHOWN])
    told = f"{plural(removed, 'dead row')} removed from {plural(len(pairs), 'table')} (estimated)"
    return Reading(removed, told, evidence=Evidence.of(COLUMNS, rows))


@check("VACUUM-SIZE", section=SECTION, unit="bytes", source="information", trend="vacuum.size")
def size_after(seen: VacuumFacts) -> Reading | Gap:
    """What the tables take, with indexes and TOAST. Without FULL they seldom shrink: their room is used again."""
    pairs = [each for each in _pairs(seen) if each.before.size is not None and each.after.size is not None]
    if not pairs:
        return DRY if seen.dry_run else Gap(SECTION, "sizes: nothing was vacuumed")
    before, after = (
        sum(part.size or 0 for part in parts) for parts in zip(*((p.before, p.after) for p in pairs), strict=True)
    )
    told = f"all in all {size(after)}"
    change = f", {size(before - after)} less than before" if before > after else ""
    return Reading(after, told + change)


@check("VACUUM-TIME", section=SECTION, unit="s", source="information", trend="vacuum.seconds")
def time(seen: VacuumFacts) -> Reading | Gap:
    """How long the tables took, one after another."""
    pairs = list(_pairs(seen))
    if not pairs:
        return DRY if seen.dry_run else Gap(SECTION, "time: nothing was vacuumed")
    slowest = max(pairs, key=lambda each: each.outcome.seconds)
    total = sum(each.outcome.seconds for each in pairs)
    return Reading(
        total, f"vacuuming took {span(total)}, the longest {slowest.outcome.table} with {span(slowest.outcome.seconds)}"
    )


@check("VACUUM-AUTOVACUUM", section=SECTION, unit="tables", source="information")
def autovacuum(seen: VacuumFacts) -> Reading | Gap:
    """A table on which autovacuum is at work is left to it: a second VACUUM would only end the first."""
    if seen.dry_run:
        return DRY
    found = seen.of(Status.LEFT)
    if not found:
        return Reading(0, "autovacuum was at work on none of the tables")
    rows = ((each.table, each.reason) for each in found[:_SHOWN])
    told = f"{plural(len(found), 'table')} left to autovacuum, which is at work there: {found[0].table}"
    return Reading(len(found), told, evidence=Evidence.of(("table", "why"), rows))


@check("VACUUM-FULL", section=SECTION, unit="bytes", source="information")
def full(seen: VacuumFacts) -> Reading | Gap:
    """FULL locks each table against everybody, reading too, and writes it anew beside itself: how long, how large."""
    if not seen.costs:
        return Gap(SECTION, "VACUUM FULL: not asked for")
    unknown = next((each for each in seen.costs if isinstance(each.available, Unseen)), None)
    if unknown is not None and isinstance(unknown.available, Unseen):
        needs = f"VACUUM FULL of {unknown.table} needs up to {size(unknown.bytes)} on {unknown.disk}"
        raise NotSeen(Unseen(f"{needs}: {unknown.available.reason}", unknown.available.action))
    largest = max(seen.costs, key=lambda each: each.bytes)
    rows = (
        (each.table, "ACCESS EXCLUSIVE", f"about {span(each.seconds)}", size(each.bytes), each.disk, free(each))
        for each in seen.costs[:_SHOWN]
    )
    columns = ("table", "lock", "for", "needs up to", "on", "where there is")
    return Reading(largest.bytes, words(largest), evidence=Evidence.of(columns, rows))


@check("VACUUM-ENDED", section=SECTION, unit="sessions", source="information")
def ended(seen: VacuumFacts) -> Reading | Gap:
    """Sessions of a run that was killed are ended by the next one, and named."""
    if seen.dry_run:
        return DRY
    told = f"{plural(len(seen.ended), 'session')} of a killed run ended"
    return Reading(len(seen.ended), f"{told}: {', '.join(seen.ended)}" if seen.ended else told)


@dataclass(frozen=True)
class _Pair:
    outcome: TableOutcome
    before: TableState
    after: TableState


def _pairs(seen: VacuumFacts) -> Iterable[_Pair]:
    for each in seen.of(Status.DONE):
        if each.before is not None and each.after is not None:
            yield _Pair(each, each.before, each.after)
