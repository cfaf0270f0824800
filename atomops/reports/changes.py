"""What is different from the last report."""

from collections.abc import Iterable

from atomops.reports.report import Changes, Report
from atomops.verdict import Finding, Level


def changes(findings: Iterable[Finding], previous: Report | None) -> Changes:
    """Each code under its move. A check that was not in the last report counts as having been well.

    A code that is gone is not said to be resolved: nobody has looked.
    """
    if previous is None:
        return Changes()
    before = {finding.code: finding.level for finding in previous.findings}
    moves = {finding.code: _move(before.get(finding.code, Level.OK), finding.level) for finding in findings}
    new, worse, better, resolved = (
        tuple(code for code, move in moves.items() if move == wanted)
        for wanted in ("new", "worse", "better", "resolved")
    )
    return Changes(new, worse, better, resolved, unchanged=list(moves.values()).count(""))


def _move(before: Level, now: Level) -> str:
    """Losing sight of something bad is never better, though UNKNOWN ranks below CRITICAL."""
    if before is now:
        return ""
    if before is Level.OK:
        return "new"
    if now is Level.OK:
        return "resolved"
    return "better" if now.rank < before.rank and now is not Level.UNKNOWN else "worse"
