"""What is slow, which index one could try, and what the server logs of slow statements."""

from atomops.facts.outcome import Outcome
from atomops.facts.tuning import SlowLog, TuningFacts
from atomops.humane import plural, size, span
from atomops.plans.indexing import candidates
from atomops.plans.slow_log import current, milliseconds, unread
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen, known

SECTION = "Tuning"
_GUIDE = "operations guide"
_SOURCE = "Atom Ops default"
_SHOWN = 15  # rows of evidence


@check("TUNE-RUN", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def run(outcome: Outcome[TuningFacts]) -> Reading:
    """The run could begin: the server lets us in, and nobody else is changing the target when something is changed."""
    if outcome.facts is None:
        return outcome.reachable("the tuning")
    seen = outcome.facts
    return Reading(0, f"{seen.where}, PostgreSQL {seen.version}: {seen.asked or 'report only'}")


@check("TUNE-DONE", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def done(seen: TuningFacts) -> Reading | Gap:
    """What was asked for is in force: read back in a new session with its value and where that comes from."""
    if not seen.asked:
        return Gap(SECTION, "a change: none was asked for, see slow_statement_ms and undo")
    evidence = _states(seen)
    if seen.refused:
        return Reading(1, f"nothing was changed: {seen.refused.reason}", action=seen.refused.action, evidence=evidence)
    if seen.dry_run:
        if not seen.plan:
            return Reading(0, f"dry run: {seen.asked}: it is so already", evidence=evidence)
        told = f"dry run: {seen.asked}; nothing was changed"
        return Reading(0, told, action="run it with dry_run=false", evidence=evidence)
    if not seen.confirmed:
        told = f"{seen.asked}: the server took it, and a new session does not show it"
        return Reading(1, told, action="see TUNE-OVERRIDDEN and TUNE-CONFIG-ERRORS", evidence=evidence)
    lasting = _sessions_before(seen)
    return Reading(0, f"{seen.asked}{'' if seen.plan else ': it was so already'}{lasting}", evidence=evidence)


def _sessions_before(seen: TuningFacts) -> str:
    if seen.scope == "server" or not seen.after or not seen.plan:
        return ""
    return f"; {plural(seen.after.older_sessions, 'session')} opened before keep what they had until they reconnect"


def _states(seen: TuningFacts) -> Evidence:
    """The setting, what is executed, and the setting after that, whole."""
    executed = "would be executed" if seen.dry_run else "executed"
    after = [("after", _state(seen.after))] if seen.after else []
    rows = [("before", _state(seen.before)), *((executed, each) for each in seen.plan), *after]
    return Evidence.of(("step", "exactly"), rows)


def _state(log: SlowLog) -> str:
    where = f" {log.setting.file}:{log.setting.line}" if log.setting.file else ""
    entry = f"unknown ({log.entry.reason})" if isinstance(log.entry, Unseen) else log.entry or "no entry"
    own = f"the database's own: {log.ours or 'none'}"
    pending = ", pending restart" if log.setting.pending_restart else ""
    return (
        f"{_limit(log.setting.value)}, says: {log.setting.source}{where}{pending}; postgresql.auto.conf: {entry}; {own}"
    )


def _limit(value: str) -> str:
    number = milliseconds(value)
    if number is None or number < 0:
        return "nothing is logged"
    return f"{number:,.0f} ms" if number else "every statement"


@check("TUNE-SLOW-LOG", section=SECTION, unit="ms", source=_GUIDE)
def slow_log(seen: TuningFacts) -> Reading:
    """From how many milliseconds on statements are logged, as a new session finds it; -1 is not at all."""
    log = seen.after or seen.before
    told = f"slow statements: {_limit(log.setting.value)}, says: {log.setting.source}"
    action = "" if seen.asked or log.setting.value != "-1" else "set slow_statement_ms, such as 1000"
    return Reading(milliseconds(log.setting.value), told, action=action, evidence=None if seen.asked else _states(seen))


@check("TUNE-OVERRIDDEN", section=SECTION, warning=1, unit="values", source=_SOURCE)
def overridden(seen: TuningFacts) -> Reading:
    """Nothing wins over the value of the scope: no command line, and no role's or database's own."""
    log = seen.after or seen.before
    winning = [each for each in log.overrides if seen.scope == "server" or each.role]
    rows = [(each.sentence, each.value) for each in winning]
    if seen.scope == "server" and log.setting.source in {"command line", "environment variable"}:
        rows.insert(0, (f"the server's {log.setting.source}", log.setting.value))
    if not rows:
        return Reading(0, f"nothing wins over the {seen.scope}'s value")
    told = f"{plural(len(rows), 'value')} {'wins' if len(rows) == 1 else 'win'} over the {seen.scope}'s: {rows[0][0]}"
    action = "ALTER ROLE or ALTER DATABASE ... RESET log_min_duration_statement, or take it from the command line"
    return Reading(len(rows), told, action=action, evidence=Evidence.of(("who", "value"), rows[:_SHOWN]))


@check("TUNE-RELOAD", section=SECTION, warning=1, unit="values", source=_SOURCE)
def reload(seen: TuningFacts) -> Reading:
    """The running server has read what postgresql.auto.conf says: no change was left half done."""
    log = seen.after or seen.before
    if not unread(log):
        return Reading(0, "the server has read its configuration")
    told = f"postgresql.auto.conf says {log.entry or 'nothing'}, and the server has not read it: it logs from "
    return Reading(1, told + _limit(log.setting.value), action="SELECT pg_reload_conf(); or run it again, or undo=true")


@check("TUNE-CONFIG-ERRORS", section=SECTION, warning=1, unit="errors", source=_SOURCE)
def config_errors(seen: TuningFacts) -> Reading | Gap:
    """The server takes every line of its configuration files: with an error in them a reload may change nothing."""
    errors = (seen.after or seen.before).file_errors
    if isinstance(errors, Unseen):
        if not seen.asked:
            return Gap(SECTION, f"errors in the configuration: {errors.reason} ({errors.action})")
        raise NotSeen(errors)
    if not errors:
        return Reading(0, "no error in the configuration files")
    rows = [(f"{each.file}:{each.line}", each.name, each.error) for each in errors]
    told = f"{plural(len(rows), 'error')} in the configuration: {rows[0][0]}: {errors[0].error}"
    evidence = Evidence.of(("where", "setting", "error"), rows[:_SHOWN])
    return Reading(len(rows), told, action="mend the file, then SELECT pg_reload_conf();", evidence=evidence)


@check("TUNE-REMEMBERED", section=SECTION, unit="values", source=_SOURCE)
def remembered(seen: TuningFacts) -> Reading:
    """What was there before our change is on record, so that undo=true goes back to it."""
    kept = seen.remembered
    if kept is None:
        return Reading(0, f"nothing of ours is to be undone for the {seen.scope}")
    before = f"to {kept.before}" if kept.before is not None else "to no value of its own"
    now = current(seen.after or seen.before, seen.scope)
    gone = seen.after is not None and seen.confirmed and now == kept.before and kept.before != kept.wanted
    if gone:
        return Reading(0, f"gone back {before}; nothing of ours is left")
    told = f"undo=true goes back {before}; {kept.wanted} was set at {kept.at:%Y-%m-%d %H:%M} UTC"
    return Reading(1, told, action="when it is not needed any more: --set undo=true --set dry_run=false")


@check("TUNE-STATEMENTS", section=SECTION, unit="statements", source=_GUIDE, listing=True)
def statements(seen: TuningFacts) -> Reading:
    """The statements that take the most of the server's time, with what they read and write to the disk."""
    found = known(seen.statements)
    if not found:
        return Reading(0, "no statement has been counted yet")
    rows = [
        (
            f"{each.share:.0%}",
            span(each.total),
            f"{each.calls:,}",
            span(each.mean),
            span(each.longest),
            f"{each.rows:,}",
            "" if each.hit_ratio is None else f"{each.hit_ratio:.1%}",
            size(each.temporary_bytes) if each.temporary_bytes else "",
            "" if each.read_time is None else span(each.read_time),
            each.query,
        )
        for each in found[:_SHOWN]
    ]
    columns = ("share", "total", "calls", "mean", "longest", "rows", "from cache", "temp files", "reading", "statement")
    first = found[0]
    told = f"{first.share:.0%} of all time went into one statement: {span(first.mean)} x {first.calls:,}"
    action = "EXPLAIN (ANALYZE, BUFFERS) the first ones with typical values"
    return Reading(len(found), told, action=action, evidence=Evidence.of(columns, rows))


@check("TUNE-INDEX-MISSING", section=SECTION, unit="indexes", source=_GUIDE, listing=True)
def index_missing(seen: TuningFacts) -> Reading:
    """Large tables read from end to end, and the indexes that one could try for their statements; none is made here."""
    tables = known(seen.tables)
    if not tables:
        return Reading(0, "no large table is read mostly from end to end")
    found = candidates(tables, known(seen.statements))
    if not found:
        rows = [(each.label, f"{each.rows:,}", f"{each.sequential_scans:,}", "") for each in tables[:_SHOWN]]
        told = f"{plural(len(tables), 'large table')} read from end to end; no statement tells by which column"
        action = "look at their statements in TUNE-STATEMENTS"
        return Reading(0, told, action=action, evidence=Evidence.of(("table", "rows", "scans", ""), rows))
    tried = [(each.table, each.statement, span(each.seconds), each.because) for each in found[:_SHOWN]]
    evidence = Evidence.of(("table", "one could try", "for statements of", "such as"), tried)
    told = f"{plural(len(found), 'index')} to try for {plural(len(tables), 'table')} read from end to end"
    action = f"EXPLAIN the statement before and after, on a copy first: {found[0].statement}"
    return Reading(len(found), told, action=action, evidence=evidence)
