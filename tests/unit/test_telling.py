"""Who is told what, and when not."""

import datetime as dt
from dataclasses import replace

import pytest

from atomops.facts.incidents import Incident, IncidentFacts, Outbox, RecentChange
from atomops.inventory import Notify
from atomops.plans.telling import (
    Message,
    failed,
    gone_out,
    owing,
    tell_incidents,
    tell_report,
    tell_tickets,
    ticketed,
    told,
)
from atomops.plans.ticket import ticket
from atomops.reports.report import Report
from atomops.verdict import Evidence, Level, Unseen
from tests.samples import NINE, finding, report_of

BOTH = Notify(critical=("slack-webhook/all", "email/us"), warning=("slack-webhook/all", "ms-teams-webhook/quiet"))
CODES = ("PG-XID-AGE", "PG-SIZE", "REDIS-LATENCY", "HTTP-LATENCY-P95", "LOG-ERRORS", "TLS-EXPIRY")


def morning(day: int, *levels: Level) -> Report:
    found = [finding(code, level) for code, level in zip(CODES, levels, strict=False)]
    return report_of(*found, at=NINE + dt.timedelta(days=day))


def subjects(outbox: Outbox) -> list[tuple[str, str]]:
    return [(each.channel.partition("/")[2], each.subject.partition(" of ")[0]) for each in outbox.owed]


def mornings(*reports: Report) -> list[list[tuple[str, str]]]:
    """What each adds, when all goes out between them."""
    outbox, added = Outbox(), []
    for report in reports:
        outbox = tell_report(outbox, report, BOTH, "http://ui/run")
        added.append(subjects(outbox))
        for each in outbox.owed:
            outbox = gone_out(outbox, each, report.finished_at)
    return added


OK, WARNING, UNKNOWN, CRITICAL = Level.OK, Level.WARNING, Level.UNKNOWN, Level.CRITICAL
BAD = [("all", "CRITICAL: morning-checklist"), ("us", "CRITICAL: morning-checklist")]
OVER = [("all", "RESOLVED: morning-checklist"), ("us", "RESOLVED: morning-checklist")]
WARNED = [("all", "WARNING: morning-checklist"), ("quiet", "WARNING: morning-checklist")]
CALM = [("all", "RESOLVED: morning-checklist"), ("quiet", "RESOLVED: morning-checklist")]


@pytest.mark.parametrize(
    ("levels", "added"),
    [
        ([OK, OK], [[], []]),
        ([CRITICAL, CRITICAL, OK, OK], [BAD, [], OVER, []]),
        ([WARNING, WARNING, OK], [WARNED, [], CALM]),
        ([CRITICAL, UNKNOWN, CRITICAL, OK], [BAD, [], [], OVER]),
        ([CRITICAL, WARNING, OK], [BAD, [*OVER, WARNED[1]], CALM]),
        ([WARNING, CRITICAL, OK], [WARNED, BAD, OVER]),
        ([UNKNOWN, OK], [[(name, said.replace("WARNING", "UNKNOWN")) for name, said in WARNED], CALM]),
    ],
)
def test_each_incident_is_told_once_and_its_end_too(levels: list[Level], added: list[list[tuple[str, str]]]) -> None:
    assert mornings(*(morning(day, level) for day, level in enumerate(levels))) == added


def test_another_critical_finding_is_told_although_the_report_was_critical_before() -> None:
    first, second, third = mornings(morning(0, CRITICAL), morning(1, CRITICAL, CRITICAL), morning(2, CRITICAL))
    assert (first, second, third) == (BAD, BAD, [])


def test_the_body_says_what_to_do_and_where_to_read_on() -> None:
    outbox = tell_report(Outbox(), morning(0, *[CRITICAL] * 6), BOTH, "http://ui/run")
    body = outbox.owed[0].body
    assert "and 1 more" in body
    assert body.endswith(": http://ui/run")
    unlinked = tell_report(Outbox(), report_of(finding(level=CRITICAL, action="act")), BOTH, "").owed[0].body
    assert "-> act" in unlinked
    assert unlinked.endswith("Z on ops-1")


def test_what_was_sent_or_waits_is_not_put_in_twice_and_the_oldest_of_too_many_go() -> None:
    message = Message("key", ("a/b",), "subject", "body")
    outbox = owing(Outbox(), [message, message], NINE)
    assert owing(outbox, [message], NINE) == outbox
    (owed,) = failed(outbox, outbox.owed[0], "away").owed
    assert (owed.attempts, owed.error) == (1, "away")
    sent = gone_out(outbox, owed, NINE)
    assert owing(sent, [message], NINE).owed == ()
    assert owing(sent, (), NINE + dt.timedelta(days=15)).sent == {}
    many = owing(Outbox(), [replace(message, key=str(number)) for number in range(501)], NINE)
    assert (len(many.owed), many.owed[0].key) == (500, "1")
    assert failed(many, many.owed[1], "away").owed[0] == many.owed[0]


