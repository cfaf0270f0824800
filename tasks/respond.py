"""Respond to alerts: put them in order, tell whoever is on call, and look at what may have led to them."""

import datetime as dt
from dataclasses import replace

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from atomops.alerts.incidents import held, mark, put_in_order
from atomops.alerts.recent import look_around
from atomops.facts.incidents import IncidentFacts
from atomops.facts.outcome import Outcome
from atomops.inventory import Target, load_inventory
from atomops.plans import telling
from atomops.plans.ticket import ticket
from atomops.probes.parts import HEALTH, INCIDENTS, LOGS, NOTIFY, POSTGRES, REDIS, Part
from atomops.reports.report import Report
from atomops.reports.strings import one_line
from tasks.notify import link, tell

_EARLIER = dt.timedelta(minutes=10)  # before an alert begins, what it is about has been going on for a while
_LEAST, _MOST = 0.25, 24 * 31  # hours of logs
_MOST_TICKETS = 20
_KEY = 60  # characters of an alert's name in an artifact's key


@task(task_run_name="respond", cache_policy=NO_CACHE)
async def respond(target: Target) -> IncidentFacts:
    """The incidents, acknowledged and kept, with what was changed before them; whoever is on call has been told.

    Telling comes first: looking around may take a minute. Raises what `put_in_order` raises.
    """
    async with held(target):
        facts = await put_in_order(target, targets_of_inventory())
        messages = telling.tell_incidents(facts, target.name, link())
        await tell(messages, target)
        marked = telling.told(facts, dt.datetime.now(dt.UTC))
        mark(target, marked)
    facts = replace(facts, open=tuple(marked.get(telling.identity(each), each) for each in facts.open))
    return await look_around(target, facts) if facts.open else facts


def targets_of_inventory() -> tuple[Target, ...]:
    """All of them, their names in them; secrets unread. Raises InventoryError."""
    return tuple(each.model_copy(update={"name": name}) for name, each in load_inventory().targets.items())


def worth_looking_at(outcome: Outcome[IncidentFacts]) -> tuple[Part, ...]:
    """The parts of the report: where no alert is open there is nothing to be looked into."""
    is_calm = outcome.facts is not None and not outcome.facts.open
    return (INCIDENTS, NOTIFY) if is_calm else (INCIDENTS, HEALTH, LOGS, POSTGRES, REDIS, NOTIFY)


def since_the_alert(target: Target, outcome: Outcome[IncidentFacts]) -> Target:
    """The target whose error logs are read from shortly before the first open alert on."""
    if outcome.facts is None or not outcome.facts.open or target.logs is None:
        return target
    first = min(each.began for each in outcome.facts.open) - _EARLIER
    hours = (outcome.facts.at - first).total_seconds() / 3600
    logs = target.logs.model_copy(update={"hours": min(_MOST, max(_LEAST, hours))})
    return target.model_copy(update={"logs": logs})


@task(task_run_name="tickets", cache_policy=NO_CACHE)
async def write_tickets(outcome: Outcome[IncidentFacts], report: Report, target: Target) -> None:
    """Every warning that persists has a ticket text, once, as an artifact of its own; whom it concerns is told.

    Call it once the report is published: the text says what was found out. Raises PermanentError.
    """
    facts = outcome.facts
    lasting = [each for each in facts.open if telling.needs_ticket(facts, each)] if facts else []
    if facts is None or not lasting:
        return
    for each in lasting[:_MOST_TICKETS]:
        key = f"ticket-{target.name}-{_as_key(each.name)}"
        await acreate_markdown_artifact(
            ticket(each, facts, report, link()), key=key, description=one_line(f"ticket: {each.title}", 200)
        )
        get_run_logger().warning("%s lasts: the text of a ticket is the artifact %s", each.title, key)
    await tell(telling.tell_tickets(facts, target.name, target.notify, link()), target)
    async with held(target):
        mark(target, telling.ticketed(facts, dt.datetime.now(dt.UTC)))


def _as_key(name: str) -> str:
    words = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower())
    return "-".join(filter(None, words.split("-")))[:_KEY] or "alert"
