"""The findings as rows for a Prefect table artifact, which shows ten at a time: what needs somebody comes first."""

from atomops.humane import quantity
from atomops.reports import phrases
from atomops.reports.report import Report
from atomops.reports.strings import one_line
from atomops.verdict import Finding

_MOST_TEXT = 300  # characters of a cell


def rows(report: Report) -> list[dict[str, str]]:
    """One row a finding: the worst first, those that are acknowledged behind the others of their level."""
    ordered = sorted(report.findings, key=lambda finding: (-finding.level.rank, finding.acknowledged is not None))
    return [_row(report, finding) for finding in ordered]


def _row(report: Report, finding: Finding) -> dict[str, str]:
    known = finding.acknowledged
    cells = {
        "level": f"{phrases.SYMBOLS[finding.level]} {finding.level}",
        "check": finding.code,
        "section": finding.section,
        "finding": finding.summary,
        "observed": quantity(finding.observed, finding.unit),
        "next": f"known until {known.until}: {known.reason}" if known else finding.action,
        "since last report": phrases.move(report, finding),
    }
    return {column: one_line(text, _MOST_TEXT) for column, text in cells.items()}
