"""What errors the application logs, whether they are new, and whether its log tells everything."""

from collections.abc import Iterable
from itertools import islice

from atomops.facts.logs import ErrorGroup, LogFacts
from atomops.facts.outcome import Outcome
from atomops.humane import plural, size, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen

SECTION = "Error logs"
OWN = "Atom Ops default"
FIRST_LOOK = "first look: nothing to compare with yet"
SPIKE = 3  # times the count of the last look
SPIKE_RECORDS = 20  # fewer records than this are no spike, whatever they were before
MOST_ROWS = 15
QUIET, MUTE = 3_600, 86_400  # seconds


@check("LOG-REACHABLE", section=SECTION, critical=1, unit="failures", source="operations guide")
def reachable(outcome: Outcome[LogFacts]) -> Reading:
    """At least one log file can be read: without one nothing is known of the application's errors."""
    seen = outcome.facts
    if seen is None:
        return outcome.reachable("the log")
    summary = (
        f"{plural(len(seen.files), 'log file')} read in {outcome.seconds:.1f} s: {size(seen.bytes)}, "
        f"{seen.lines:,} lines, {seen.not_json:,} of them not JSON"
    )
    if seen.unfinished:
        summary += f"; the last line of {', '.join(seen.unfinished)} was still being written"
    files = ((file.path, size(file.size), size(file.size - file.start)) for file in seen.files)
    return Reading(0, summary, evidence=Evidence.of(("file", "size", "read"), islice(files, MOST_ROWS)))


@check("LOG-FILES-MISSING", section=SECTION, warning=1, unit="files", source=OWN)
def missing_files(seen: LogFacts) -> Reading:
    """Every configured file was read to its end; errors in one that was not are in no other check."""
    if not seen.skipped:
        return Reading(0, f"every log file of the last {seen.hours:g} h was read")
    first = seen.skipped[0]
    return Reading(
        len(seen.skipped),
        f"{plural(len(seen.skipped), 'log file')} could not be read: {first.path} {first.reason}",
        action=first.action,
        evidence=Evidence.of(
            ("file", "reason", "repair"),
            ((file.path, file.reason, file.action) for file in seen.skipped[:MOST_ROWS]),
        ),
    )


@check("LOG-ERRORS", section=SECTION, unit="records", source="information", trend="logs.errors")
def errors(seen: LogFacts) -> Reading:
    """How many errors were logged, and which; without a limit, since what is normal is told by the last looks."""
    total = sum(seen.totals.values())
    _only_if_complete(seen, total)
    by_level = ", ".join(f"{count:,} {level}" for level, count in sorted(seen.totals.items()))
    summary = f"{plural(total, 'error')} in {seen.hours:g} h" + (f" ({by_level})" if total else "")
    if seen.undated:
        summary += f"; {seen.undated:,} of them in files without any time, dated by the file's last change"
    if seen.ungrouped:
        summary += f"; {seen.ungrouped:,} differ too much to be grouped"
    return _reading(total, summary, seen.groups, "read the sample of the largest group, then its logger's code")


@check("LOG-CRITICAL", section=SECTION, critical=1, unit="records", source="operations guide", trend="logs.critical")
def critical_errors(seen: LogFacts) -> Reading:
    """No record is critical, fatal, emergency, alert or panic: so the application says that it cannot go on."""
    groups = [group for group in seen.groups if group.level == "CRITICAL"]
    _only_if_complete(seen, seen.critical)
    summary = f"{plural(seen.critical, 'critical record')} in {seen.hours:g} h"
    if groups:
        summary += f", the last at {max(group.last for group in groups):%Y-%m-%d %H:%M} UTC: {groups[0].sample}"
    return _reading(
        seen.critical, summary, groups, "look at the application's health and at the minutes around the last one"
    )


@check("LOG-ERRORS-NEW", section=SECTION, warning=1, unit="kinds", source=OWN)
def new_errors(seen: LogFacts, before: LogFacts | None) -> Reading | Gap:
    """No kind of error that the last look did not know: a new one is most often the newest release or a new outage."""
    if before is None:
        return Gap(SECTION, FIRST_LOOK)
    _comparable(seen, before)
    known = {group.key for group in before.groups}
    fresh = [group for group in seen.groups if group.key not in known]
    _only_if_complete(seen, len(fresh))
    summary = f"{plural(len(fresh), 'new kind')} of error since {before.at:%Y-%m-%d %H:%M} UTC"
    if fresh:
        summary += f", the most frequent {fresh[0].count:,} times: {fresh[0].name}"
    return _reading(len(fresh), summary, fresh, "compare the first time with the last release or change")


