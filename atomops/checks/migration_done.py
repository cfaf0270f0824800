"""Whether a migration was approved, what came of it, and whether everything is well afterwards."""

from collections.abc import Mapping

from atomops.facts.migration import Execution, MigrationFacts, Rehearsal
from atomops.humane import plural, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen, known

SECTION = "Result"
_GUIDE = "operations guide (after migration)"
_OURS = "a change is rehearsed and can be taken back"
_SHOWN = 100  # rows of evidence


def _nothing(seen: MigrationFacts, what: str) -> Gap:
    why = "a dry run changes nothing" if seen.dry_run else "nothing was run"
    return Gap(SECTION, f"{what}: {why}")


@check("MIGRATION-APPROVAL", section=SECTION, warning=1, unit="refusals", source=_OURS)
def approved(seen: MigrationFacts) -> Reading | Gap:
    """A person has seen the plan and the rehearsal, and said yes; no answer in time is a no, and nothing is changed."""
    answer = seen.approval
    if answer is None:
        asked = _nothing(seen, "approval")
        return Gap(SECTION, "approval: nobody was asked (approve=auto)") if seen.execution else asked
    if answer.granted:
        return Reading(0, answer.words)
    told = f"not approved, so nothing was changed: {answer.words}"
    return Reading(1, told, action="run it again when it is agreed upon")


@check("MIGRATION-DONE", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def done(seen: MigrationFacts) -> Reading | Gap:
    """All steps ended well, and the database is at exactly the revision that was wanted."""
    ran = seen.execution
    if ran is None:
        return _nothing(seen, "the migration")
    rows = [(f"attempt of {span(each.seconds)}", each.problem, "; ".join(each.waited_for)) for each in ran.attempts]
    evidence = Evidence.of(("attempt", "problem", "waited for"), rows)
    if ran.is_well:
        tried = f" at attempt {len(rows)}" if len(rows) > 1 else ""
        return Reading(0, f"at {seen.target}, in {span(ran.attempts[-1].seconds)}{tried}", evidence=evidence)
    problem = ran.problem or _after(ran)
    return Reading(1, f"{problem}; {_taken_back(ran)}", _action(ran), evidence)


def _after(ran: Execution) -> str:
    """What is wrong although alembic ended well."""
    if isinstance(ran.revisions, Unseen):
        return f"alembic ended well, but its revision cannot be seen: {ran.revisions.reason}"
    if not ran.is_there:
        return f"alembic ended well, but the database is at {', '.join(ran.revisions) or 'no revision'}"
    return f"it was done, but {ran.unwell.reason if ran.unwell else 'it is not well'}"


def _taken_back(ran: Execution) -> str:
    return ran.taken_back.words if ran.taken_back else "nothing was taken back"


def _action(ran: Execution) -> str:
    theirs = ran.taken_back.action if ran.taken_back else ""
    return "; ".join(filter(None, (theirs, ran.attempts[-1].action)))


@check("MIGRATION-SCHEMA", section=SECTION, warning=1, unit="differences", source=_GUIDE)
def schema(seen: MigrationFacts) -> Reading | Gap:
    """The schema has changed exactly as it did in the rehearsal."""
    ran, told = seen.execution, seen.rehearsal
    if ran is None or not ran.is_there:
        return _nothing(seen, "schema") if ran is None else Gap(SECTION, "schema: see MIGRATION-DONE")
    changes = known(ran.schema)
    if not isinstance(told, Rehearsal):
        every = [(each.thing, each.before, each.after) for each in changes[:_SHOWN]]
        evidence = Evidence.of(("object", "before", "after"), every) if every else None
        return Reading(0, f"{plural(len(changes), 'object')} changed; nothing to compare with", evidence=evidence)
    odd = sorted({*changes} ^ {*told.schema}, key=lambda each: each.thing)
    if not odd:
        return Reading(0, f"{plural(len(changes), 'object')} changed, as in the rehearsal")
    rows = [(each.thing, "here" if each in changes else "rehearsed", each.before, each.after) for each in odd[:_SHOWN]]
    evidence = Evidence.of(("object", "where", "before", "after"), rows)
    action = "see who changes the schema besides: the application, another release, somebody by hand?"
    return Reading(len(odd), f"{odd[0].thing} did not become what it became in the rehearsal", action, evidence)


@check("MIGRATION-ROWS", section=SECTION, warning=1, unit="tables", source=_GUIDE)
def rows_kept(seen: MigrationFacts) -> Reading | Gap:
    """The main tables have as many rows as before, counted exactly; fewer only where the rehearsal said so."""
    ran = seen.execution
    if ran is None:
        return _nothing(seen, "rows")
    counted = known(ran.rows)
    if not counted:
        return Gap(SECTION, "rows: none of the profile's tables is there; name some as `tables`")
    rows = [
        (name, f"{before:,}", "gone" if after is None else f"{after:,}") for name, (before, after) in counted.items()
    ]
    evidence = Evidence.of(("table", "rows before", "rows after"), rows)
    foretold = seen.rehearsal.rows if isinstance(seen.rehearsal, Rehearsal) else {}
    fewer = [
        name for name, (before, after) in counted.items() if (after or 0) - before < min(0, _foretold(foretold, name))
    ]
    if not fewer:
        return Reading(0, f"{plural(len(rows), 'table')} counted before and after", evidence=evidence)
    action = "was it the application itself? If not, look for what has deleted them, and consider the restore"
    return Reading(len(fewer), f"{fewer[0]} has fewer rows than before, which was not foreseen", action, evidence)


def _foretold(rows: Mapping[str, int], name: str) -> int:
    """By how many rows the rehearsal changed it; tables may be named without their schema."""
    return sum(number for key, number in rows.items() if key == name or key.endswith(f".{name}"))


@check("MIGRATION-READY", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def ready(seen: MigrationFacts) -> Reading | Gap:
    """The application was ready before, and is ready afterwards."""
    ran = seen.execution
    if ran is None or ran.ready_seconds is None:
        return (
            _nothing(seen, "readiness")
            if ran is None
            else Gap(SECTION, "readiness: the inventory has no app, or nothing was done")
        )
    if isinstance(ran.ready_seconds, Unseen):
        if ran.ready_before is not True:
            raise NotSeen(ran.ready_seconds)
        return Reading(1, ran.ready_seconds.reason, action=ran.ready_seconds.action)
    return Reading(0, f"ready {span(ran.ready_seconds)} after the migration")


@check("MIGRATION-TIME", section=SECTION, unit="s", source="information", trend="migration.seconds")
def time(seen: MigrationFacts) -> Reading | Gap:
    """How long alembic was at work on the database itself, waiting for locks included."""
    if seen.execution is None:
        return _nothing(seen, "time")
    seconds = sum(each.seconds for each in seen.execution.attempts)
    return Reading(seconds, f"{plural(len(seen.execution.attempts), 'attempt')}, {span(seconds)}")
