"""Whether a migration is clear, backed up, rehearsed and approved; what stands in its way, and what it would do."""

from collections.abc import Iterator

from atomops.facts.migration import MigrationFacts, Rehearsal, SchemaChange, TableLock
from atomops.facts.outcome import Outcome
from atomops.humane import plural, size, span
from atomops.plans.locks import blocks, blocks_traffic
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen, known

SECTION, REHEARSAL = "Migration", "Rehearsal"
_GUIDE = "operations guide (before migration)"
_OURS = "a change is rehearsed and can be taken back"
_SHOWN, _NAMED = 100, 3  # rows of evidence, names in a sentence
_NOT_REHEARSED = "nothing was rehearsed"


@check("MIGRATION-RUN", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def run(outcome: Outcome[MigrationFacts]) -> Reading:
    """The application's alembic and the database answer, and nobody else is changing the target."""
    facts = outcome.facts
    if facts is None:
        return outcome.reachable("the migration")
    current = facts.current
    now = current.reason if isinstance(current, Unseen) else ", ".join(current) or "no revision"
    if not facts.steps:
        return Reading(0, f"at {now}: nothing to {'upgrade' if facts.action == 'show' else facts.action}")
    done = "would go" if facts.execution is None else "was to go"
    told = f"{facts.action}: {done} from {now} to {facts.target} in {plural(len(facts.steps), 'revision')}"
    return Reading(0, told, evidence=Evidence.of(("step", "exactly"), _plan(facts)))


def _plan(facts: MigrationFacts) -> Iterator[tuple[str, str]]:
    """All that would be done, or was to be done, in its order."""
    if facts.backup is not None:
        kept = facts.backup.reason if isinstance(facts.backup, Unseen) else facts.backup.id
        yield "see to a proven backup, young enough", kept
    if facts.rehearsal is not None:
        yield "rehearse on a copy of it", "restored in a scratch database; see MIGRATION-REHEARSED"
    yield "run", facts.exactly
    if isinstance(facts.statements, Unseen):
        yield "the statements cannot be shown", facts.statements.reason
    else:
        yield from ((each, "") for each in facts.statements)
    yield "verify", "revision, schema as rehearsed, exact rows of the main tables, readiness"


@check("MIGRATION-REFUSED", section=SECTION, critical=1, unit="reasons", source=_OURS)
def refused(seen: MigrationFacts) -> Reading | Gap:
    """Nothing is ambiguous: one target, a stamped database, known revisions, and scripts as they were when run."""
    if seen.action == "show":
        return Gap(SECTION, "refusals: action=show only tells what would be refused")
    return _refusals(seen, "nothing was changed")


@check("MIGRATION-AMBIGUOUS", section=SECTION, warning=1, unit="reasons", source=_OURS)
def ambiguous(seen: MigrationFacts) -> Reading | Gap:
    """What a migration would be refused for, told by action=show, which changes nothing."""
    if seen.action != "show":
        return Gap(SECTION, "what action=show tells: MIGRATION-REFUSED says it")
    return _refusals(seen, "a migration would be refused")


def _refusals(seen: MigrationFacts, consequence: str) -> Reading:
    if not seen.refusals:
        return Reading(0, "nothing is ambiguous")
    rows = [(each.reason, each.action) for each in seen.refusals]
    told = f"{seen.refusals[0].reason}: {consequence}"
    return Reading(len(rows), told, seen.refusals[0].action, Evidence.of(("reason", "what to do"), rows[:_SHOWN]))


@check("MIGRATION-STEPS", section=SECTION, unit="revisions", source=_GUIDE)
def steps(seen: MigrationFacts) -> Reading:
    """What is to be applied, or taken back, in order, with what its authors say about it."""
    rows = [(number, each.id, each.message, each.path) for number, each in enumerate(seen.steps, 1)]
    evidence = Evidence.of(("", "revision", "message", "script"), rows[:_SHOWN]) if rows else None
    heads = f"the history ends at {', '.join(seen.heads) or 'nothing'}"
    return Reading(len(rows), f"{plural(len(rows), 'revision')} to {_verb(seen)}; {heads}", evidence=evidence)


def _verb(seen: MigrationFacts) -> str:
    return "take back" if seen.action == "downgrade" else "apply"


@check("MIGRATION-SCRIPTS", section=SECTION, warning=1, unit="scripts", source=_OURS)
def scripts(seen: MigrationFacts) -> Reading:
    """The scripts can be read from here, so that one that was edited after it was run is noticed."""
    unread = seen.unread_scripts
    if not unread:
        return Reading(0, "every script could be read and compared with what was run")
    action = "let this user read the scripts where migrations.directory is, or mount them here"
    return Reading(len(unread), f"{plural(len(unread), 'script')} cannot be read from here: {unread[0]}", action=action)


@check("MIGRATION-STATEMENTS", section=SECTION, unit="statements", source=_GUIDE)
def told_statements(seen: MigrationFacts) -> Reading | Gap:
    """Every statement that would be run, as alembic prints them from the current revision, not from the first one."""
    if not seen.steps:
        return Gap(SECTION, "statements: there is nothing to do")
    every = known(seen.statements)
    return Reading(len(every), f"{plural(len(every), 'statement')}, also in the artifact that ends with -sql")


@check("MIGRATION-LINT", section=SECTION, warning=1, unit="warnings", source="squawk")
def lint(seen: MigrationFacts) -> Reading | Gap:
    """No statement is of a kind that is known to lock for long, or to break the application that still runs."""
    if not seen.steps:
        return Gap(SECTION, "lint: there is nothing to do")
    found = known(seen.lint)
    if not found:
        return Reading(0, "squawk has nothing against the statements")
    rows = [(each.line, each.rule, each.message, each.help) for each in found]
    evidence = Evidence.of(("line", "rule", "what", "instead"), rows[:_SHOWN])
    return Reading(len(found), f"{found[0].rule}: {found[0].message}", found[0].help, evidence)


@check("MIGRATION-TABLES", section=SECTION, unit="bytes", source=_OURS)
def touched(seen: MigrationFacts) -> Reading | Gap:
    """How large the tables are that the statements name: rewriting or indexing a large one takes long."""
    sizes = known(seen.sizes)
    if not sizes:
        return Gap(SECTION, "sizes: the statements name no table that is there")
    rows = [(each.name, f"{each.rows:,}", size(each.bytes)) for each in sizes]
    evidence = Evidence.of(("table", "rows (estimated)", "with its indexes"), rows[:_SHOWN])
    return Reading(sizes[0].bytes, f"the largest one, {sizes[0].name}, has {size(sizes[0].bytes)}", evidence=evidence)


@check("MIGRATION-BACKUP", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def backed_up(seen: MigrationFacts) -> Reading | Gap:
    """A set that has been restored once is at hand, young enough to go back to."""
    used = seen.backup
    if used is None:
        return Gap(SECTION, "backup: it did not come to that")
    if isinstance(used, Unseen) and seen.dry_run:
        return Reading(0, f"a new one would be made: {used.reason}")
    if isinstance(used, Unseen):
        return Reading(1, used.reason, action=used.action)
    made = "made for this" if used.is_new else f"{span(used.age_hours * 3600)} old"
    return Reading(0, f"{used.id} in {used.store}, proven, {made}")


@check("MIGRATION-REHEARSED", section=REHEARSAL, critical=1, unit="failures", source=_OURS)
def rehearsed(seen: MigrationFacts) -> Reading | Gap:
    """The same migration went well on a copy of the database, restored from a proven set."""
    if seen.rehearsal is None:
        return Gap(REHEARSAL, "rehearsal: it did not come to that, or rehearse=false")
    told = known(seen.rehearsal)
    if told.problem:
        return Reading(1, f"it fails on a copy of {told.backup}: {told.problem}", told.action)
    notes = f" ({'; '.join(told.notes)})" if told.notes else ""
    summary = f"it went well on a copy of {told.backup}, PostgreSQL {told.server_version}{notes}"
    return Reading(0, summary, evidence=Evidence.of(("what", "how"), _rehearsed(told)))


def _rehearsed(told: Rehearsal) -> Iterator[tuple[str, str]]:
    yield "restored", span(told.restore_seconds)
    yield "migrated", span(told.seconds)
    for lock in told.locks[:_SHOWN]:
        yield f"locked {lock.table}", f"{lock.mode} for {_held(lock)}: blocks {blocks(lock.mode)}"
    yield from ((f"{each.thing}", _became(each)) for each in told.schema[:_SHOWN])
    if told.downgrade:
        yield "taken back", span(told.downgrade.seconds)


def _held(lock: TableLock) -> str:
    return span(lock.seconds) if lock.seconds else "a moment"  # it was there in one look only


def _became(change: SchemaChange) -> str:
    if not change.before:
        return f"new: {change.after}".removesuffix(": ")
    return f"{change.before} -> {change.after}" if change.after else f"gone: {change.before}"


@check("MIGRATION-REHEARSAL-TIME", section=REHEARSAL, unit="s", source=_OURS, trend="migration.rehearsal_seconds")
def rehearsal_time(seen: MigrationFacts) -> Reading | Gap:
    """How long it took on the copy, where nobody else was at work and nothing had to be kept safe on the disk."""
    told = seen.rehearsal
    if not isinstance(told, Rehearsal):
        return Gap(REHEARSAL, f"time: {_NOT_REHEARSED}")
    back = f", and {span(told.downgrade.seconds)} back" if told.downgrade else ""
    return Reading(told.seconds, f"{span(told.seconds)}{back}; restoring the copy took {span(told.restore_seconds)}")


@check("MIGRATION-LOCKS", section=REHEARSAL, warning=2, critical=60, unit="s", source=_OURS)
def locks(seen: MigrationFacts) -> Reading | Gap:
    """No table is closed to the application for long. Looked at every 20 ms: shorter locks may not have been seen."""
    told = seen.rehearsal
    if not isinstance(told, Rehearsal):
        return Gap(REHEARSAL, f"locks: {_NOT_REHEARSED}")
    if not told.locks:
        return Reading(0, "no lock on a table was seen in looks at every 20 ms")
    rows = [(each.table, each.mode, blocks(each.mode), _held(each)) for each in told.locks]
    evidence = Evidence.of(("table", "strongest lock", "blocks", "held for"), rows[:_SHOWN])
    closing = [each for each in told.locks if blocks_traffic(each.mode)]
    if not closing:
        return Reading(0, f"nothing that the application waits for; {told.locks[0].mode} at most", evidence=evidence)
    worst = max(closing, key=lambda each: each.seconds)
    summary = f"{worst.table} was closed to {blocks(worst.mode)} for {_held(worst)} ({worst.mode})"
    action = "do it at a quiet hour, or in smaller revisions; see MIGRATION-LINT for ways without that lock"
    return Reading(worst.seconds, summary, action, evidence)


@check("MIGRATION-LOCK-TIMEOUT", section=REHEARSAL, warning=1, unit="failures", source=_OURS)
def lock_timeout(seen: MigrationFacts) -> Reading | Gap:
    """The application's driver takes over PGOPTIONS, and with them how long a statement waits for a lock."""
    told = seen.rehearsal
    if not isinstance(told, Rehearsal):
        return Gap(REHEARSAL, f"lock time-out: {_NOT_REHEARSED}")
    if told.keeps_settings is None:
        raise NotSeen(Unseen("no session of it was seen in the rehearsal", "see that env.py connects as it should"))
    if told.keeps_settings:
        return Reading(0, "its sessions bear the name that we gave them, so they keep our lock time-out too")
    action = "in env.py, before the migrations: connection.execute(text(\"SET lock_timeout = '5s'\"))"
    return Reading(1, "its sessions do not bear the name that we gave them: they may wait for a lock for ever", action)


@check("MIGRATION-SCHEMA-CHANGES", section=REHEARSAL, unit="objects", source="operations guide (after migration)")
def schema_changes(seen: MigrationFacts) -> Reading | Gap:
    """What becomes of the schema, object by object."""
    told = seen.rehearsal
    if not isinstance(told, Rehearsal) or told.problem:
        return Gap(REHEARSAL, f"schema: {_NOT_REHEARSED} to its end")
    named = f": {', '.join(each.thing for each in told.schema[:_NAMED])}" if told.schema else ""
    return Reading(len(told.schema), f"{plural(len(told.schema), 'object')} of the schema changed{named}")


@check("MIGRATION-DATA-LOSS", section=REHEARSAL, warning=1, unit="things", source=_OURS)
def data_loss(seen: MigrationFacts) -> Reading | Gap:
    """It takes no rows and no values away."""
    told = seen.rehearsal
    if not isinstance(told, Rehearsal) or told.problem:
        return Gap(REHEARSAL, f"loss of data: {_NOT_REHEARSED} to its end")
    rows = [(each.what, "nobody could count it" if each.amount is None else f"{each.amount:,}") for each in told.losses]
    if not rows:
        return Reading(0, "no table or column with anything in it goes, and no table loses rows")
    action = "be sure that nobody needs it: only a restore brings it back"
    return Reading(
        len(rows), f"{rows[0][0]} goes, with {rows[0][1]} in it", action, Evidence.of(("what", "in it"), rows)
    )


@check("MIGRATION-WAY-BACK", section=REHEARSAL, warning=1, unit="differences", source=_OURS)
def way_back(seen: MigrationFacts) -> Reading | Gap:
    """The downgrade, tried on the copy, brings back every row and object as it was."""
    told = seen.rehearsal
    if not isinstance(told, Rehearsal) or told.downgrade is None:
        return Gap(REHEARSAL, "way back: not tried; rehearse_downgrade=true does")
    back = told.downgrade
    action = "the way back from this migration is a restore of the backup"
    if back.problem:
        return Reading(1, f"the downgrade fails: {back.problem}", action)
    if back.is_lossless:
        return Reading(0, f"the downgrade took {span(back.seconds)} and lost nothing")
    evidence = Evidence.of(("what is not as it was",), ((each,) for each in back.differences[:_SHOWN]))
    return Reading(len(back.differences), f"the downgrade loses data: {back.differences[0]}", action, evidence)
