"""What alerts tell of: what is open, what ended, and what was changed before it began."""

from collections.abc import Iterable, Iterator, Sequence

from atomops.facts.incidents import Incident, IncidentFacts
from atomops.facts.outcome import Outcome
from atomops.humane import plural, span
from atomops.plans.telling import identity
from atomops.registry import check
from atomops.reports.report import stamp
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen, known

SECTION, CHANGES = "Incidents", "Changes before"
_GUIDE, _DEFAULT, _INFORMATION = "operations guide", "Atom Ops default", "information"
_SHOWN = 40  # rows of evidence
_COLUMNS = ("alert", "severity", "since", "lasts", "what it says", "state")


@check("INCIDENT-KEPT", section=SECTION, critical=1, unit="failures", source=_DEFAULT)
def kept(outcome: Outcome[IncidentFacts]) -> Reading:
    """The alerts could be put in order, and are kept."""
    return outcome.reachable("the history of incidents")


@check("INCIDENT-CRITICAL", section=SECTION, critical=1, unit="alerts", source=_GUIDE)
def critical(seen: IncidentFacts) -> Reading:
    """No critical alert is open; whoever is on call is told once of each."""
    found = [each for each in seen.open if seen.is_critical(each)]
    if not found:
        return _none_open(seen, "no critical alert is open")
    action = "read what was found out below, the worst first; what a rollback would be is under ALERT-ROLLBACK"
    if not seen.on_call:
        action += "; nobody has been told: name channels in […notify]"
    return Reading(len(found), _named(found, seen), action=action, evidence=_table(found, seen))


@check("INCIDENT-WARNING", section=SECTION, warning=1, unit="alerts", source=_GUIDE)
def warning(seen: IncidentFacts) -> Reading:
    """No other alert is open."""
    found = [each for each in seen.open if not seen.is_critical(each)]
    if not found:
        return _none_open(seen, "no warning is open")
    action = "look for its cause in what was found out below, and write down what you find"
    return Reading(len(found), _named(found, seen), action=action, evidence=_table(found, seen))


def _none_open(seen: IncidentFacts, told: str) -> Reading:
    """Nothing is open, by whoever would have said so: where nobody would, it is unknown."""
    if seen.is_heard:
        return Reading(0, told)
    reason = "nobody could be asked what fires, and no webhook has told us of an alert within a week"
    action = "name prometheus.alertmanager_url, or let Alertmanager tell us: docs/notifications.md"
    raise NotSeen(seen.unasked or Unseen(reason, action))


@check("INCIDENT-PERSISTS", section=SECTION, warning=1, unit="alerts", source=_GUIDE)
def persists(seen: IncidentFacts) -> Reading:
    """No warning lasts so long that it needs a ticket; the text for one is written, ready to be pasted."""
    found = [each for each in seen.open if not seen.is_critical(each) and seen.persists(each)]
    within = span(seen.ticket_after)
    if not found:
        return Reading(0, f"no warning lasts longer than {within}")
    told = f"{plural(len(found), 'warning')} {'last' if len(found) > 1 else 'lasts'} longer than {within}"
    action = "open a ticket: its text is the artifact ticket-… of the run that wrote it"
    return Reading(len(found), f"{told}: {_names(found)}", action=action, evidence=_table(found, seen))


@check("INCIDENT-ACKNOWLEDGED", section=SECTION, warning=300, unit="s", source=_DEFAULT)
def acknowledged(seen: IncidentFacts) -> Reading:
    """Each alert was looked into soon after it began, by its own clock."""
    new = [each for each in seen.open if identity(each) in seen.new]
    if not new:
        return Reading(0, "no alert is new")
    slowest = max(new, key=_waited)
    return Reading(
        _waited(slowest),
        f"{plural(len(new), 'new alert')} acknowledged, {slowest.name} {span(_waited(slowest))} after it began",
        action="look at the receiver, at group_wait of Alertmanager, and whether a worker is there",
    )


def _waited(incident: Incident) -> float:
    return max(0.0, (incident.acknowledged - incident.began).total_seconds())


@check("INCIDENT-RESOLVED", section=SECTION, unit="alerts", source=_INFORMATION)
def resolved(seen: IncidentFacts) -> Reading:
    """What has ended since the last look."""
    if not seen.resolved:
        return Reading(0, "none has ended since the last look")
    told = f"{plural(len(seen.resolved), 'alert')} ended: {_names(seen.resolved)}"
    return Reading(len(seen.resolved), told, evidence=_table(seen.resolved, seen))


