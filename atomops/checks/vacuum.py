"""Whether the tables were vacuumed, which were not and why, and what it brought."""

from atomops.facts.outcome import Outcome
from atomops.facts.vacuum import Holder, Status, TableOutcome, VacuumFacts
from atomops.humane import plural, span
from atomops.plans.vacuum_words import executed
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen

SECTION = "Vacuum"
_GUIDE = "operations guide"
_SOURCE = "Atom Ops default"
_SHOWN = 60  # rows of evidence
DRY = Gap(SECTION, "what came of it: a dry run vacuums nothing")


@check("VACUUM-RUN", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def run(outcome: Outcome[VacuumFacts]) -> Reading:
    """The run could begin: the server lets us in, nobody else is changing the target, and its tables are known."""
    if outcome.facts is None:
        return outcome.reachable("the vacuum")
    seen = outcome.facts
    who = f"{seen.database} by {seen.role}, PostgreSQL {seen.server}"
    if seen.dry_run:
        planned = plural(len(seen.of(Status.PLANNED)), "table")
        told = f"dry run: {planned} of {who} would be vacuumed ({seen.choice}); nothing was changed"
    else:
        told = f"{plural(len(seen.outcomes), 'table')} of {who} ({seen.choice}) in {span(outcome.seconds)}"
    columns = ("would be executed", "on") if seen.dry_run else ("executed", "what came of it")
    rows = list(executed(seen))[:_SHOWN]
    return Reading(0, told, evidence=Evidence.of(columns, rows) if rows else None)


@check("VACUUM-DONE", section=SECTION, critical=1, worse="lower", unit="tables", source=_GUIDE)
def done(seen: VacuumFacts) -> Reading | Gap:
    """Of the tables that were to be vacuumed some were: a run that comes to nothing is no success."""
    if seen.dry_run:
        return DRY
    if not seen.outcomes:
        return Gap(SECTION, f"vacuumed tables: none needs it ({seen.choice})")
    ready = seen.of(Status.DONE, Status.LEFT)
    if seen.of(Status.UNCONFIRMED) and not ready:
        raise NotSeen(Unseen(seen.of(Status.UNCONFIRMED)[0].reason, seen.of(Status.UNCONFIRMED)[0].action))
    rows = [(each.table, each.status, span(each.seconds), each.reason) for each in seen.outcomes]
    evidence = Evidence.of(("table", "what became of it", "took", "because"), rows[:_SHOWN])
    told = f"{len(ready):,} of {plural(len(seen.outcomes), 'table')} vacuumed"
    return Reading(len(ready), told, action="" if ready else "see the findings below", evidence=evidence)


@check("VACUUM-FAILED", section=SECTION, critical=1, unit="tables", source=_GUIDE)
def failed(seen: VacuumFacts) -> Reading:
    """No statement ended in an error."""
    return _none_of(seen, "no statement ended in an error", Status.FAILED)


@check("VACUUM-FORBIDDEN", section=SECTION, warning=1, unit="tables", source=_SOURCE)
def forbidden(seen: VacuumFacts) -> Reading:
    """Our role may vacuum every table: PostgreSQL itself skips the others with a warning and calls that success."""
    return _none_of(seen, "our role may vacuum them all", Status.FORBIDDEN)


@check("VACUUM-MISSING", section=SECTION, warning=1, unit="tables", source=_SOURCE)
def missing(seen: VacuumFacts) -> Reading:
    """Every table that was named is there."""
    return _none_of(seen, "no table is missing", Status.MISSING)


@check("VACUUM-REFUSED", section=SECTION, warning=1, unit="tables", source=_SOURCE)
def refused(seen: VacuumFacts) -> Reading:
    """Everything that was named can be vacuumed: no view, no foreign table, and for FULL there is room on the disk."""
    return _none_of(seen, "nothing was named that cannot be vacuumed", Status.REFUSED)


@check("VACUUM-LOCKED", section=SECTION, warning=1, unit="tables", source=_SOURCE)
def locked(seen: VacuumFacts) -> Reading | Gap:
    """No table was skipped because somebody had it locked, twice; who that was is named."""
    if seen.dry_run:
        return DRY
    return _none_of(seen, "no table was locked", Status.LOCKED)


@check("VACUUM-WINDOW", section=SECTION, warning=1, unit="tables", source=_SOURCE)
def window(seen: VacuumFacts) -> Reading | Gap:
    """The window was long enough: every table had its turn, and none was cancelled."""
    if seen.dry_run:
        return DRY
    return _none_of(seen, "every table had its turn within the window", Status.NOT_STARTED, Status.CANCELLED)


@check("VACUUM-UNCONFIRMED", section=SECTION, unit="tables", source="unknown is never OK")
def unconfirmed(seen: VacuumFacts) -> Reading | Gap:
    """What PostgreSQL calls done shows in the table's own statistics."""
    if seen.dry_run:
        return DRY
    found = seen.of(Status.UNCONFIRMED)
    if found:
        raise NotSeen(Unseen(found[0].reason, found[0].action))
    return Reading(0, f"{plural(len(seen.of(Status.DONE)), 'table')} confirmed by the server's statistics")


@check("VACUUM-HELD-BACK", section=SECTION, warning=1_000, unit="rows", source=_SOURCE)
def held_back(seen: VacuumFacts) -> Reading | Gap:
    """No old transaction, prepared transaction or slot kept dead rows from being removed; who does is named."""
    if seen.dry_run:
        return _holders_now(seen)
    kept = [each for each in seen.of(Status.DONE) if each.after and each.after.dead_rows]
    if not kept:
        return Reading(0, "no dead row was left behind")
    rows = sum(each.after.dead_rows or 0 for each in kept if each.after)
    first = max(kept, key=lambda each: (each.after.dead_rows or 0) if each.after else 0)
    table = [
        (each.table, f"{each.after.dead_rows:,}", each.held_by.reason if isinstance(each.held_by, Unseen) else who)
        for each in kept
        for who in _names(each.held_by)
        if each.after
    ]
    evidence = Evidence.of(("table", "dead rows left", "held back by"), table[:_SHOWN])
    told, action = _blame(first)
    return Reading(rows, f"{plural(rows, 'dead row')} could not be removed: {told}", action=action, evidence=evidence)


def _holders_now(seen: VacuumFacts) -> Reading | Gap:
    if isinstance(seen.holders, Unseen):
        raise NotSeen(seen.holders)
    if not seen.holders:
        return Reading(0, "nobody holds dead rows back just now")
    oldest = seen.holders[0]
    evidence = Evidence.of(("who", "transactions old"), ((each.sentence, f"{each.age:,}") for each in seen.holders))
    told = f"just now {oldest.sentence} would keep what died in the last {plural(oldest.age, 'transaction')}"
    return Reading(0, told, action=_remedy(oldest), evidence=evidence)


def _names(holders: tuple[Holder, ...] | Unseen) -> list[str]:
    if isinstance(holders, Unseen) or not holders:
        return [""]
    return [f"{each.sentence}, {each.age:,} transactions old" for each in holders]


def _blame(outcome: TableOutcome) -> tuple[str, str]:
    holders = outcome.held_by
    if isinstance(holders, Unseen):
        return f"by whom is not known, since {holders.reason}", holders.action
    if not holders:
        return f"nobody held those of {outcome.table} when it began; they died meanwhile", "run it again"
    since = "" if holders[0].seconds is None else f", for {span(holders[0].seconds)}"
    return f"{holders[0].sentence} still needs them{since}", _remedy(holders[0])


def _remedy(holder: Holder) -> str:
    match holder.kind:
        case "session":
            return f"let it end, or SELECT pg_terminate_backend({holder.name.split()[-1]}); then run it again"
        case "prepared transaction":
            return f"COMMIT PREPARED {holder.name}; or ROLLBACK PREPARED {holder.name}; then run it again"
        case "replication slot":
            name = holder.name.replace("'", "''")
            return f"look at its consumer; if that is gone: SELECT pg_drop_replication_slot('{name}');"
        case _:
            return "look at the longest query on that standby, or switch hot_standby_feedback off there"


def _none_of(seen: VacuumFacts, well: str, *statuses: Status) -> Reading:
    """How many tables ended so, each with its reason and remedy; `well` is said when none did."""
    found = seen.of(*statuses)
    if not found:
        return Reading(0, well)
    rows = [(each.table, each.reason, each.action) for each in found]
    return Reading(
        len(found),
        found[0].reason + (f", and {len(found) - 1:,} more" if len(found) > 1 else ""),
        action=found[0].action,
        evidence=Evidence.of(("table", "why", "what to do"), rows[:_SHOWN]),
    )
