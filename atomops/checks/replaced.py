"""What is kept of the databases that restores have replaced: how to go back, what it takes, and when it goes."""

import datetime as dt

from atomops.facts.nightly import NightFacts
from atomops.facts.replaced import ReplacedFacts
from atomops.facts.restore import Replaced
from atomops.humane import plural, size, span
from atomops.plans.replaced import due
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen

SECTION, RETENTION = "Replaced databases", "Retention"
_OWN = "Atom Ops: the replaced database stays whole for changes.keep_old_days"
_GRACE = dt.timedelta(days=1)  # a night that could not drop it tells so itself
_LONGEST_RESTORE = dt.timedelta(days=1)
_SHOWN = 40  # rows of evidence


@check("REPLACED-KEPT", section=SECTION, unit="databases", source=_OWN)
def kept(seen: ReplacedFacts) -> Reading:
    """Every database that a restore has replaced or refused is named, with the command that goes back to it."""
    if not seen.databases:
        return Reading(0, f"no replaced database is kept{_strange(seen)}")
    previous = seen.previous()
    columns = ("database", "was", "since", "size", "goes on", "why", "back by")
    rows = [
        (
            each.name,
            each.of,
            f"{each.at:%Y-%m-%d %H:%M %Z}" if each.at else "",
            "not seen" if each.bytes is None else size(each.bytes),
            f"{each.until:%Y-%m-%d}",
            each.why,
            _back(seen.target, each) if previous.get(each.of) == each.name else "",
        )
        for each in seen.databases
    ]
    first = seen.databases[0]
    told = f"{plural(len(rows), 'replaced database')} kept; {first.name} goes on {first.until:%Y-%m-%d}{_strange(seen)}"
    action = next((f"to go back: {row[-1]}" for row in rows if row[-1]), "")
    return Reading(len(rows), told, action=action, evidence=Evidence.of(columns, rows[:_SHOWN]))


def _back(target: str, each: Replaced) -> str:
    which = f"--set database={each.of} --set backup=previous --set dry_run=false"
    return f"atomops run restore-database --target {target} {which}"


def _strange(seen: ReplacedFacts) -> str:
    names = ", ".join(seen.unreadable[:3])
    return f"; with a mark that nobody understands, and never dropped: {names}" if names else ""


@check("REPLACED-SIZE", section=SECTION, unit="bytes", source="information", trend="replaced.bytes")
def room(seen: ReplacedFacts) -> Reading:
    """What the replaced databases and copies of restores take on the server's disk, to be followed over time."""
    every = [(each.name, each.bytes) for each in seen.databases]
    every += [(each.name, each.bytes) for each in seen.copies]
    hidden = [name for name, number in every if number is None]
    if hidden:
        raise NotSeen(Unseen(f"the size of {', '.join(hidden)} cannot be seen", "GRANT pg_monitor TO the reading role"))
    total = sum(number or 0 for _, number in every)
    return Reading(total, f"{plural(len(every), 'database')} of restores: {size(total)}")


@check("REPLACED-OVERDUE", section=SECTION, warning=1, unit="databases", source=_OWN)
def overdue(seen: ReplacedFacts) -> Reading:
    """None is still there a day after it should have been dropped, which the nightly backup does after its proofs."""
    late = due(seen.databases, seen.at - _GRACE)
    if not late:
        return Reading(0, "none should have been dropped before now")
    rows = [(each.name, f"{each.until:%Y-%m-%d %H:%M %Z}", _repair(seen.target, each)) for each in late]
    ago = span((seen.at - late[0].until).total_seconds())
    told = f"{late[0].name} should have been dropped {ago} ago"
    evidence = Evidence.of(("database", "was to go on", "repair"), rows[:_SHOWN])
    return Reading(len(late), told, action=rows[0][2], evidence=evidence)


def _repair(target: str, each: Replaced) -> str:
    if each.is_open:
        return f'somebody has opened it again; is it to stay? COMMENT ON DATABASE "{each.name}" IS NULL'
    return f'atomops replaced drop --target {target}; or, as its owner: DROP DATABASE "{each.name}"'


@check("REPLACED-COPIES", section=SECTION, warning=1, unit="copies", source="Atom Ops default")
def copies(seen: ReplacedFacts) -> Reading:
    """No copy of a restore that was killed takes room for longer than a day."""
    old = [each for each in seen.copies if seen.at - each.at > _LONGEST_RESTORE]
    if not old:
        made = f"{plural(len(seen.copies), 'copy')} being made" if seen.copies else "no copy of a killed restore"
        return Reading(0, made)
    rows = [(each.name, each.of, f"{each.at:%Y-%m-%d %H:%M %Z}") for each in old]
    action = f'the next restore of it removes it; or, when none is running: DROP DATABASE "{old[0].name}"'
    evidence = Evidence.of(("copy", "of", "begun"), rows[:_SHOWN])
    return Reading(len(old), f"{old[0].name} was left by a restore that was killed", action=action, evidence=evidence)


@check("NIGHT-REPLACED-DROPPED", section=RETENTION, unit="databases", source=_OWN)
def dropped(seen: NightFacts) -> Reading | Gap:
    """The databases that restores have replaced go when their time has come, after the proofs of the night."""
    done = seen.replaced
    if done is None:
        return Gap(RETENTION, "replaced databases: the night did not come to them")
    if done.problem:
        raise NotSeen(done.problem)
    fate = {**dict.fromkeys(done.dropped, "dropped"), **{name: f"stays: {why}" for name, why in done.failed.items()}}
    other = "would go" if seen.dry_run else f"stays: {done.held_back}"
    rows = [(each.name, f"{each.until:%Y-%m-%d}", fate.get(each.name, other)) for each in done.due]
    told = f"{plural(len(done.dropped), 'replaced database')} dropped"
    if seen.dry_run:
        told = f"{plural(len(done.due), 'replaced database')} would be dropped"
    elif done.held_back:
        told = f"{plural(len(done.due), 'replaced database')} kept although due: {done.held_back}"
    evidence = Evidence.of(("database", "kept until", "what became of it"), rows[:_SHOWN]) if rows else None
    return Reading(len(done.dropped), told, evidence=evidence)


@check("NIGHT-REPLACED-STAYS", section=RETENTION, warning=1, unit="databases", source=_OWN)
def stays(seen: NightFacts) -> Reading | Gap:
    """Every replaced database whose time had come could be dropped; else this gives the statement."""
    done = seen.replaced
    if done is None or done.problem or seen.dry_run:
        return Gap(RETENTION, "replaced databases that could not be dropped: none was tried")
    rows = [(name, why, f'DROP DATABASE "{name}"') for name, why in done.failed.items()]
    if not rows:
        return Reading(0, "every replaced database that was due is gone")
    action = f"set changes.dsn to a role that may, or as its owner: {rows[0][2]}"
    evidence = Evidence.of(("database", "reason", "statement"), rows[:_SHOWN])
    return Reading(len(rows), f"{rows[0][0]} could not be dropped: {rows[0][1]}", action=action, evidence=evidence)
