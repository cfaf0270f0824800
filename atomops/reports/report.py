"""A report: a flow's findings about a target, and how they differ from the last time. Everything is drawn from it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import AwareDatetime

from atomops.verdict import Evidence, Finding, Gap, Level

SCHEMA = 1
Point = tuple[str, float]


def stamp(moment: dt.datetime) -> str:
    """The moment in UTC to the second, as reports write it: 2026-11-24T09:00:03Z, which `jq` calls a date."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Changes:
    """Codes of checks, compared with the last report. `unchanged` counts the findings that are as they were."""

    new: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    better: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    unchanged: int = 0


@dataclass(frozen=True)
class Run:
    """Where and by what the report was made."""

    flow_run_id: str
    host: str
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """`findings` are in the order of the flow's sections, the worst first in each. Times are UTC.

    `trends` are series by name, the oldest point first, each a time ("...Z") and a value.
    """

    flow: str
    target: str
    level: Level
    grade: str
    started_at: AwareDatetime
    finished_at: AwareDatetime
    summary: str
    changes: Changes
    findings: tuple[Finding, ...]
    not_checked: tuple[Gap, ...]
    trends: Mapping[str, tuple[Point, ...]]
    run: Run
    schema: int = SCHEMA

    @property
    def key(self) -> str:
        """The stable key of its artifacts."""
        return f"{self.flow}-{self.target}"

    @property
    def to_do(self) -> list[tuple[Finding, tuple[str, ...]]]:
        """What somebody must look at, the worst first, of those what is new: not OK, and not acknowledged.

        Findings that say the same (a server that does not answer) come once, with the codes of the others beside it.
        """
        open_ones = [each for each in self.findings if each.level is not Level.OK and each.acknowledged is None]
        causes: dict[tuple[str, str], list[Finding]] = {}
        for finding in sorted(open_ones, key=lambda each: (-each.level.rank, each.code not in self.changes.new)):
            causes.setdefault((finding.summary, finding.action), []).append(finding)
        return [(first, tuple(other.code for other in others)) for first, *others in causes.values()]

    @property
    def acknowledged(self) -> list[Finding]:
        """What somebody has decided to live with."""
        return [each for each in self.findings if each.level is not Level.OK and each.acknowledged is not None]

    @property
    def passed(self) -> list[Finding]:
        """What was looked at and is well."""
        return [each for each in self.findings if each.level is Level.OK]

    @property
    def shown(self) -> list[tuple[Finding, Evidence]]:
        """What is well and has more to show than a sentence: the rows that the guide has people read."""
        return [(each, each.evidence) for each in self.passed if each.evidence and each.evidence.rows]

    @property
    def sections(self) -> list[str]:
        """The sections that have findings, in order."""
        return list(dict.fromkeys(finding.section for finding in self.findings))
