"""Whether there is a backup to go back to: young enough, and restored once."""

import datetime as dt
import math
from collections.abc import Iterable

from atomops.facts.backup import Result
from atomops.facts.backup_stores import BackupFacts, Series, SetSeen
from atomops.facts.outcome import Outcome
from atomops.humane import plural, size, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen

SECTION = "Backups"
_GUIDE = "operations guide (last backup completed)"
_LATE, _VERY_LATE = 1.25, 2  # times `every_hours`
_UNPROVEN_SINCE = 2  # times `every_hours`
_LAST = 5  # sets of each database in the evidence
SHOWN = 20  # rows of evidence
_RUN = "atomops run nightly-backup, and see why its last runs made none"


@check("BACKUP-STORE-REACHABLE", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def stores_answer(outcome: Outcome[BackupFacts]) -> Reading:
    """Every store can be listed; what a store holds that does not answer is in no other check."""
    if outcome.facts is None:
        return outcome.reachable("the backup stores")
    stores = outcome.facts.stores
    failures = [(store.store, store.sets) for store in stores if isinstance(store.sets, Unseen)]
    rows = [(name, unseen.reason, unseen.action) for name, unseen in failures]
    told = "; ".join(unseen.reason for _, unseen in failures)
    return Reading(
        len(failures),
        told or f"{plural(len(stores), 'backup store')} listed in {outcome.seconds:.2f} s",
        action=failures[0][1].action if failures else "",
        evidence=Evidence.of(("store", "reason", "repair"), rows) if rows else None,
    )


@check(
    "BACKUP-AGE",
    section=SECTION,
    warning=_LATE,
    critical=_VERY_LATE,
    unit="intervals",
    source=f"{_GUIDE}; a quarter of the interval is left to the run itself",
    trend="backup.age",
)
def newest_age(seen: BackupFacts) -> Reading:
    """Every database has a set that is about as young as the schedule wants, in every store.

    Its unit is the time between two backups, `backups.every_hours`: a set of 02:00 is 0.67 old at 18:00.
    """
    return _oldest(seen, ((each, each.newest) for each in seen.series), _LATE, "backup", _RUN)


@check(
    "BACKUP-PROVEN-AGE",
    section=SECTION,
    warning=_UNPROVEN_SINCE,
    unit="intervals",
    source="a backup is one that has been restored",
    trend="backup.proven_age",
)
def proven_age(seen: BackupFacts) -> Reading:
    """The newest set that has really been restored is not much older than the newest set; without any, nobody knows."""
    never = [each for each in seen.series if each.proven is None]
    if never:
        names = ", ".join(f"{each.database} in {each.store}" for each in never)
        action = _prove(never[0].newest) if never[0].newest else _RUN
        return Reading(None, f"no set of {names} has ever been restored", action, last_sets(never))
    restored = ((each, each.proven) for each in seen.series)
    return _oldest(seen, restored, _UNPROVEN_SINCE, "restored backup", "see BACKUP-PROOF-FAILED and BACKUP-UNPROVEN")


@check("BACKUP-PROOF-FAILED", section=SECTION, critical=1, unit="sets", source="a backup is one that has been restored")
def failed_proofs(seen: BackupFacts) -> Reading | Gap:
    """No newest set has failed its proof: it would not restore, or not to what was dumped."""
    every = _newest(seen)
    failed = [
        (each, newest, newest.proof) for each, newest in every if newest.proof and newest.proof.result is Result.FAILED
    ]
    complete(seen, bad=bool(failed))
    if not every:
        return Gap(SECTION, "failed proofs: there is no set")
    rows = [
        (each.store, newest.id, proof.reason, "; ".join(proof.differences[:_LAST])) for each, newest, proof in failed
    ]
    first = failed[0][2] if failed else None
    return Reading(
        len(failed),
        f"{len(failed)} of {plural(len(every), 'newest set')} failed the proof"
        + (f": {first.reason}" if first else ""),
        action=first.action or "restore from an older set that is proven; run the backup again" if first else "",
        evidence=Evidence.of(("store", "set", "reason", "differences"), rows) if rows else None,
    )


@check("BACKUP-UNPROVEN", section=SECTION, unit="sets", source="a backup is one that has been restored")
def unproven(seen: BackupFacts) -> Reading | Gap:
    """Every newest set has been restored. One that has not is neither good nor bad: nobody knows, and this says why."""
    every = _newest(seen)
    waiting = [(each, newest) for each, newest in every if not _is_judged(newest)]
    if not waiting:
        complete(seen)
        told = f"{plural(len(every), 'newest set')} judged by a restore"
        return Reading(0, told) if every else Gap(SECTION, "unproven sets: there is no set")
    told = "; ".join(f"{newest.id} ({_proof(newest)})" for _, newest in waiting)
    action = next((newest.proof.action for _, newest in waiting if newest.proof), "") or _prove(waiting[0][1])
    return Reading(None, f"not proven by a restore: {told}", action, last_sets(each for each, _ in waiting))


def complete(seen: BackupFacts, *, bad: bool = False) -> None:
    """That nothing bad was found counts only when every store has been seen."""
    for store in seen.stores:
        if isinstance(store.sets, Unseen) and not bad:
            raise NotSeen(store.sets)


def _newest(seen: BackupFacts) -> list[tuple[Series, SetSeen]]:
    return [(each, each.newest) for each in seen.series if each.newest]


def _oldest(
    seen: BackupFacts, newest: Iterable[tuple[Series, SetSeen | None]], late: float, noun: str, action: str
) -> Reading:
    """The database and the store that are worst off; without any set the age has no end."""
    ages = [(seen.intervals(found.at) if found else math.inf, each, found) for each, found in newest]
    worst, where, found = max(ages, key=lambda entry: entry[0], default=(math.inf, None, None))
    complete(seen, bad=worst >= late and where is not None)
    place = f" of {where.database} in {where.store}" if where else ""
    told = f"the newest {noun}{place} is {_age(seen, found.at)} old" if found else f"there is no {noun}{place} at all"
    expected = f"; one is expected every {span(seen.every_hours * 3600)}"
    return Reading(worst, told + expected, action if worst >= late else "", _newest_sets(seen))


def _newest_sets(seen: BackupFacts) -> Evidence:
    rows = (
        (
            each.store,
            each.database,
            each.newest.id if each.newest else "none",
            _age(seen, each.newest.at) if each.newest else "",
            _age(seen, each.proven.at) if each.proven else "never",
        )
        for each in seen.series[:SHOWN]
    )
    return Evidence.of(("store", "database", "newest set", "age", "newest proven"), rows)


def last_sets(series: Iterable[Series]) -> Evidence:
    """The last sets of each, with their proofs."""
    rows = [
        (each.store, one.id, f"{one.at:%Y-%m-%d %H:%M}", size(one.bytes), _proof(one))
        for each in series
        for one in each.sets[:_LAST]
    ]
    return Evidence.of(("store", "set", "at (UTC)", "size", "proof"), rows[:SHOWN])


def _is_judged(each: SetSeen) -> bool:
    """A restore has succeeded, or has shown that it cannot."""
    return each.proof is not None and each.proof.result is not Result.INTACT


def _proof(each: SetSeen) -> str:
    return each.proof.sentence if each.proof else "no proof yet"


def _prove(each: SetSeen) -> str:
    return f"atomops backups verify {each.id}"


def _age(seen: BackupFacts, at: dt.datetime) -> str:
    return span((seen.at - at).total_seconds())
