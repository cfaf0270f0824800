"""A report is told once an incident, and what could not be delivered is owed and sent later."""

import asyncio
import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.blocks.system import Secret

from atomops.facts.incidents import Outbox
from atomops.inventory import Target
from atomops.probes.parts import NOTIFY
from atomops.reports.report import Report
from atomops.stores.outbox import outbox_path, read_outbox
from atomops.verdict import Level
from tasks.publish import publish
from tests import targets
from tests.hooks import Hook, hook
from tests.samples import NINE, finding, report_of

TOKEN = "hunter2-of-the-hook"


@pytest.fixture
def told() -> Iterator[Hook]:
    """A webhook, and its block on the server of the harness."""
    with hook() as running:
        block: Any = CustomWebhookNotificationBlock
        made = block(
            name="test",
            url=f"{running.url}?token={{{{ token }}}}",
            json_data={"subject": "{{ subject }}", "text": "{{ body }}"},
            secrets={"token": TOKEN},
        )

        async def save() -> None:
            await made.asave("atomops-test", overwrite=True)
            await Secret(value="no channel").asave("not-a-channel", overwrite=True)

        asyncio.run(save())
        yield running


def at(folder: Path, *channels: str) -> Target:
    notify = {"critical": channels or ("custom-webhook/atomops-test",), "timeout": 20}
    return targets.target(history=folder, notify=notify).model_copy(update={"name": "production"})


def publish_as(level: Level, target: Target, days: int = 0) -> Report:
    report = report_of(finding("PG-XID-AGE", level, summary=f"it is {level}"), at=NINE + dt.timedelta(days=days))

    @flow(name="publishing")
    async def publishing() -> Report:
        return await publish(replace(report, target="production"), target, [])

    async def whole() -> Report:
        return await publishing()

    return asyncio.run(whole())


def test_a_channel_that_is_away_costs_the_report_nothing_and_is_told_when_it_is_back(
    told: Hook, tmp_path: Path
) -> None:
    target = at(tmp_path)
    told.stop()
    assert publish_as(Level.CRITICAL, target).level is Level.CRITICAL
    assert len(list((tmp_path / "production" / "morning-checklist").glob("*.json"))) == 1
    (owed,) = read_outbox(target).owed
    assert owed.error == "ConnectError: All connection attempts failed"
    assert TOKEN not in outbox_path(target).read_text()
    seen = targets.look(NOTIFY, target)
    assert targets.findings(NOTIFY, seen)["NOTIFY-OWED"].level is Level.WARNING

    told.start()
    publish_as(Level.CRITICAL, target, days=1)
    assert told.subjects() == [
        "CRITICAL: morning-checklist of production: 1 critical among 1 check; Database: it is CRITICAL"
    ]
    assert read_outbox(target).owed == ()
    publish_as(Level.UNKNOWN, target, days=2)
    publish_as(Level.OK, target, days=3)
    assert told.subjects()[1:] == ["RESOLVED: morning-checklist of production is OK again, CRITICAL for 3 days"]


def test_a_block_that_is_not_there_or_is_no_channel_is_told_by_its_name(told: Hook, tmp_path: Path) -> None:
    target = at(tmp_path, "slack-webhook/nobody", "secret/not-a-channel", "custom-webhook/atomops-test")
    publish_as(Level.CRITICAL, target)
    assert [each.error for each in read_outbox(target).owed] == [
        "this Prefect server has no such block: atomops automations apply creates it",
        "it is no notification block",
    ]
    assert len(told.told) == 1


def test_an_outbox_that_says_nothing_costs_the_report_nothing(tmp_path: Path) -> None:
    target = at(tmp_path)
    outbox_path(target).parent.mkdir(parents=True)
    outbox_path(target).write_text("{")
    assert publish_as(Level.CRITICAL, target).level is Level.CRITICAL


def test_nobody_to_tell_is_no_outbox(tmp_path: Path) -> None:
    target = targets.target(history=tmp_path).model_copy(update={"name": "production"})
    publish_as(Level.CRITICAL, target)
    assert read_outbox(target) == Outbox()
    assert not outbox_path(target).exists()