@check("LOG-ERRORS-SPIKING", section=SECTION, warning=1, unit="kinds", source=f"{OWN}; {SPIKE} times the last look")
def spiking_errors(seen: LogFacts, before: LogFacts | None) -> Reading | Gap:
    """No known kind of error has become three times as frequent as at the last look, and counts at least twenty."""
    if before is None:
        return Gap(SECTION, FIRST_LOOK)
    _comparable(seen, before)
    then = {group.key: group.count for group in before.groups}
    spiking = [
        group for group in seen.groups if group.count >= max(SPIKE_RECORDS, SPIKE * then.get(group.key, group.count))
    ]
    _only_if_complete(seen, len(spiking))
    summary = f"{plural(len(spiking), 'kind')} of error at least {SPIKE} times as frequent as at the last look"
    if spiking:
        summary += f": {spiking[0].name}, {then[spiking[0].key]:,} then and {spiking[0].count:,} now"
    return _reading(len(spiking), summary, spiking, "look at what the logger depends on: database, provider, queue")


@check("LOG-ERRORS-GONE", section=SECTION, unit="kinds", source="information")
def gone_errors(seen: LogFacts, before: LogFacts | None) -> Reading | Gap:
    """Which kinds of error have not come again since the last look: the proof that a repair has worked."""
    if before is None:
        return Gap(SECTION, FIRST_LOOK)
    _only_if_complete(seen, 0)
    _comparable(before, seen)
    present = {group.key for group in seen.groups}
    gone = [group for group in before.groups if group.key not in present]
    return _reading(len(gone), f"{plural(len(gone), 'kind')} of error gone since the last look", gone, "")


@check("LOG-UNREADABLE", section=SECTION, warning=1, unit="lines", source=OWN, trend="logs.unreadable")
def unreadable_lines(seen: LogFacts) -> Reading:
    """Every line is text, and whole where it is JSON; what cannot be read may be an error that nobody sees."""
    summary = f"{plural(seen.unreadable, 'line')} of the last {seen.hours:g} h cannot be read"
    action = "look for two processes that write one file, a full disk, or a rotation by copytruncate"
    return Reading(seen.unreadable, summary, action=action if seen.unreadable else "")


@check(
    "LOG-SILENT",
    section=SECTION,
    warning=QUIET,
    critical=MUTE,
    unit="s",
    source=f"{OWN}; an application that is polled for its health is never silent for an hour",
)
def silence(seen: LogFacts) -> Reading:
    """The newest record is young: a log that has fallen silent makes every other check of it look good."""
    action = "is the application running, is the disk full, and does it still write the file that was rotated away?"
    if seen.newest is None:
        return Reading(max(MUTE, seen.hours * 3_600), "the log holds no record at all", action=action)
    age = max(0.0, (seen.at - seen.newest).total_seconds())
    return Reading(age, f"the newest record is {span(age)} old", action=action if age >= QUIET else "")


@check(
    "LOG-CLOCK-AHEAD", section=SECTION, warning=60, unit="s", source="clocks kept by NTP differ by less than a second"
)
def clock_ahead(seen: LogFacts) -> Reading:
    """No record comes from the future: a clock or a time zone that is off moves errors out of the window."""
    if not seen.ahead:
        return Reading(0, "no record is dated in the future")
    action = "compare the clocks (timedatectl), and set logs.timezone to the zone of times without an offset"
    return Reading(seen.ahead, f"the furthest record is dated {span(seen.ahead)} in the future", action=action)


def _only_if_complete(seen: LogFacts, bad: float) -> None:
    """That nothing bad was found counts only when all was read, and when there was something to read."""
    if bad:
        return
    if seen.skipped:
        first = seen.skipped[0]
        raise NotSeen(Unseen(f"none found, but {first.path} {first.reason}", first.action))
    if seen.newest is None or (seen.newest < seen.since and not seen.ahead):
        action = "see LOG-SILENT: is this the file that the application writes?"
        raise NotSeen(Unseen(f"the log holds no record of the last {seen.hours:g} h", action))
    if not seen.levelled:
        action = (
            "let the application log LEVEL:logger:message, or JSON with a level; or name another file in logs.paths"
        )
        raise NotSeen(Unseen("no line of the log bears a level, so no error in it can be told from other text", action))


def _comparable(now: LogFacts, then: LogFacts) -> None:
    """A kind that is in `now` only tells something when the other look would have seen it."""
    if then.ungrouped:
        reason = f"the errors of {then.at:%Y-%m-%d %H:%M} UTC differ too much to be compared"
        raise NotSeen(Unseen(reason, "log variable parts as fields, not in the message"))
    if now.hours != then.hours:
        raise NotSeen(Unseen(f"the last look was at {then.hours:g} h, this one at {now.hours:g} h", "look again"))


def _reading(value: int, summary: str, groups: Iterable[ErrorGroup], action: str) -> Reading:
    rows = (
        (group.level, group.code, group.count, group.pattern, group.sample, group.logger, f"{group.last:%m-%d %H:%M}")
        for group in islice(groups, MOST_ROWS)
    )
    columns = ("level", "code", "count", "what", "sample", "logger", "last (UTC)")
    return Reading(
        value, summary, action=action if value else "", evidence=Evidence.of(columns, rows) if value else None
    )
