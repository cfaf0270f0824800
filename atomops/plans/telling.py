"""Who is told what, and when not: one message an incident, and one when it is over. Pure."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from atomops.facts.incidents import Incident, IncidentFacts, Outbox, Owed, Told
from atomops.humane import plural, span
from atomops.inventory import Notify
from atomops.reports.report import Report, stamp
from atomops.reports.strings import one_line
from atomops.verdict import Level

_MOST_FINDINGS = 5
_MOST_INCIDENTS = 10
_SUBJECT = 200  # characters
_REMEMBERED = dt.timedelta(days=14)  # keys of what has been sent
_MOST_OWED = 500


@dataclass(frozen=True)
class Message:
    """What somebody is told. Two with the same key are the same message."""

    key: str
    channels: tuple[str, ...]
    subject: str
    body: str


def owing(outbox: Outbox, messages: Iterable[Message], at: dt.datetime) -> Outbox:
    """The outbox with the messages in it. One that went out, or waits there already, is not put in twice.

    More than 500 are never owed: the oldest go, since a channel that is away for so long needs no history told.
    """
    owed = list(outbox.owed)
    for message in messages:
        known = {(each.key, each.channel) for each in owed}
        new = [each for each in message.channels if (message.key, each) not in known]
        unsent = [each for each in new if _sent(message.key, each) not in outbox.sent]
        owed += [Owed(message.key, channel, message.subject, message.body, at) for channel in unsent]
    sent = {key: when for key, when in outbox.sent.items() if at - when < _REMEMBERED}
    return replace(outbox, owed=tuple(owed[-_MOST_OWED:]), sent=sent)


def gone_out(outbox: Outbox, message: Owed, at: dt.datetime) -> Outbox:
    """The outbox without the message."""
    rest = tuple(each for each in outbox.owed if not _same(each, message))
    return replace(outbox, owed=rest, sent={**outbox.sent, _sent(message.key, message.channel): at})


def failed(outbox: Outbox, message: Owed, error: str) -> Outbox:
    """The outbox in which the message says why it still is there."""
    told = replace(message, attempts=message.attempts + 1, error=error)
    return replace(outbox, owed=tuple(told if _same(each, message) else each for each in outbox.owed))


def _same(one: Owed, other: Owed) -> bool:
    return (one.key, one.channel) == (other.key, other.channel)


def _sent(key: str, channel: str) -> str:
    return f"{key} {channel}"


def tell_report(outbox: Outbox, report: Report, notify: Notify, link: str) -> Outbox:
    """The outbox once the report is told to whom it concerns: that something is bad, is worse, or is over.

    UNKNOWN after CRITICAL ends nothing: nobody has seen that it is well.
    """
    before = outbox.told.get(report.flow)
    after, messages = _moved(before, report, notify, link)
    told = {flow: each for flow, each in outbox.told.items() if flow != report.flow}
    if after is not None:
        told[report.flow] = after
    return owing(replace(outbox, told=told), messages, report.finished_at)


def _moved(before: Told | None, report: Report, notify: Notify, link: str) -> tuple[Told | None, list[Message]]:
    codes = tuple(finding.code for finding, _ in report.to_do if finding.level is Level.CRITICAL)
    was_critical = before is not None and before.level == Level.CRITICAL
    if report.level is Level.CRITICAL:
        known = before.codes if before is not None and was_critical else ()
        new = tuple(code for code in codes if code not in known)
        since = before.since if before is not None and was_critical else report.finished_at
        after = Told(Level.CRITICAL, since, tuple(dict.fromkeys((*known, *codes))))
        return after, [_bad(report, notify.critical, link, new)] if new or not was_critical else []
    if was_critical and report.level is Level.UNKNOWN:
        return before, []
    over = [_over(before, report, notify.critical, link)] if before is not None and was_critical else []
    if report.level is Level.OK:
        calm = before is not None and not was_critical
        return None, [_over(before, report, notify.warning, link)] if before is not None and calm else over
    if before is not None and not was_critical:
        return before, []
    # Channels that have just been told that it is only a warning now need no second message.
    others = tuple(each for each in notify.warning if not over or each not in notify.critical)
    return Told(Level.WARNING, report.finished_at), [*over, _bad(report, others, link, ())]


def _bad(report: Report, channels: tuple[str, ...], link: str, new: Sequence[str]) -> Message:
    key = f"{report.flow} {report.level} {stamp(report.finished_at)}"
    subject = f"{report.level}: {report.flow} of {report.target}: {report.summary}"
    return Message(key, channels, one_line(subject, _SUBJECT), "\n".join(_body(report, link, new)))


def _body(report: Report, link: str, new: Sequence[str]) -> Iterator[str]:
    yield report.summary
    shown = [finding for finding, _ in report.to_do if not new or finding.code in new] or [
        finding for finding, _ in report.to_do
    ]
    for finding in shown[:_MOST_FINDINGS]:
        yield ""
        yield f"{finding.level} {finding.code}: {finding.summary}"
        if finding.action:
            yield f"-> {finding.action}"
        yield f"   {finding.runbook}"
    if len(shown) > _MOST_FINDINGS:
        yield f"and {len(shown) - _MOST_FINDINGS} more"
    yield ""
    yield _where(report, link)


def _where(report: Report, link: str) -> str:
    made = f"{stamp(report.finished_at)} on {report.run.host}"
    return f"{made}: {link}" if link else made


def _over(before: Told, report: Report, channels: tuple[str, ...], link: str) -> Message:
    lasted = span((report.finished_at - before.since).total_seconds())
    key = f"{report.flow} RESOLVED {stamp(report.finished_at)}"
    subject = f"RESOLVED: {report.flow} of {report.target} is {report.level} again, {before.level} for {lasted}"
    return Message(key, channels, subject, f"{report.summary}\n\n{_where(report, link)}")


def tell_incidents(facts: IncidentFacts, target: str, link: str) -> tuple[Message, ...]:
    """What the on-call channels are given: critical alerts that they have not been told of, and the ends of those.

    One message for all that began, or ended, at this look: a flood is one message.
    """
    new = [each for each in facts.open if facts.is_critical(each) and each.told is None]
    over = [each for each in facts.resolved if each.told is not None and not each.closing_told]
    messages = []
    if new:
        subject = f"ALERT: {_named(new)} on {target}"
        messages.append(_about("alert", facts.on_call, subject, new, facts, link))
    if over:
        subject = f"RESOLVED: {_named(over)} on {target}"
        messages.append(_about("resolved", facts.on_call, subject, over, facts, link))
    return tuple(messages)


def tell_tickets(facts: IncidentFacts, target: str, notify: Notify, link: str) -> tuple[Message, ...]:
    """What the warning channels are given: warnings that have lasted so long that they need a ticket."""
    lasting = [each for each in facts.open if needs_ticket(facts, each)]
    if not lasting:
        return ()
    subject = f"TICKET: {_named(lasting)} on {target} lasts longer than {span(facts.ticket_after)}"
    return (_about("ticket", notify.warning, subject, lasting, facts, link),)


def needs_ticket(facts: IncidentFacts, incident: Incident) -> bool:
    """A warning that persists, of which no ticket text has been written yet."""
    return not facts.is_critical(incident) and facts.persists(incident) and incident.ticket is None


def _about(  # noqa: PLR0913, PLR0917 - what a message is made of
    kind: str, channels: tuple[str, ...], subject: str, incidents: Sequence[Incident], facts: IncidentFacts, link: str
) -> Message:
    digest = hashlib.sha256()
    for each in incidents:
        digest.update(f"{each.key} {each.began.timestamp()}\n".encode())
    lines = [line for each in incidents[:_MOST_INCIDENTS] for line in _lines(each, facts.at)]
    if len(incidents) > _MOST_INCIDENTS:
        lines.append(f"and {plural(len(incidents) - _MOST_INCIDENTS, 'alert')} more")
    if link:
        lines += ["", f"What was found out: {link}"]
    key = f"{kind} {digest.hexdigest()[:16]}"
    return Message(key, channels, one_line(subject, _SUBJECT), "\n".join(lines))


def _named(incidents: Sequence[Incident]) -> str:
    names = list(dict.fromkeys(each.name for each in incidents))
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004 - fits a line
    return shown if len(incidents) == len(names) else f"{shown} ({plural(len(incidents), 'alert')})"


def _lines(incident: Incident, at: dt.datetime) -> Iterator[str]:
    until = incident.ended or at
    lasted = span((until - incident.began).total_seconds())
    state = f"ended {stamp(incident.ended)} after {lasted}" if incident.ended else f"for {lasted}"
    yield f"{incident.severity or 'no severity'}: {incident.title}, since {stamp(incident.began)}, {state}"
    if incident.summary:
        yield f"   {incident.summary}"


def told(facts: IncidentFacts, at: dt.datetime) -> Mapping[str, Incident]:
    """The incidents as they are once all of this has been put into the outbox, by key and beginning.

    Where there is no channel nobody has been told, and nothing changes.
    """
    changed: dict[str, Incident] = {}
    for each in (*facts.open, *facts.resolved):
        after = each
        if facts.on_call and each.is_open and facts.is_critical(each) and each.told is None:
            after = replace(after, told=at)
        if not each.is_open and each.told is not None:
            after = replace(after, closing_told=True)
        if after is not each:
            changed[identity(each)] = after
    return changed


def ticketed(facts: IncidentFacts, at: dt.datetime) -> Mapping[str, Incident]:
    """The incidents whose ticket texts have been written by now, as `told` gives them."""
    return {identity(each): replace(each, ticket=at) for each in facts.open if needs_ticket(facts, each)}


def identity(incident: Incident) -> str:
    """What tells an incident from every other, earlier ones of the same alert too."""
    return f"{incident.key} {incident.began.timestamp()}"
