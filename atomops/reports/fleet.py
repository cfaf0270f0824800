"""What a report of many targets has of its own: its sentence, its grade, and its table. Pure."""

from dataclasses import replace

from atomops.facts.fleet import FleetFacts
from atomops.humane import plural
from atomops.reports.grade import grade
from atomops.reports.report import Report
from atomops.reports.strings import one_line
from atomops.verdict import Level

_MOST_TEXT = 160  # characters of the worst target's own sentence


def of_fleet(report: Report, seen: FleetFacts) -> Report:
    """The report with the sentence and the grade of its targets instead of those of its few findings."""
    levels = [look.level for look in seen.looks]
    return replace(report, summary=sentence(seen), grade=grade(levels, of=len(levels)))


def sentence(seen: FleetFacts) -> str:
    """How many targets are how bad, and the worst one in its own words."""
    worst, total = seen.looks[0], plural(len(seen.looks), "target")
    if worst.level is Level.OK:
        return f"All is well in {total}"
    words = {Level.CRITICAL: "critical", Level.UNKNOWN: "unknown", Level.WARNING: "with warnings", Level.OK: "well"}
    counted = [f"{len(seen.of(level))} {word}" for level, word in words.items() if seen.of(level)]
    return f"{total}: {', '.join(counted)}; {worst.target}: {one_line(worst.summary, _MOST_TEXT)}"


def fleet_rows(seen: FleetFacts) -> list[dict[str, str]]:
    """A row a target, the worst first, for a table."""
    return [
        {
            "target": look.target,
            "level": str(look.level),
            "grade": look.grade or "-",
            "summary": look.summary,
            "new": ", ".join(look.new),
            "seconds": f"{look.seconds:.1f}",
        }
        for look in seen.looks
    ]
