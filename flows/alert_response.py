"""The guide's Alert Response Procedures, both severities: what a person does first, done by machine."""

import datetime as dt
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.parameters import TargetName
from atomops.probes.parts import HEALTH, INCIDENTS, LOGS, NOTIFY, POSTGRES, REDIS
from tasks.judge import judge
from tasks.probe import look_at, outcome_of
from tasks.publish import final_state, publish
from tasks.respond import respond, since_the_alert, worth_looking_at, write_tickets
from tasks.target import load_target

PARTS = (INCIDENTS, HEALTH, LOGS, POSTGRES, REDIS, NOTIFY)


@flow(name="alert-response", flow_run_name="alert-response-{target}")
async def alert_response(target: TargetName = "production") -> State[Any]:
    """Acknowledge every alert, tell whoever is on call once, and find out what an engineer would look at first.

    Health, error logs since the alert began, database, Redis, changes and releases before it, and what a rollback would
    be: prepared, and not run. A warning that persists gets the text of a ticket. Nothing of the target is changed.
    Runbook: docs/runbook/alert-response.md

    Args:
        target: The installation whose alerts are responded to, as the inventory calls it.
    """
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    incidents = await outcome_of("the incidents", respond(world))
    parts = worth_looking_at(incidents)
    outcomes = [incidents, *await look_at(parts[1:], since_the_alert(world, incidents))]
    report = await judge("alert-response", world, parts, outcomes, started_at)
    published = await publish(report, world, [], tells_by_itself=True)
    await write_tickets(incidents, published, world)
    return final_state(published)
