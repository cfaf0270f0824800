"""Whether a restore did what was wanted, what it cost the users, and what is kept of the database that it replaced."""

from collections.abc import Iterator

from atomops.facts.outcome import Outcome
from atomops.facts.restore import BESIDE, SWAP, TABLES, Exchange, RestoreFacts
from atomops.humane import plural, size, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen

SECTION = "Restore"
_GUIDE = "operations guide"
_SHOWN = 60  # rows of evidence
_DRY = "dry run: nothing was restored"
_BACK = "atomops run restore-database --set backup=previous --set dry_run=false"


@check("RESTORE-RUN", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def run(outcome: Outcome[RestoreFacts]) -> Reading:
    """The restore could begin, and every step of it was done; else it says which was not, and what is live."""
    if outcome.facts is None:
        return outcome.reachable("the restore")
    facts = outcome.facts
    if facts.problem:
        told = f"{facts.database} was not restored: {facts.problem.reason}"
        return Reading(1, told, action=facts.problem.action, evidence=_plan(facts))
    return Reading(0, f"{_done(facts)} ({span(outcome.seconds)})", evidence=_plan(facts))


def _done(facts: RestoreFacts) -> str:
    source = f"{facts.source.id} of {facts.source.at:%Y-%m-%d %H:%M %Z}" if facts.source else "the replaced database"
    if facts.dry_run:
        return f"{plural(len(facts.steps), 'step')} would bring back {source}"
    if facts.obstacles:
        return f"nothing was done: {source} cannot be brought back as things are"
    where = {BESIDE: "beside the live database, and removed again", TABLES: f"into the schema {facts.schema}"}
    refused = facts.exchange.downtime if facts.exchange else None
    cost = f"; requests were refused for {span(refused)}" if refused else ""
    return f"{source} restored {where.get(facts.mode, f'as {facts.database}')}{cost}"


def _plan(facts: RestoreFacts) -> Evidence:
    return Evidence.of(("step", "exactly"), ((step.what, step.exactly) for step in facts.steps))


@check("RESTORE-OBSTACLES", section=SECTION, critical=1, unit="obstacles", source=_GUIDE)
def obstacles(seen: RestoreFacts) -> Reading:
    """Roles, extensions, versions, rights and room are there: found out before anything is made."""
    found = [(each.thing, each.reason, each.remedy) for each in seen.obstacles]
    if not found:
        notes = f"; {'; '.join(seen.notes)}" if seen.notes else ""
        return Reading(0, f"nothing stands in the way{notes}")
    evidence = Evidence.of(("what", "why", "repair"), found[:_SHOWN])
    return Reading(len(found), f"{found[0][0]}: {found[0][1]}", action=found[0][2], evidence=evidence)


@check("RESTORE-SET-UNPROVEN", section=SECTION, warning=1, unit="sets", source="a backup is one that has been restored")
def unproven(seen: RestoreFacts) -> Reading | Gap:
    """The chosen set has been restored before."""
    source = seen.source
    if source is None:
        return Gap(SECTION, "proof of the set: a database that is kept comes back, no set")
    columns = ("set", "store", "taken", "size", "tables", "rows", "proof")
    row = (source.id, source.store, f"{source.at:%Y-%m-%d %H:%M:%S %Z}", size(source.bytes))
    row = (*row, f"{source.tables:,}", f"{source.rows:,}", source.proof)  # type: ignore[assignment]
    action = "" if source.is_proven else f"atomops backups verify {source.id}"
    told = f"{source.id} in {source.store}: {source.proof}"
    return Reading(int(not source.is_proven), told, action=action, evidence=Evidence.of(columns, [row]))


@check("RESTORE-COPY-DIFFERS", section=SECTION, critical=1, unit="differences", source=_GUIDE)
def differences(seen: RestoreFacts) -> Reading | Gap:
    """The copy has exactly the tables, rows, sequences and objects of the manifest, before anybody uses it."""
    copy = seen.copy
    if copy is None:
        return Gap(SECTION, f"comparison: {_why_no_copy(seen)}")
    if copy.differences:
        evidence = Evidence.of(("difference",), ([each] for each in copy.differences[:_SHOWN]))
        action = "use another set, or the same one from another store"
        return Reading(len(copy.differences), copy.differences[0], action=action, evidence=evidence)
    steps = Evidence.of(("step", "took"), ((name, span(seconds)) for name, seconds in copy.seconds.items()))
    notes = f"; {'; '.join(copy.notes)}" if copy.notes else ""
    return Reading(0, f"{plural(copy.tables, 'table')}, {plural(copy.rows, 'row')} equal{notes}", evidence=steps)


@check("RESTORE-SETTINGS-LOST", section=SECTION, warning=1, unit="settings", source="Atom Ops: a copy in all respects")
def settings_lost(seen: RestoreFacts) -> Reading | Gap:
    """The restored database has every setting of its own that the original had."""
    if seen.copy is None:
        return Gap(SECTION, f"settings: {_why_no_copy(seen)}")
    lost = seen.copy.lost
    if not lost:
        return Reading(0, "the database has its own settings, as the original had them")
    evidence = Evidence.of(("setting that could not be given",), ([each] for each in lost[:_SHOWN]))
    return Reading(len(lost), lost[0], action="give it by hand, as a role that may", evidence=evidence)


@check("RESTORE-COPY-TIME", section=SECTION, unit="s", source="information", trend="restore.copy_seconds")
def copy_time(seen: RestoreFacts) -> Reading | Gap:
    """How long it took until the copy could be used: what one could promise after a loss, but for the exchange."""
    if seen.copy is None:
        return Gap(SECTION, f"time of the restore: {_why_no_copy(seen)}")
    total = sum(seen.copy.seconds.values())
    return Reading(total, f"reading, restoring, analyzing and comparing took {span(total)}")


@check("RESTORE-WENT-BACK", section=SECTION, critical=1, unit="exchanges", source=_GUIDE)
def went_back(seen: RestoreFacts) -> Reading | Gap:
    """The application works with the restored database; else the earlier one is the live one again."""
    done = seen.exchange
    if done is None:
        return Gap(SECTION, f"exchange: {_why_no_exchange(seen)}")
    if done.went_back:
        told = f"taken back, {seen.database} is as it was before: {done.went_back}"
        return Reading(1, told, action=f"look into {done.kept}, which is the refused copy, and at the error log")
    ended = Evidence.of(("session that was ended",), ([each] for each in done.ended_sessions[:_SHOWN]))
    told = f"exchanged in {span(done.renamed_in)}, {plural(len(done.ended_sessions), 'session')} ended"
    return Reading(0, told, evidence=ended if done.ended_sessions else None)


@check("RESTORE-NOT-READY", section=SECTION, critical=1, unit="applications", source=_GUIDE)
def not_ready(seen: RestoreFacts) -> Reading | Gap:
    """The application answers its readiness probe well after everything."""
    done = seen.exchange
    if done is None:
        return Gap(SECTION, f"readiness: {_why_no_exchange(seen)}")
    if done.problem:
        action = f"{done.problem.action}; atomops resume starts what was stopped"
        action += "" if done.went_back or not done.kept else f"; back: {_BACK}"
        return Reading(1, f"it does not serve: {done.problem.reason}", action=action)
    if done.unasked:
        return Gap(SECTION, f"readiness: {done.unasked}")
    if done.is_ready is None and not done.kept:
        return Gap(SECTION, "readiness: no application is configured, and none used this database before")
    if done.is_ready is None:
        raise NotSeen(Unseen("nobody could ask the application whether it is ready", "add [targets.….app]"))
    return Reading(0, "the application is ready")


@check(
    "RESTORE-DOWNTIME",
    section=SECTION,
    warning=5,
    critical=60,
    unit="s",
    source="Atom Ops: independent of the database's size",
    trend="restore.downtime_seconds",
)
def downtime(seen: RestoreFacts) -> Reading | Gap:
    """From the first request that was refused to the first good readiness that stayed."""
    done = seen.exchange
    if done is None:
        return Gap(SECTION, f"downtime: {_why_no_exchange(seen)}")
    if done.is_ready is None:
        return Gap(SECTION, f"downtime: {done.unasked or 'nobody could ask the application'}")
    if done.downtime is None:
        return Reading(0, "no request was refused")
    told = f"requests were refused for {span(done.downtime)} ({plural(done.refusals, 'refusal')} seen)"
    action = "quiesce=disconnect is quicker where the application reconnects by itself"
    return Reading(done.downtime, told, action=action)


@check("RESTORE-KEPT", section=SECTION, unit="databases", source="information")
def kept(seen: RestoreFacts) -> Reading | Gap:
    """The database that was replaced is whole, under another name, for as long as the inventory says."""
    done = seen.exchange
    if done is None or not done.kept:
        return Gap(SECTION, f"what is kept: {_why_no_exchange(seen) if done is None else 'nothing was replaced'}")
    rows = list(_kept_rows(seen, done))
    told = f"{done.kept} is kept until {done.kept_until:%Y-%m-%d}"
    action = "" if done.went_back else f"to go back: {_BACK}"
    return Reading(1, told, action=action, evidence=Evidence.of(("what", "where"), rows))


def _kept_rows(seen: RestoreFacts, done: Exchange) -> Iterator[tuple[str, str]]:
    yield "the refused copy" if done.went_back else "the replaced database", done.kept
    if seen.safety:
        yield "a dump of it", seen.safety


@check("RESTORE-CLEARED", section=SECTION, unit="leftovers", source="information")
def cleared(seen: RestoreFacts) -> Reading:
    """What a restore that was killed has left is finished or removed by the next one."""
    names = f": {'; '.join(seen.cleared)}" if seen.cleared else ""
    return Reading(len(seen.cleared), f"{plural(len(seen.cleared), 'leftover')} of killed restores{names}")


def _why_no_copy(seen: RestoreFacts) -> str:
    if seen.dry_run:
        return _DRY
    return "no set was restored" if seen.source is None else _stopped(seen)


def _why_no_exchange(seen: RestoreFacts) -> str:
    if seen.mode != SWAP:
        return f"mode {seen.mode} leaves the live database alone"
    return _DRY if seen.dry_run else _stopped(seen)


def _stopped(seen: RestoreFacts) -> str:
    return "there were obstacles" if seen.obstacles else "an earlier step failed"