@check("INCIDENT-SPOOL-BROKEN", section=SECTION, warning=1, unit="files", source=_DEFAULT)
def spool(seen: IncidentFacts) -> Reading:
    """Everything that the receiver kept could be read; what was told twice was handled once."""
    spooled = seen.spooled
    told = f"{plural(spooled.payloads, 'payload')} with {plural(spooled.alerts, 'alert')} handled"
    told += f", {spooled.replays} of them known already" if spooled.replays else ""
    if not spooled.broken:
        return Reading(0, told)
    return Reading(
        len(spooled.broken),
        f"{plural(len(spooled.broken), 'file')} of the spool cannot be read; {told}",
        action="they are set aside as .broken in the spool: look at them, then remove them",
        evidence=Evidence.of(("file",), ([each] for each in spooled.broken[:_SHOWN])),
    )


@check("INCIDENT-SOURCES", section=SECTION, unit="sources", source=_INFORMATION)
def sources(seen: IncidentFacts) -> Reading | Gap:
    """Whoever knows what fires now was asked, so that an end that nobody told us of is seen."""
    if seen.unasked is not None:
        known(seen.unasked)
    if not seen.asked:
        return Gap(
            SECTION, "what fires now: only the webhook tells us; name prometheus.alertmanager_url to ask as well"
        )
    return Reading(len(seen.asked), f"{', '.join(seen.asked)} says what fires now")


@check("ALERT-CHANGES", section=CHANGES, unit="failures", source=_GUIDE)
def changes(seen: IncidentFacts) -> Reading | Gap:
    """What was changed before the first open alert: an incident often follows a change."""
    if not seen.open:
        return Gap(CHANGES, "no alert is open")
    found = known(seen.changes)
    within = f"within {span(seen.changes_hours * 3600)} before the first alert"
    if not found:
        return Reading(0, f"Atom Ops changed nothing {within}")
    latest = found[0]
    told = f"{plural(len(found), 'change')} {within} or since; the latest: {latest.what} at {stamp(latest.at)}"
    rows = ((stamp(each.at), each.what, each.result, each.who, each.detail) for each in found[:_SHOWN])
    return Reading(0, f"{told} ({latest.result})", evidence=Evidence.of(("at", "what", "result", "who", "plan"), rows))


@check("ALERT-RELEASE", section=CHANGES, unit="failures", source=_GUIDE)
def release(seen: IncidentFacts) -> Reading | Gap:
    """What runs now, since when, and what the runtime could go back to."""
    if not seen.open:
        return Gap(CHANGES, "the release: no alert is open")
    if isinstance(seen.runs, Unseen) and "nothing says what runs" in seen.runs.reason:
        return Gap(CHANGES, "the release: not configured: the inventory has no […runtime]")
    return Reading(0, known(seen.runs), evidence=None)


@check("ALERT-ROLLBACK", section=CHANGES, unit="failures", source=_GUIDE)
def rollback(seen: IncidentFacts) -> Reading | Gap:
    """What a rollback would be: prepared, and not run."""
    if not seen.open:
        return Gap(CHANGES, "going back: no alert is open")
    rows = ((step.what, step.exactly) for step in seen.rollback)
    told = "what a rollback would be is prepared; nothing of it was run"
    return Reading(0, told, evidence=Evidence.of(("step", "exactly"), rows))


def _named(incidents: Sequence[Incident], seen: IncidentFacts) -> str:
    longest = min(incidents, key=lambda each: each.began)
    lasts = span((seen.at - longest.began).total_seconds())
    said = f": {longest.summary}" if len(incidents) == 1 and longest.summary else ""
    verb = "fires" if len(incidents) == 1 else "fire"
    return f"{_names(incidents)} {verb}, {'' if len(incidents) == 1 else 'the oldest '}for {lasts}{said}"


def _names(incidents: Iterable[Incident]) -> str:
    names = list(dict.fromkeys(each.name for each in incidents))
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")  # noqa: PLR2004 - a line


def _table(incidents: Iterable[Incident], seen: IncidentFacts) -> Evidence:
    return Evidence.of(_COLUMNS, list(_rows(incidents, seen))[:_SHOWN])


def _rows(incidents: Iterable[Incident], seen: IncidentFacts) -> Iterator[tuple[str, ...]]:
    for each in incidents:
        lasts = span(((each.ended or seen.at) - each.began).total_seconds())
        said = each.summary or each.description
        yield each.title, each.severity, stamp(each.began), lasts, said, _state(each)


def _state(incident: Incident) -> str:
    told = "on call told" if incident.told else ""
    ticket = "ticket written" if incident.ticket else ""
    ended = f"ended {stamp(incident.ended)}" if incident.ended else f"acknowledged {stamp(incident.acknowledged)}"
    return ", ".join(filter(None, (told, ticket, ended)))
