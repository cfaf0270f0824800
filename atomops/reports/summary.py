"""The one sentence that somebody wants first."""

from collections.abc import Sequence

from atomops.humane import plural
from atomops.reports.strings import one_line
from atomops.verdict import Finding, Level

_MOST_TEXT = 200  # characters of the worst finding: the sentence is also the title of a flow run


def sentence(counting: Sequence[Finding], total: int) -> str:
    """How many of `total` checks are how bad, and the worst of them in its own words."""
    if not total:
        return "Nothing was checked"
    if not counting:
        return "Everything that was found is acknowledged: nothing else is known"
    bad = _counted([finding.level for finding in counting])
    if not bad:
        return _all_well(counting, total)
    worst = max(counting, key=lambda finding: finding.level.rank)
    return f"{bad} among {plural(total, 'check')}; {worst.section}: {one_line(worst.summary, _MOST_TEXT)}"


def _counted(levels: Sequence[Level]) -> str:
    """For example "1 critical, 2 unknown and 1 warning"; nothing when every level is OK."""
    critical, unknown, warnings = map(levels.count, (Level.CRITICAL, Level.UNKNOWN, Level.WARNING))
    phrases = {f"{critical} critical": critical, f"{unknown} unknown": unknown, plural(warnings, "warning"): warnings}
    *before, last = [phrase for phrase, number in phrases.items() if number] or [""]
    return f"{', '.join(before)} and {last}" if before else last


def _all_well(counting: Sequence[Finding], total: int) -> str:
    if len(counting) < total:
        return f"{len(counting)} of {plural(total, 'check')} are well; the others are acknowledged"
    told = informing(counting)
    return f"All is well in {plural(total, 'check')}" + (
        f"; {told.section}: {one_line(told.summary, _MOST_TEXT)}" if told else ""
    )


def informing(findings: Sequence[Finding]) -> Finding | None:
    """The first that is well and not merely "it answers": what somebody would like to know by the way."""
    well = [each for each in findings if each.level is Level.OK]
    return next((each for each in well if each.unit != "failures" or each.evidence), None)
