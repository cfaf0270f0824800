"""Which sets of a store may go: decided from what it lists, and refused where that could cost the last good one."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from atomops.facts.backup import BackupSet, Listing
from atomops.humane import plural, span
from atomops.inventory import Keep

CLOCK_TOLERANCE = dt.timedelta(minutes=5)  # clocks kept by NTP differ by less than a second
MISSED_RUNS = 2  # one bad night is no pattern; after more of them the old sets may be all that is left
RUN_GRACE = dt.timedelta(hours=6)  # as long as a dump or a proof may take by default: a run prunes at its end
_UNWANTED = "no rule wants it, but nothing goes while pruning is refused"


@dataclass(frozen=True)
class Refusal:
    """Why what is due stays. `database` is empty when nothing at all of the store may go."""

    reason: str
    action: str
    database: str = ""


@dataclass(frozen=True)
class Stays:
    """A set that stays, and every reason for it."""

    backup_set: BackupSet
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class RetentionPlan:
    """What would be done to one store, newest first. A set is either in `deletions` or in `stays`.

    `due` is what no rule wants; of that, `deletions` is what may go: nothing of a database that is refused, and nothing
    at all when the store is.
    """

    store: str
    due: tuple[BackupSet, ...]
    deletions: tuple[BackupSet, ...]
    stays: tuple[Stays, ...]
    refusals: tuple[Refusal, ...]


def stale_after(every_hours: float) -> dt.timedelta:
    """How old the newest proven set may be before nothing is pruned any more."""
    return MISSED_RUNS * dt.timedelta(hours=every_hours) + RUN_GRACE


def plan_retention(
    listing: Listing, keep: Keep, *, now: dt.datetime, store_now: dt.datetime | None, every_hours: float
) -> RetentionPlan:
    """The same plan for the same inputs, whatever the order of the listing; unreadable things have no part in it.

    Ages come from the manifests alone. `now` is our clock, `store_now` the store's at the same moment, both aware; None
    where it is not compared, as in a dry run that may not write to find out.
    """
    sets = sorted(listing.sets, key=_age_order, reverse=True)
    wanted = _wanted(sets, keep, now)
    due = tuple(each for each in sets if not wanted[each.id])
    refusals = [*_clock_refusal(now, store_now)]
    for database in sorted({each.database for each in due}):
        refusals += _database_refusals(database, _countable(sets, database, now), keep, now, every_hours)
    refused = {refusal.database for refusal in refusals}
    allowed = tuple(each for each in due if not refused & {"", each.database})
    refusals += _cap_refusal(len(allowed), keep)
    deletions = () if len(allowed) > keep.max_deletions else allowed
    stays = tuple(Stays(each, tuple(wanted[each.id]) or (_UNWANTED,)) for each in sets if each not in deletions)
    return RetentionPlan(listing.store, due, deletions, stays, tuple(refusals))


def _age_order(each: BackupSet) -> tuple[dt.datetime, str]:
    return each.at, each.id


def _countable(sets: Sequence[BackupSet], database: str, now: dt.datetime) -> list[BackupSet]:
    """The proven sets of a database, newest first. A date in the future is a wrong one: it stands for no other set."""
    return [each for each in sets if each.database == database and each.is_proven and each.at <= now]


def _wanted(sets: Sequence[BackupSet], keep: Keep, now: dt.datetime) -> dict[str, list[str]]:
    """Every set's reasons to stay; none at all for a set that is due."""
    wanted: dict[str, list[str]] = {each.id: list(_own_reasons(each, keep, now)) for each in sets}
    for database in {each.database for each in sets}:
        proven = _countable(sets, database, now)
        for each in proven[: keep.keep_last]:
            wanted[each.id].append(f"among the newest {plural(keep.keep_last, 'proven set')} (keep_last)")
        for number, setting, period in _periods(keep):
            for each in _first_of_each(proven, period)[:number]:
                wanted[each.id].append(f"the newest proven one of {period(each.at)} ({setting})")
    return wanted


def _own_reasons(each: BackupSet, keep: Keep, now: dt.datetime) -> Iterator[str]:
    age = now - each.at
    if age < dt.timedelta(0):
        yield f"dated {span(-age.total_seconds())} in the future: one of the clocks was wrong"
    elif age < dt.timedelta(days=keep.keep_days):
        yield f"younger than {plural(keep.keep_days, 'day')} (keep_days)"


def _periods(keep: Keep) -> tuple[tuple[int, str, Callable[[dt.datetime], str]], ...]:
    return (
        (keep.keep_weeks, "keep_weeks", lambda at: "week {}-W{:02}".format(*at.astimezone(dt.UTC).isocalendar())),
        (keep.keep_months, "keep_months", lambda at: f"{at.astimezone(dt.UTC):%B %Y}"),
        (keep.keep_years, "keep_years", lambda at: f"{at.astimezone(dt.UTC):%Y}"),
    )


def _first_of_each(newest_first: Sequence[BackupSet], period: Callable[[dt.datetime], str]) -> list[BackupSet]:
    """The newest set of each period that has one, the last period first; a period without any takes nobody's place."""
    return list({period(each.at): each for each in reversed(newest_first)}.values())[::-1]


def _clock_refusal(now: dt.datetime, store_now: dt.datetime | None) -> Iterator[Refusal]:
    off = abs((store_now or now) - now)
    if off > CLOCK_TOLERANCE:
        yield Refusal(
            f"our clock and the store's differ by {span(off.total_seconds())}: no age can be trusted",
            "compare both with `timedatectl` or `chronyc tracking`, and set the wrong one right",
        )


def _database_refusals(
    database: str, proven: Sequence[BackupSet], keep: Keep, now: dt.datetime, every_hours: float
) -> Iterator[Refusal]:
    again = (
        "see why backups are not proven any more (`atomops backups list`); pruning goes on with the next proven ones"
    )
    if not proven:
        yield Refusal(f"no set of {database} has ever been proven", again, database)
    elif now - proven[0].at > stale_after(every_hours):
        age, most = now - proven[0].at, stale_after(every_hours)
        reason = f"the newest proven set of {database} is {_told(age)} old, more than {_told(most)}"
        yield Refusal(reason, f"{again}; a database that is gone for good: move its sets away", database)
    if len(proven) < keep.keep_last:
        reason = (
            f"{plural(len(proven), 'proven set')} of {database} would remain, fewer than keep_last = {keep.keep_last}"
        )
        yield Refusal(reason, "wait until there are as many, or lower keep_last", database)


def _cap_refusal(number: int, keep: Keep) -> Iterator[Refusal]:
    if number > keep.max_deletions:
        yield Refusal(
            f"{plural(number, 'set')} would go at once, more than max_deletions = {keep.max_deletions}",
            "look at the plan (`atomops backups prune --dry-run`); if it is right, raise backups.max_deletions, or run "
            f"`atomops backups prune --max-deletions {number}` once by hand",
        )


def _told(age: dt.timedelta) -> str:
    return span(age.total_seconds())
