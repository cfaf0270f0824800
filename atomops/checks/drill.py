"""Whether every store gives back what it holds, and how soon: the recovery time that one could promise."""

import math
from collections.abc import Iterable, Sequence

from atomops.facts.drill import LIVE, SCRATCH, DrillFacts, Trial
from atomops.facts.outcome import Outcome
from atomops.facts.restore import Source
from atomops.humane import plural, size, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen

SECTION = "Drill"
_PROVEN = "a backup is one that has been restored"
_OWN = "Atom Ops: restored every week"
_LATE, _VERY_LATE = 1.25, 2  # times `every_hours`, as for BACKUP-AGE
_SHOWN = 60  # rows of evidence
_MINUTE = 60  # seconds
_DRY = "dry run: nothing was restored"
_STEPS = ("read", "create", "restore", "analyze", "compare", "amcheck")
_NOT_DURABLE = ", on a scratch server: a live one, which keeps its data safe, takes somewhat longer"


@check("DRILL-RUN", section=SECTION, critical=1, unit="failures", source=_OWN)
def run(outcome: Outcome[DrillFacts]) -> Reading:
    """The drill could begin: nobody else is changing the target, and it is known what is backed up, and where."""
    if outcome.facts is None:
        return outcome.reachable("the drill")
    facts = outcome.facts
    sets = [(each, each.set) for each in facts.trials if each.set]
    rows = [(f"{of.id} from {each.store}", _taken(of), _outcome(each, of, facts)) for each, of in sets[:_SHOWN]]
    evidence = Evidence.of(("set", "taken", "proof" if facts.dry_run else "outcome"), rows) if rows else None
    return Reading(0, _told(facts, len(sets), outcome.seconds), evidence=evidence)


def _told(facts: DrillFacts, sets: int, seconds: float) -> str:
    """The promise too: it is what somebody wants to know first."""
    if facts.dry_run:
        return f"{plural(sets, 'set')} would be tried {facts.server}, nothing live is changed"
    told = f"{plural(sets, 'set')} tried {facts.server} in {span(seconds)}, nothing live is changed"
    if facts.cleared:
        told += f"; left by killed runs and removed: {', '.join(facts.cleared)}"
    return told + (f"; everything could be back within {_within(facts.promise.seconds)}" if facts.promise else "")


def _within(seconds: float) -> str:
    """Rounded up: what is promised must be kept."""
    return span(math.ceil(seconds / _MINUTE) * _MINUTE if seconds > _MINUTE else seconds)


def _taken(of: Source) -> str:
    return f"{of.at:%Y-%m-%d %H:%M %Z}, {size(of.bytes)}, {plural(of.tables, 'table')}, {plural(of.rows, 'row')}"


def _outcome(each: Trial, of: Source, facts: DrillFacts) -> str:
    if each.problem:
        return f"unknown: {each.problem.reason}"
    if facts.dry_run:
        return of.proof
    steps = ", ".join(f"{step} {span(each.seconds[step])}" for step in _STEPS if step in each.seconds)
    return f"failed: {each.failure}" if each.failure else f"every row equal after {span(each.total)}: {steps}"


@check("DRILL-PLACE", section=SECTION, warning=1, unit="places", source=_OWN)
def place(seen: DrillFacts) -> Reading:
    """Sets are restored where the inventory says (`backups.drill_on`); else this says why they were not."""
    if seen.not_live:
        told = f'restored {seen.server}, not beside the live database as drill_on = "{LIVE}" says: '
        return Reading(1, f"{told}{seen.not_live.reason}", action=seen.not_live.action)
    return Reading(0, f"{'would be restored' if seen.dry_run else 'restored'} {seen.server}")


@check("DRILL-FAILED", section=SECTION, critical=1, unit="sets", source=_PROVEN)
def failed(seen: DrillFacts) -> Reading | Gap:
    """No newest set of any store is damaged, fails to restore, or restores to anything else than what was dumped."""
    if seen.dry_run:
        return Gap(SECTION, f"failures: {_DRY}")
    bad = [each for each in seen.trials if each.failure]
    if not bad:
        return _restored(seen.trials)
    rows = [(_name(each), each.store, each.failure, what) for each in bad for what in each.differences or ("",)]
    first = bad[0]
    told = first.failure if _name(first) in first.failure else f"{_name(first)} in {first.store}: {first.failure}"
    action = "take another backup now; restore from another store; look at that disk, and keep this set"
    evidence = Evidence.of(("set", "store", "reason", "difference"), rows[:_SHOWN])
    return Reading(len(bad), told, action=action, evidence=evidence)


def _restored(trials: Sequence[Trial]) -> Reading | Gap:
    """What was restored, step by step; where nothing was, that is other checks' to tell."""
    good = [each for each in trials if each.is_restored]
    if not good:
        return Gap(SECTION, "failures: no set was restored")
    steps = [step for step in _STEPS if any(step in each.seconds for each in good)]
    columns = ("set", "from", *steps, "together", "rate", "notes")
    rows = [
        (
            _name(each),
            each.store,
            *(span(each.seconds[step]) if step in each.seconds else "" for step in steps),
            span(each.total),
            f"{size(each.rate)}/s",
            "; ".join(each.notes),
        )
        for each in good
    ]
    rows_equal = sum(each.rows for each in good)
    told = f"{plural(len(good), 'set')} restored, {plural(sum(each.tables for each in good), 'table')}"
    evidence = Evidence.of(columns, rows[:_SHOWN])
    return Reading(0, f"{told} and {plural(rows_equal, 'row')} equal", evidence=evidence)


