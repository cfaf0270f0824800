"""Which sessions do nothing but hold a connection or a transaction, and whether those are gone."""

from atomops.facts.outcome import Outcome
from atomops.facts.terminating import Fate, SessionOutcome, TerminationFacts
from atomops.humane import plural, span
from atomops.plans.terminating import POOLED, pools
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, known

SECTION = "Sessions"
_SOURCE = "Atom Ops default"
_OPERATORS = "operators of Atom"
_SHOWN = 60  # rows of evidence
_COLUMNS = ("pid", "role", "application", "client", "state", "for", "locks", "blocks", "last statement", "fate")


@check("SESSIONS-RUN", section=SECTION, critical=1, unit="failures", source=_OPERATORS)
def run(outcome: Outcome[TerminationFacts]) -> Reading:
    """The run could begin: the server lets us in, and nobody else is changing the target."""
    if outcome.facts is None:
        return outcome.reachable("the look at the sessions")
    seen = outcome.facts
    who = f"({seen.asked}; {seen.where}, by {seen.role})"
    if seen.dry_run:
        would = plural(len(seen.of(Fate.PLANNED)), "session")
        told = f"dry run: {would} would be terminated, nothing was changed {who}"
    else:
        told = f"{len(seen.of(Fate.TERMINATED)):,} of {plural(len(seen.outcomes), 'session')} terminated {who}"
    rows = [(f"{each.session.label}: {each.fate}", each.statement) for each in seen.outcomes]
    return Reading(0, told, evidence=Evidence.of(("session", "exactly"), rows) if rows else None)


@check("SESSIONS-FOUND", section=SECTION, unit="sessions", source=_OPERATORS, listing=True)
def found(seen: TerminationFacts) -> Reading:
    """Every session over its limit, what it holds, whom it blocks and what it did last; nothing else is touched."""
    if not seen.outcomes:
        return Reading(0, f"no session is {seen.asked}")
    number = len(seen.outcomes) + seen.more
    told = f"{plural(number, 'session')} {'is' if number == 1 else 'are'} {seen.asked}"
    beyond = f"; {seen.more:,} more than `most`" if seen.more else ""
    action = "run it with dry_run=false" if seen.dry_run else "run it again for the rest" if seen.more else ""
    evidence = Evidence.of(_COLUMNS, [_row(each) for each in seen.outcomes[:_SHOWN]])
    return Reading(number, told + beyond, action=action, evidence=evidence)


def _row(outcome: SessionOutcome) -> tuple[object, ...]:
    each = outcome.session
    open_for = f" (transaction: {span(each.transaction_seconds)})" if each.transaction_seconds is not None else ""
    locks = f"{each.locks}: {each.relations}" if each.relations else each.locks
    blocks = ", ".join(map(str, each.blocks))
    state = (each.state, span(each.seconds) + open_for)
    return (each.pid, each.role, each.application, each.client, *state, locks, blocks, each.query, outcome.fate)


@check("SESSIONS-HIDDEN", section=SECTION, source="unknown is never OK")
def hidden(seen: TerminationFacts) -> Reading:
    """Our role sees what every session of the database is doing: else an idle one may be among those."""
    if seen.hidden:
        raise NotSeen(seen.hidden)
    return Reading(0, "every session of the database is seen")


@check("SESSIONS-TERMINATED", section=SECTION, unit="sessions", source=_OPERATORS)
def terminated(seen: TerminationFacts) -> Reading:
    """Sessions that were ended and are gone: looked for again by pid and start."""
    if seen.dry_run:
        return Reading(0, "dry run: no session was terminated")
    ended = seen.of(Fate.TERMINATED)
    freed = sum(len(each.session.blocks) for each in ended)
    told = f"{plural(len(ended), 'session')} terminated" + (f"; {plural(freed, 'session')} had waited" if freed else "")
    return Reading(len(ended), told)


@check("SESSIONS-STAYED", section=SECTION, critical=1, unit="sessions", source=_SOURCE)
def stayed(seen: TerminationFacts) -> Reading | Gap:
    """No session outlives being told to end."""
    if seen.dry_run:
        return Gap(SECTION, "whether they end: a dry run terminates nothing")
    return _none_of(seen, "every session that was told to end has ended", Fate.STAYED)


@check("SESSIONS-FORBIDDEN", section=SECTION, warning=1, unit="sessions", source=_SOURCE)
def forbidden(seen: TerminationFacts) -> Reading:
    """Our role may end every session that is to be ended."""
    return _none_of(seen, "our role may end them all", Fate.FORBIDDEN)


@check("SESSIONS-SPARED", section=SECTION, unit="sessions", source=_SOURCE)
def spared(seen: TerminationFacts) -> Reading | Gap:
    """Sessions that went back to work, or ended, between the look and the act: nothing was done to them."""
    if seen.dry_run:
        return Gap(SECTION, "who goes back to work meanwhile: a dry run has no act")
    return _none_of(seen, "none did anything meanwhile", Fate.SPARED, Fate.GONE)


@check("SESSIONS-LEFT-OUT", section=SECTION, unit="sessions", source=_SOURCE)
def left_out(seen: TerminationFacts) -> Reading:
    """Sessions over a limit that are let alone: our own, superusers', those of monitoring, or not asked for."""
    number = sum(count for _, count in seen.left_out)
    if not number:
        return Reading(0, "none over the limit was let alone")
    evidence = Evidence.of(("why", "sessions"), seen.left_out)
    return Reading(
        number, f"{plural(number, 'session')} over the limit let alone: {seen.left_out[0][0]}", evidence=evidence
    )


@check("SESSIONS-POOLED", section=SECTION, warning=POOLED, unit="sessions", source=_SOURCE)
def pooled(seen: TerminationFacts) -> Reading:
    """Idle sessions of a pool are opened again as soon as they are ended: its own limit is the cure."""
    groups = pools(each.session for each in seen.outcomes)
    if not groups:
        return Reading(0, "none of them looks like a pool's")
    name, number = groups[0]
    told = f"{plural(number, 'idle session')} of {name} look like a pool's, which will open them again"
    action = (
        "lower the pool's size, or let it close idle connections (pool_recycle, idle_timeout, idle_session_timeout)"
    )
    return Reading(number, told, action=action, evidence=Evidence.of(("role, application, client", "sessions"), groups))


@check("SESSIONS-PREPARED", section=SECTION, unit="transactions", source=_SOURCE)
def prepared(seen: TerminationFacts) -> Reading:
    """Prepared transactions hold locks without any session: terminating one does not end them."""
    found_there = known(seen.prepared)
    if not found_there:
        return Reading(0, "no prepared transactions")
    rows = ((each.gid, each.owner, span(each.seconds)) for each in found_there)
    gid = found_there[0].gid.replace("'", "''")
    action = f"ask its transaction manager, then COMMIT PREPARED '{gid}'; or ROLLBACK PREPARED '{gid}';"
    told = f"{plural(len(found_there), 'prepared transaction')} in the database: no session of theirs can be terminated"
    return Reading(len(found_there), told, action=action, evidence=Evidence.of(("gid", "owner", "for"), rows))


def _none_of(seen: TerminationFacts, well: str, *fates: Fate) -> Reading:
    ended = seen.of(*fates)
    if not ended:
        return Reading(0, well)
    first = ended[0]
    more = f", and {len(ended) - 1:,} more" if len(ended) > 1 else ""
    rows = ((each.session.label, each.fate, each.reason) for each in ended[:_SHOWN])
    evidence = Evidence.of(("session", "fate", "because"), rows)
    return Reading(len(ended), f"{first.session.label}: {first.reason}{more}", action=first.action, evidence=evidence)
