"""The findings as rows for a Prefect table artifact, which shows ten at a time: the worst come first."""

from atomops.humane import quantity
from atomops.reports.report import Report


def rows(report: Report) -> list[dict[str, str]]:
    """One row a finding, the worst first."""
    ordered = sorted(report.findings, key=lambda finding: -finding.level.rank)
    return [
        {
            "level": str(finding.level),
            "code": finding.code,
            "section": finding.section,
            "summary": finding.summary,
            "observed": quantity(finding.observed, finding.unit),
            "next": finding.action,
        }
        for finding in ordered
    ]
