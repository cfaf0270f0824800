"""The server itself: does it answer, is its clock right, what has it counted since the last look?"""

from collections.abc import Callable

from atomops.facts.outcome import Outcome
from atomops.facts.postgres import Counters, PostgresFacts
from atomops.humane import plural, size, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen, known

SECTION = "Database"
_FIRST_LOOK = Gap(SECTION, "deadlocks, temporary files: judged as the change between two looks, and this is the first")


@check("PG-REACHABLE", section=SECTION, critical=1, unit="failures", source="operations guide")
def database_answers(outcome: Outcome[PostgresFacts]) -> Reading:
    """A real session is opened and authenticated, which pg_isready does not do."""
    return outcome.reachable("PostgreSQL")


@check("PG-VERSION", section=SECTION, unit="major", source="information")
def version(seen: PostgresFacts) -> Reading:
    """Which server answered, and since when it runs: a restart that nobody announced shows here."""
    server = seen.server
    kind = "a replica" if server.is_replica else "a primary"
    return Reading(
        server.version_number // 10_000, f"PostgreSQL {server.version}, {kind}, up for {span(server.uptime)}"
    )


@check("PG-CLOCK-SKEW", section=SECTION, warning=60, critical=300, unit="s", source="NTP practice")
def clock(seen: PostgresFacts) -> Reading:
    """A server whose clock is off stamps rows and logs with times that never were."""
    offset = seen.server.clock_offset
    direction = "ahead of" if offset > 0 else "behind"
    return Reading(
        abs(offset), f"the server's clock is {span(abs(offset))} {direction} ours", action="chronyc tracking, on both"
    )


@check("PG-PENDING-RESTART", section=SECTION, warning=1, unit="settings", source="check_pgactivity")
def pending_restart(seen: PostgresFacts) -> Reading:
    """A changed setting that waits for a restart surprises whoever restarts next."""
    pending = known(seen.pending_settings)
    return Reading(
        len(pending),
        f"{plural(len(pending), 'changed setting')} waiting for a restart",
        action="plan a restart, or take the change back",
        evidence=Evidence.of(("setting", "in force"), ((each.name, each.setting) for each in pending)),
    )


@check(
    "PG-DEADLOCKS", section=SECTION, warning=1, unit="deadlocks", source="check_postgres", trend="postgres.deadlocks"
)
def deadlocks(seen: PostgresFacts, before: PostgresFacts | None) -> Reading | Gap:
    """Every deadlock is a transaction that the application has lost."""
    return _change(
        seen, before, lambda row: row.deadlocks, "deadlocks", "search the server's log for 'deadlock detected'"
    )


@check("PG-TEMP-FILES", section=SECTION, warning=1, unit="files", source="check_postgres", trend="postgres.temp_files")
def temp_files(seen: PostgresFacts, before: PostgresFacts | None) -> Reading | Gap:
    """A temporary file is a sort or hash that did not fit into work_mem."""
    return _change(
        seen, before, lambda row: row.temp_files, "temporary files", "SET log_temp_files = 0 shows who writes them"
    )


@check("PG-CHECKSUM-FAILURES", section=SECTION, critical=1, unit="pages", source="check_pgactivity")
def checksum_failures(seen: PostgresFacts) -> Reading | Gap:
    """A page whose checksum is wrong is data that the disk or memory has damaged."""
    counted = [row for row in known(seen.counters) if row.checksum_failures is not None]
    if not counted:
        return Gap(SECTION, "data checksums are off: damaged pages would not be noticed (pg_checksums --enable)")
    failures = sum(row.checksum_failures or 0 for row in counted)
    return Reading(
        failures,
        f"{plural(failures, 'damaged page')} since the statistics were reset",
        action="stop writing, take a file copy, look at the disk and memory, restore from the last proven backup",
        evidence=Evidence.of(
            ("database", "failures"),
            ((row.database, row.checksum_failures) for row in counted if row.checksum_failures),
        ),
    )


@check("PG-DATABASE-SIZE", section=SECTION, unit="bytes", source="operations guide", trend="postgres.database_size")
def database_size(seen: PostgresFacts) -> Reading:
    """The size of the application's database, followed over time."""
    measured = _own_size(seen)
    everything = [(row.name, size(row.size)) for row in known(seen.databases) if row.size is not None]
    return Reading(
        measured, f"{seen.server.database} is {size(measured)}", evidence=Evidence.of(("database", "size"), everything)
    )


@check("PG-DATABASE-GROWTH", section=SECTION, unit="bytes/day", source="information", trend="postgres.growth")
def database_growth(seen: PostgresFacts, before: PostgresFacts | None) -> Reading | Gap:
    """How fast the database grows, as the difference of two looks."""
    days = (seen.at - before.at).total_seconds() / 86_400 if before else 0
    if before is None or days < 1 / 24:
        return Gap(SECTION, "growth per day needs two looks at least an hour apart")
    rate = (_own_size(seen) - _own_size(before)) / days
    verb = "grows" if rate >= 0 else "shrinks"
    return Reading(rate, f"{seen.server.database} {verb} by {size(abs(rate))} a day")


def _own_size(facts: PostgresFacts) -> int:
    for row in known(facts.databases):
        if row.name == facts.server.database and row.size is not None:
            return row.size
    raise NotSeen(Unseen(f"the size of {facts.server.database} was not seen", "GRANT pg_monitor to our role"))


def _change(
    seen: PostgresFacts, before: PostgresFacts | None, count: Callable[[Counters], int], things: str, action: str
) -> Reading | Gap:
    """The change of a counter over all databases; a reset in between makes it unknown."""
    if before is None:
        return _FIRST_LOOK
    earlier = {row.database: row for row in known(before.counters)}
    shared = [(row, earlier[row.database]) for row in known(seen.counters) if row.database in earlier]
    changes = [(now.database or "shared objects", count(now) - count(then)) for now, then in shared]
    restarted = any(now.stats_reset != then.stats_reset for now, then in shared)
    if restarted or any(change < 0 for _, change in changes):
        raise NotSeen(Unseen("the statistics were reset since the last look", "run again: the next look can compare"))
    total = sum(change for _, change in changes)
    since = span((seen.at - before.at).total_seconds())
    rows = [(database, change) for database, change in changes if change]
    return Reading(
        total,
        f"{total:,} {things} in the last {since}",
        action=action,
        evidence=Evidence.of(("database", things), rows),
    )