@check("DRILL-UNTRIED", section=SECTION, unit="sets", source=_PROVEN)
def untried(seen: DrillFacts) -> Reading | Gap:
    """Every newest set was tried. What could not be is neither good nor bad: nobody knows, and this says why."""
    waiting = [(each, each.problem) for each in seen.trials if each.problem]
    if waiting:
        rows = [(_name(each), each.store, problem.reason, problem.action) for each, problem in waiting]
        evidence = Evidence.of(("set", "store", "reason", "what to do"), rows[:_SHOWN])
        told = "; ".join(dict.fromkeys(f"{_name(each)} in {each.store}: {why.reason}" for each, why in waiting[:3]))
        return Reading(
            None, f"{plural(len(waiting), 'set')} could not be tried: {told}", waiting[0][1].action, evidence
        )
    if seen.dry_run:
        return Gap(SECTION, f"what cannot be tried: {_DRY}")
    return Reading(0, "every newest set was tried")


@check("DRILL-MISSING", section=SECTION, critical=1, unit="databases", source=_PROVEN)
def missing(seen: DrillFacts) -> Reading:
    """Every store that can be listed has a set of every database."""
    empty = [each for each in seen.trials if each.set is None and each.problem is None]
    rows = [(each.store, each.database) for each in empty]
    listed = dict.fromkeys(each.store for each in seen.trials if each not in empty and _is_listed(each))
    if not empty and not listed:
        raise NotSeen(next(each.problem for each in seen.trials if each.problem))
    told = f"{rows[0][0]} has no set of {rows[0][1]}" if rows else f"{', '.join(listed)}: a set of every database"
    action = "run nightly-backup, and see why its last runs made none there" if rows else ""
    evidence = Evidence.of(("store", "database without a set"), rows[:_SHOWN]) if rows else None
    return Reading(len(rows), told, action=action, evidence=evidence)


def _is_listed(each: Trial) -> bool:
    return each.set is not None


@check(
    "DRILL-SET-AGE",
    section=SECTION,
    warning=_LATE,
    critical=_VERY_LATE,
    unit="intervals",
    source="as BACKUP-AGE: a quarter of the interval is left to the run itself",
)
def set_age(seen: DrillFacts) -> Reading | Gap:
    """The newest set of every store is about as young as the schedule wants; in `backups.every_hours`."""
    ages = [(seen.intervals(each.set.at), each, each.set) for each in seen.trials if each.set]
    if not ages:
        return Gap(SECTION, "age of the sets: there are none to be seen")
    oldest, each, source = max(ages, key=lambda entry: entry[0])
    old = span((seen.at - source.at).total_seconds())
    told = f"the newest set of {each.database} in {each.store} is {old} old"
    action = "a restore would lose what came since: run nightly-backup, and see why its last runs made none there"
    return Reading(oldest, told, action=action if oldest >= _LATE else "")


@check("DRILL-TIME", section=SECTION, unit="s", source="information", trend="drill.seconds")
def time_taken(seen: DrillFacts) -> Reading | Gap:
    """What this drill took from the slowest store, every database one after another; followed for each store."""
    if not seen.stores or seen.dry_run:
        return Gap(SECTION, f"time of the drill: {_why_no_time(seen)}")
    slowest = max(seen.stores, key=lambda store: seen.stores[store])
    taken = seen.stores[slowest]
    nothing = dict.fromkeys((each.store for each in seen.trials), float("nan"))  # their series go on, without a point
    series = {**nothing, **seen.stores}
    return Reading(taken, f"everything from {slowest} was back after {span(taken)}", series=series)


@check("DRILL-RATE", section=SECTION, worse="lower", unit="bytes/s", source="information", trend="drill.rate")
def rate(seen: DrillFacts) -> Reading | Gap:
    """How quickly the slowest store brings a database back: its size there, by all the time that it takes."""
    good = [each for each in seen.trials if each.is_restored]
    if not good or seen.dry_run:
        return Gap(SECTION, f"rate of the drill: {_why_no_time(seen)}")
    by_store = {store: _rate(each for each in good if each.store == store) for store in {each.store for each in good}}
    slowest = min(by_store, key=lambda store: by_store[store])
    return Reading(by_store[slowest], f"{size(by_store[slowest])} a second from {slowest}", series=by_store)


def _rate(trials: Iterable[Trial]) -> float:
    every = list(trials)
    return sum(each.set.origin_bytes for each in every if each.set) / sum(each.total for each in every)


@check(
    "DRILL-RECOVERY-TIME",
    section=SECTION,
    unit="s",
    source="information; give it the limit that you have promised",
    trend="drill.recovery_seconds",
)
def recovery_time(seen: DrillFacts) -> Reading | Gap:
    """The recovery time that one could promise: the slowest of the last 8 drills, beside the exchange itself."""
    promise = seen.promise
    if promise is None:
        if seen.dry_run:
            return Gap(SECTION, f"recovery time: {_DRY}, and there was no drill before")
        raise NotSeen(Unseen("no drill has ever brought everything back from a store", "see the findings above"))
    alike = [each for each in seen.past if each.where == seen.where]
    columns = ("drill", "slowest store", "took", "restored")
    rows = [
        (
            f"{each.at:%Y-%m-%d %H:%M %Z}",
            max(each.stores, key=lambda name: each.stores[name]),
            span(each.seconds),
            where,
        )
        for each in reversed(seen.past)
        if (where := {SCRATCH: "on a scratch server", LIVE: "beside the live database"}[each.where])
    ]
    told = f"everything could be back within {_within(promise.seconds)}: the slowest of {plural(len(alike), 'drill')}"
    more = _NOT_DURABLE if seen.where == SCRATCH else ""
    return Reading(promise.seconds, f"{told}{more}", evidence=Evidence.of(columns, rows))


def _why_no_time(seen: DrillFacts) -> str:
    return _DRY if seen.dry_run else "no store gave everything back"


def _name(each: Trial) -> str:
    return each.set.id if each.set else each.database
