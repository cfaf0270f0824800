"""From signals to incidents: opened once, closed once, whatever is told twice or in another order. Pure."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from atomops.facts.incidents import Incident, Signal

_KEPT = dt.timedelta(days=7)  # closed ones are remembered, so that a late repetition of theirs is known
_MOST_CLOSED = 5_000


@dataclass(frozen=True)
class Merged:
    """The incidents afterwards; which of them were opened and which closed now; how many signals told nothing new."""

    incidents: tuple[Incident, ...]
    opened: tuple[Incident, ...]
    closed: tuple[Incident, ...]
    replays: int


def merge(
    incidents: Iterable[Incident], signals: Iterable[Signal], at: dt.datetime, *, by_asking: bool = False
) -> Merged:
    """Every signal put where it belongs. The same signals once more change nothing.

    `by_asking`: they are what fires now, so that one of an incident that was thought to be over opens it again.
    """
    latest: dict[str, Incident] = {}
    older: list[Incident] = []
    for each in sorted(incidents, key=lambda each: each.began):
        if each.key in latest:
            older.append(latest[each.key])
        latest[each.key] = each
    opened: dict[str, None] = {}
    closed: dict[str, None] = {}
    replays = 0
    for signal in signals:
        before = latest.get(signal.key)
        after = _again(before, signal) if by_asking else None
        after = after or _after(before, signal, at)
        if after is None:
            replays += 1
            continue
        if before is not None and after.began != before.began:
            older.append(before)
        latest[signal.key] = after
        if not after.is_open:
            closed[signal.key] = None
        elif before is None or not before.is_open:
            opened[signal.key] = None
    return Merged(
        _kept([*older, *latest.values()], at),
        tuple(latest[key] for key in opened if latest[key].is_open),
        tuple(latest[key] for key in closed if not latest[key].is_open),
        replays,
    )


def _again(before: Incident | None, signal: Signal) -> Incident | None:
    """An Alertmanager that has just been started knows nothing for a while, and then the same as before."""
    if before is None or before.is_open or not signal.fires or signal.began != before.latest:
        return None
    told = None if before.closing_told else before.told
    return replace(before, ended=None, told=told, closing_told=False)


def _after(before: Incident | None, signal: Signal, at: dt.datetime) -> Incident | None:
    """The incident that the signal makes; None when it tells nothing new."""
    if before is None or (not before.is_open and signal.began > before.latest):
        return _incident(signal, at)
    if signal.began < before.latest or not before.is_open or (signal.fires and signal.began == before.latest):
        return None
    return replace(before, again=signal.began, ended=signal.ended)


def _incident(signal: Signal, at: dt.datetime) -> Incident:
    return Incident(
        key=signal.key,
        name=signal.name,
        severity=signal.severity,
        labels=signal.labels,
        began=signal.began,
        acknowledged=at,
        summary=signal.summary,
        description=signal.description,
        source=signal.source,
        ended=signal.ended,
    )


def missing_from(incidents: Iterable[Incident], firing: Iterable[Signal], at: dt.datetime) -> tuple[Signal, ...]:
    """The ends of the open incidents that whoever knows all that fires does not name."""
    there = {signal.key for signal in firing}
    return tuple(
        Signal(each.key, each.name, each.severity, each.labels, each.latest, max(at, each.latest), each.summary)
        for each in incidents
        if each.is_open and each.key not in there
    )


def _kept(incidents: Sequence[Incident], at: dt.datetime) -> tuple[Incident, ...]:
    """All that are open, and the closed ones of the last week, in the order of their beginning."""
    still_open = [each for each in incidents if each.is_open]
    recent = [each for each in incidents if each.ended is not None and at - each.ended < _KEPT]
    recent.sort(key=lambda each: each.ended or each.began, reverse=True)
    return tuple(sorted([*still_open, *recent[:_MOST_CLOSED]], key=lambda each: (each.began, each.key)))
