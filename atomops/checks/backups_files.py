"""Whether the sets lie in their stores as they were written, and what they take of room and of time."""

from statistics import median

from atomops.checks.backups import SECTION, SHOWN, complete, last_sets
from atomops.facts.backup_stores import BackupFacts, Reread, SetSeen
from atomops.humane import plural, size, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, Reading, Unseen, known

_GUIDE = "operations guide (last backup completed)"
_OWN = "Atom Ops default"
_COMPARED, _FEWEST = 7, 3  # sets before the newest one
_SMALL = 65_536  # bytes: tables of contents alone make no ratio


@check(
    "BACKUP-SIZE-CHANGE",
    section=SECTION,
    warning=2,
    critical=10,
    unit="times",
    source=f"{_OWN}; against the median of the {_COMPARED} sets before",
)
def size_change(seen: BackupFacts) -> Reading | Gap:
    """The newest set is about as large as those before it, both ways: a tenth of it is as odd as ten times as much."""
    ratios = [(ratio, each) for each in seen.series if (ratio := _ratio(each.sets))]
    complete(seen, bad=any(ratio >= 2 for ratio, _ in ratios))  # noqa: PLR2004 - the warning above
    if not ratios:
        return Gap(SECTION, f"size of the newest set: fewer than {_FEWEST} sets before it to compare with")
    ratio, odd = max(ratios, key=lambda pair: pair[0])
    usual = median(each.bytes for each in odd.sets[1 : _COMPARED + 1])
    return Reading(
        ratio,
        f"{odd.sets[0].id} has {size(odd.sets[0].bytes)}, the sets before it {size(usual)} (median)",
        action="compare the rows of both (atomops backups show): was something deleted, loaded, or left out?",
        evidence=last_sets([odd]),
    )


@check("BACKUP-SIZE", section=SECTION, unit="bytes", source=_GUIDE, trend="backup.bytes")
def newest_size(seen: BackupFacts) -> Reading | Gap:
    """What the newest sets take in one store, to be followed over time, and what the last ones are worth."""
    if not any(each.sets for each in seen.series):
        complete(seen)
        return Gap(SECTION, "size of the sets: there are none")
    totals = {
        store.store: sum(each.sets[0].bytes for each in seen.series if each.store == store.store and each.sets)
        for store in seen.stores
    }
    number = sum(len(each.sets) for each in seen.series)
    told = f"the newest sets take {size(max(totals.values()))} in one store; {plural(number, 'set')} are kept"
    return Reading(max(totals.values()), told, evidence=last_sets(seen.series))


@check("BACKUP-RESTORE-TIME", section=SECTION, unit="s", source="information", trend="backup.restore_seconds")
def restore_time(seen: BackupFacts) -> Reading | Gap:
    """How long the last proof took to restore a database: about what users would wait, on a machine like that one."""
    proven = [each.proven for each in seen.series if each.proven and each.proven.proof]
    times = [(proof.durations.get("restore", proof.seconds), proof, each) for each in proven if (proof := each.proof)]
    if not times:
        complete(seen)
        return Gap(SECTION, "time of a restore: no set has been restored yet")
    seconds, proof, slowest = max(times, key=lambda entry: entry[0])
    return Reading(seconds, f"restoring {slowest.id} took {span(seconds)} on {proof.host}")


@check("BACKUP-CHECKSUM", section=SECTION, critical=1, unit="files", source=f"{_GUIDE}; SHA-256 of the manifest")
def checksums(seen: BackupFacts) -> Reading | Gap:
    """Every byte of the newest sets is in its store as it was written: archives have no checksum of their content."""
    reread = [(store.store, each) for store in seen.stores for each in store.reread]
    rows = [(store, each.id, problem) for store, each in reread for problem in _problems(each)]
    complete(seen, bad=bool(rows))
    if rows:
        store, damaged, problem = rows[0]
        return Reading(
            len(rows),
            f"{plural(len(rows), 'file')} not as written: {problem} ({damaged} in {store})",
            action="use another set or store (atomops backups list), run the backup again, and look at that disk",
            evidence=Evidence.of(("store", "set", "problem"), rows[:SHOWN]),
        )
    for _, each in reread:
        known(each.problems)
    if not reread:
        return Gap(SECTION, "checksums: there is no set to read again")
    files, total = sum(each.files for _, each in reread), sum(each.bytes for _, each in reread)
    return Reading(0, f"{plural(files, 'file')} of the newest sets read again, {size(total)}: all as written")


@check("BACKUP-UNREADABLE", section=SECTION, warning=1, unit="things", source=_OWN)
def unreadable(seen: BackupFacts) -> Reading:
    """All that lies among the sets is a set that we can read; the rest is never used, and never pruned."""
    rows = [(store.store, each.name, each.reason) for store in seen.stores for each in store.unreadable]
    complete(seen, bad=bool(rows))
    return Reading(
        len(rows),
        f"{plural(len(rows), 'thing')} among the sets cannot be read"
        + (f": {rows[0][1]}, {rows[0][2]}" if rows else ""),
        action="a newer Atom Ops made it? damaged? somebody's own? move it away when nobody needs it" if rows else "",
        evidence=Evidence.of(("store", "name", "reason"), rows[:SHOWN]) if rows else None,
    )


@check("BACKUP-CLOCK-AHEAD", section=SECTION, warning=300, unit="s", source="NTP practice")
def clock_ahead(seen: BackupFacts) -> Reading:
    """No set is dated in the future: it would stand for nights without a backup."""
    every = [each for store in seen.stores if not isinstance(store.sets, Unseen) for each in store.sets]
    ahead = max(((each.at - seen.at).total_seconds(), each.id) for each in every) if every else (0.0, "")
    complete(seen, bad=ahead[0] > 0)
    if ahead[0] <= 0:
        return Reading(0, "no set is dated in the future")
    action = "compare the clocks (timedatectl) of the database and of the machines that make and judge the backups"
    return Reading(ahead[0], f"{ahead[1]} is dated {span(ahead[0])} in the future", action=action)


def _ratio(sets: tuple[SetSeen, ...]) -> float | None:
    """How many times larger or smaller the newest set is; None without enough others."""
    if len(sets) <= _FEWEST:
        return None
    usual = median(each.bytes for each in sets[1 : _COMPARED + 1])
    smaller, larger = sorted((sets[0].bytes, usual))
    return (larger + _SMALL) / (smaller + _SMALL)


def _problems(each: Reread) -> tuple[str, ...]:
    return () if isinstance(each.problems, Unseen) else each.problems