def incident(name: str = "HighErrorRate", severity: str = "critical", **changed: object) -> Incident:
    began = NINE - dt.timedelta(hours=2)
    made = Incident(name, name, severity, {"job": "atom"}, began, began, summary=f"{name} is bad")
    return replace(made, **changed)  # type: ignore[arg-type]


def facts(*incidents: Incident, **changed: object) -> IncidentFacts:
    still_open = tuple(each for each in incidents if each.is_open)
    closed = tuple(each for each in incidents if not each.is_open)
    made = IncidentFacts(NINE, ("critical",), 3600, 24, still_open, closed, on_call=("pager-duty-webhook/us",))
    return replace(made, **changed)  # type: ignore[arg-type]


def test_whoever_is_on_call_is_told_once_of_a_critical_alert_and_of_its_end() -> None:
    seen = facts(incident(), incident("Slow", "warning"))
    (message,) = tell_incidents(seen, "berlin", "http://ui")
    assert message.channels == ("pager-duty-webhook/us",)
    assert message.subject == "ALERT: HighErrorRate on berlin"
    assert "What was found out: http://ui" in message.body
    after = tuple(told(seen, NINE).values())
    assert [each.told for each in after] == [NINE]
    assert tell_incidents(facts(*after), "berlin", "") == ()
    over = facts(replace(after[0], ended=NINE), incident("Never told", ended=NINE))
    (end,) = tell_incidents(over, "berlin", "")
    assert end.subject == "RESOLVED: HighErrorRate on berlin"
    assert "ended 2026-11-24T08:00:03Z after 2 hours" in end.body
    assert [each.closing_told for each in told(over, NINE).values()] == [True]
    assert tell_incidents(facts(*told(over, NINE).values()), "berlin", "") == ()
    assert told(replace(seen, on_call=()), NINE) == {}  # nobody was there to be told


def test_a_flood_is_one_message() -> None:
    flood = [incident(f"A{number % 5}", key=str(number), summary="") for number in range(30)]
    (message,) = tell_incidents(facts(*flood), "berlin", "")
    assert message.subject == "ALERT: A0, A1, A2 and 2 more (30 alerts) on berlin"
    assert message.body.endswith("and 20 alerts more")


def test_a_warning_that_persists_gets_one_ticket() -> None:
    slow = incident("Slow", "warning", description="p95 is\nhigh", source="http://prometheus/rule")
    fresh = incident("Fresh", "", began=NINE - dt.timedelta(minutes=5))
    seen = facts(slow, fresh, incident())
    (message,) = tell_tickets(seen, "berlin", BOTH, "http://ui")
    assert message.subject == "TICKET: Slow on berlin lasts longer than 1 hour"
    (after,) = ticketed(seen, NINE).values()
    assert after.ticket == NINE
    assert tell_tickets(facts(after), "berlin", BOTH, "") == ()
    report = report_of(finding(level=WARNING, action="vacuum"), finding("PG-SIZE"))
    text = ticket(slow, seen, report, "http://ui")
    assert text.startswith("# Slow (job=atom) on production fires since 2026-11-24T06:00:03Z\n")
    assert "> p95 is high" in text
    assert "Rule: http://prometheus/rule" in text
    assert "- **WARNING** `PG-XID-AGE`:" in text
    assert "(vacuum)" in text
    assert "- nothing by Atom Ops within 1 day" in text
    assert "Report: http://ui" in text


def test_a_ticket_has_the_applications_own_words() -> None:
    columns = ("level", "code", "count", "what", "sample", "logger", "last (UTC)")
    row = ("ERROR", "DB_001", "12", "connection lost", "connection\nlost", "core.db", "2026-11-24 08:00")
    logged = replace(finding("LOG-ERRORS"), summary="12 errors in 1 h", evidence=Evidence(columns, (row,)))
    text = ticket(incident("Slow", ""), facts(), report_of(logged), "")
    assert "## What the application logged\n12 errors in 1 h\n- 12 x connection lost (last 2026-11-24 08:00)" in text


def test_a_ticket_tells_changes_and_what_is_unknown() -> None:
    change = RecentChange(NINE, "restart-service", "ada on ops-1", "done")
    bare = replace(incident("Slow", ""), summary="")
    text = ticket(bare, facts(bare, changes=(change,)), report_of(finding()), "")
    assert "- 2026-11-24T08:00:03Z restart-service: done, by ada on ops-1" in text
    assert "- nothing else is wrong in 1 checks" in text
    assert "Report: morning-checklist of 2026-11-24T08:00:05Z on ops-1" in text
    unseen = facts(bare, changes=Unseen("the trail cannot be read"))
    assert "- unknown: the trail cannot be read" in ticket(bare, unseen, report_of(finding()), "")
