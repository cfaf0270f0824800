"""Who is connected, who waits, and who makes others wait."""

from collections.abc import Iterable

from atomops.facts.postgres import PostgresFacts, Session
from atomops.humane import plural, span
from atomops.registry import check
from atomops.verdict import Evidence, Reading, known

SECTION = "Database"
_MOST_ROWS = 10


@check(
    "PG-CONNECTIONS",
    section=SECTION,
    warning=80,
    critical=95,
    unit="%",
    source="postgres_exporter mixin / check_postgres",
    trend="postgres.connections",
)
def connections(seen: PostgresFacts) -> Reading:
    """Beyond max_connections minus the reserved ones the application is turned away."""
    groups = known(seen.clients)
    used, limit = sum(group.sessions for group in groups), seen.server.connection_limit
    rows = ((group.role, group.application, group.state, group.sessions) for group in groups[:_MOST_ROWS])
    return Reading(
        100 * used / limit,
        f"{used} of {limit} connections are in use",
        action="look for a pool that is too large, or for idle sessions: see the evidence",
        evidence=Evidence.of(("role", "application", "state", "sessions"), rows),
    )


@check("PG-TRANSACTION-LONG", section=SECTION, warning=300, critical=600, unit="s", source="CloudNativePG / pgEdge")
def long_transaction(seen: PostgresFacts) -> Reading:
    """An old transaction keeps VACUUM from removing anything that died after it began."""
    return _oldest(
        [(each.transaction_age or 0, each) for each in known(seen.sessions)],
        "the longest transaction has run for",
        "no transaction is open",
    )


@check("PG-IDLE-IN-TRANSACTION", section=SECTION, warning=300, critical=1800, unit="s", source="pgEdge")
def idle_in_transaction(seen: PostgresFacts) -> Reading:
    """A session that holds its locks and does nothing is a fault of the application."""
    idle = [each for each in known(seen.sessions) if each.state.startswith("idle in transaction")]
    return _oldest(
        [(each.state_age or 0, each) for each in idle],
        "a session has been idle in transaction for",
        "no session is idle in a transaction",
    )


@check("PG-QUERY-LONG", section=SECTION, warning=300, critical=1800, unit="s", source="pgEdge")
def long_query(seen: PostgresFacts) -> Reading:
    """A statement that runs for minutes is either a report at the wrong hour or a lost plan."""
    active = [each for each in known(seen.sessions) if each.state == "active"]
    return _oldest(
        [(each.query_age or 0, each) for each in active],
        "the longest statement has run for",
        "no statement is running but ours",
    )


@check("PG-LOCK-WAIT", section=SECTION, warning=60, critical=120, unit="s", source="check_postgres")
def lock_wait(seen: PostgresFacts) -> Reading:
    """Whoever waits for a lock makes all that come later wait as well."""
    waits = known(seen.lock_waits)
    if not waits:
        return Reading(0, "no session waits for a lock")
    first = waits[0]
    rows = ((each.pid, each.role, span(each.waiting), each.blockers, each.query) for each in waits[:_MOST_ROWS])
    return Reading(
        first.waiting,
        f"{plural(len(waits), 'session')} wait for a lock, the longest for {span(first.waiting)}",
        action=f"look at pid {first.blockers} in pg_stat_activity; if it may go: SELECT pg_terminate_backend(pid);",
        evidence=Evidence.of(("pid", "role", "waiting", "blocked by", "statement"), rows),
    )


@check("PG-PREPARED-TRANSACTIONS", section=SECTION, warning=1, critical=30, unit="s", source="check_postgres")
def prepared_transactions(seen: PostgresFacts) -> Reading:
    """A forgotten prepared transaction holds locks and xmin for ever, across restarts."""
    prepared = known(seen.prepared_transactions)
    if not prepared:
        return Reading(0, "no prepared transactions")
    oldest = prepared[0]
    return Reading(
        oldest.age,
        f"{plural(len(prepared), 'prepared transaction')}, the oldest for {span(oldest.age)}",
        action=f"in {oldest.database}: COMMIT PREPARED or ROLLBACK PREPARED, as its transaction manager says",
        evidence=Evidence.of(
            ("gid", "database", "age"), ((each.gid, each.database, span(each.age)) for each in prepared[:_MOST_ROWS])
        ),
    )


def _oldest(aged: Iterable[tuple[float, Session]], says: str, says_none: str) -> Reading:
    """The reading of the oldest session, with the ten oldest as evidence."""
    oldest_first = sorted(aged, key=lambda pair: pair[0], reverse=True)
    if not oldest_first:
        return Reading(0, says_none)
    age, session = oldest_first[0]
    rows = (
        (each.pid, each.role, each.application, each.state, span(seconds), each.query)
        for seconds, each in oldest_first[:_MOST_ROWS]
    )
    return Reading(
        age,
        f"{says} {span(age)} (pid {session.pid}, {session.application or 'unnamed application'})",
        action=f"SELECT pg_terminate_backend({session.pid}); once its owner agrees",
        evidence=Evidence.of(("pid", "role", "application", "state", "for", "statement"), rows),
    )
