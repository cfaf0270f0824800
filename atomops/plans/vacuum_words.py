"""A table before and after, and what a statement costs or brought, as reports say it. Pure."""

from collections.abc import Iterator

from atomops.facts.vacuum import FullCost, Status, TableOutcome, TableState, VacuumFacts
from atomops.humane import size, span
from atomops.verdict import Unseen

COLUMNS = ("table", "dead rows", "live rows", "size", "transactions old", "last vacuum", "last analyze")
_JUST_NOW = 60  # seconds


def cells(state: TableState) -> tuple[str, ...]:
    """One table at a moment: all COLUMNS but its name."""
    counts = (state.dead_rows, state.live_rows)
    return (
        *("not counted" if count is None else f"{count:,}" for count in counts),
        "locked" if state.size is None else size(state.size),
        "" if state.xid_age is None else f"{state.xid_age:,}",
        _since(state.since_vacuum),
        _since(state.since_analyze),
    )


def both(before: TableState, after: TableState) -> tuple[str, ...]:
    """The same before and after, where they differ."""
    pairs = zip(cells(before), cells(after), strict=True)
    return tuple(first if first == second else f"{first} → {second}" for first, second in pairs)


def executed(seen: VacuumFacts) -> Iterator[tuple[str, str]]:
    """Every statement in its order, and what it would do or has done."""
    of = {each.statement: each for each in seen.outcomes if each.statement}
    costs = {each.table: each for each in seen.costs}
    for statement in seen.statements:
        outcome = of.get(statement)
        yield statement, "" if outcome is None else _told(outcome, costs.get(outcome.table))


def _told(outcome: TableOutcome, cost: FullCost | None) -> str:
    if outcome.status is Status.PLANNED:
        dead, live, bytes_, _, vacuumed, _ = cells(outcome.before or TableState())
        now = f"{dead} dead rows, {live} live ones, {bytes_}, last vacuum {vacuumed}"
        return now if cost is None else f"{now}; {full(cost)}"
    if outcome.status is Status.DONE and outcome.before and outcome.after:
        dead, _, bytes_, *_ = both(outcome.before, outcome.after)
        return f"done in {span(outcome.seconds)}: dead rows {dead}, size {bytes_}"
    return f"{outcome.status}: {outcome.reason}" if outcome.reason else str(outcome.status)


def full(cost: FullCost) -> str:
    """What writing the table anew locks, for how long, and the room that it needs."""
    return (
        f"nobody can even read {cost.table} for about {span(cost.seconds)} (ACCESS EXCLUSIVE); needs up to "
        f"{size(cost.bytes)} more on {cost.disk} ({free(cost)}), "
        "and as much write-ahead log"
    )


def free(cost: FullCost) -> str:
    """What the disk has."""
    return (
        "how much is free there is not known" if isinstance(cost.available, Unseen) else f"{size(cost.available)} free"
    )


def _since(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    return "just now" if seconds < _JUST_NOW else f"{span(seconds)} ago"
