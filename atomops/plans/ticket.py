"""The text of a ticket for a warning that persists, ready to be pasted. Pure."""

from collections.abc import Iterator

from atomops.facts.incidents import Incident, IncidentFacts
from atomops.humane import span
from atomops.reports.report import Report, stamp
from atomops.verdict import Level, Unseen

_MOST = 10
_ERRORS = "LOG-ERRORS"


def ticket(incident: Incident, facts: IncidentFacts, report: Report, link: str) -> str:
    """Markdown: what fires, for how long, what was found out, what was changed before, and what to do next."""
    return "\n".join(_lines(incident, facts, report, link)) + "\n"


def _lines(incident: Incident, facts: IncidentFacts, report: Report, link: str) -> Iterator[str]:
    lasts = span((facts.at - incident.began).total_seconds())
    yield f"# {incident.title} on {report.target} fires since {stamp(incident.began)}"
    yield ""
    yield f"A {incident.severity or 'warning'} that has lasted for {lasts}, longer than {span(facts.ticket_after)}."
    for text in filter(None, (incident.summary, incident.description)):
        yield f"\n> {' '.join(text.split())}"
    if incident.source:
        yield f"\nRule: {incident.source}"
    yield f"\nAcknowledged: {stamp(incident.acknowledged)}, by {report.flow}"
    yield "\n## What was found out"
    bad = [each for each in report.findings if each.level is not Level.OK and each.section != "Incidents"]
    for each in bad[:_MOST]:
        yield f"- **{each.level}** `{each.code}`: {each.summary}" + (f" ({each.action})" if each.action else "")
    if not bad:
        yield f"- nothing else is wrong in {len(report.findings)} checks"
    yield from _errors(report)
    yield "\n## What was changed before"
    if isinstance(facts.changes, Unseen):
        yield f"- unknown: {facts.changes.reason}"
    else:
        for change in facts.changes[:_MOST]:
            yield f"- {stamp(change.at)} {change.what}: {change.result}, by {change.who}"
        if not facts.changes:
            yield f"- nothing by Atom Ops within {span(facts.changes_hours * 3600)}"
    yield f"\nReport: {link or f'{report.flow} of {stamp(report.finished_at)} on {report.run.host}'}"


def _errors(report: Report) -> Iterator[str]:
    """The application's own words since shortly before the alert: no limit judges how many are too many."""
    logged = next((each for each in report.findings if each.code == _ERRORS and each.evidence), None)
    if logged is None or logged.evidence is None:
        return
    yield f"\n## What the application logged\n{logged.summary}"
    columns = logged.evidence.columns
    for row in logged.evidence.rows[:_MOST]:
        told = dict(zip(columns, row, strict=True))
        yield f"- {told['count']} x {' '.join(told['sample'].split())} (last {told['last (UTC)']})"
