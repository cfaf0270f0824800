"""Alerts as Prefect runs the response to them: on a real database, with a channel, from the spool to the ticket."""

import datetime as dt
from functools import cache
from pathlib import Path

import pytest

from atomops.alerts import spool
from atomops.alerts.incidents import incidents_path, read_incidents
from atomops.facts.incidents import Signal
from atomops.plans.signals import signal
from atomops.scratch.postgres import PostgresServer
from atomops.stores.outbox import read_outbox
from atomops.verdict import Level
from flows.alert_response import alert_response
from tests.flows.running import artifacts, run, write
from tests.flows.test_notify import told
from tests.hooks import Hook
from tests.targets import target

__all__ = ["told"]
pytestmark = pytest.mark.slow(12)
NOTIFY = 'critical = ["custom-webhook/atomops-test"]\nwarning = ["custom-webhook/atomops-test"]'


@cache
def now() -> dt.datetime:
    """One for all of the file, as an alert keeps its beginning; asked by a test, since reading the file is long ago."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


@pytest.fixture
def kept(inventory: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The history of a target with a database, a log with an error after the alert began, and a channel."""
    monkeypatch.setenv("PASSWORD", postgres.password)
    log = inventory.with_name("atom.log")
    lines = ((now() - dt.timedelta(hours=9), "an old one"), (now() - dt.timedelta(minutes=5), "connection lost"))
    log.write_text(
        "".join(f'{{"timestamp": "{at.isoformat()}", "level": "ERROR", "message": "{what}"}}\n' for at, what in lines)
    )
    write(
        inventory,
        postgres=f'dsn = "{postgres.dsn("postgres")}"\npassword = "env:PASSWORD"',
        logs=f'paths = ["{log}"]',
        notify=NOTIFY,
        alerts="ticket_after_minutes = 30",
    )
    return inventory.with_name("history")


def tell(history: Path, *signals: Signal) -> None:
    spool.keep(target(history=history), signals)


def alert(name: str, severity: str, *, over: bool = False) -> Signal:
    began = now() - dt.timedelta(hours=1)
    return signal(
        {"alertname": name, "severity": severity}, {"summary": f"{name} is bad"}, began, now() if over else None
    )


def test_from_the_first_alert_to_its_end(kept: Path, told: Hook) -> None:
    tell(kept, alert("HighErrorRate", "critical"), alert("Slow", "warning"))
    state, report = run(alert_response)
    found = {each.code: each for each in report.findings}
    assert state.is_failed()
    assert found["INCIDENT-CRITICAL"].summary.startswith("HighErrorRate fires, for 1 hour")
    assert found["PG-REACHABLE"].level is Level.OK
    assert found["LOG-ERRORS"].observed == 1  # the one before the alert is not of it
    assert found["ALERT-ROLLBACK"].level is Level.OK
    assert found["NOTIFY-OWED"].level is Level.OK
    (ticket,) = artifacts("ticket-test-slow")
    assert "connection lost" in ticket.data, ticket.data
    assert told.subjects() == [
        "ALERT: HighErrorRate on test",
        "TICKET: Slow on test lasts longer than 30 minutes",
    ]

    tell(kept, alert("HighErrorRate", "critical"), alert("Slow", "warning"))
    state, report = run(alert_response)
    assert len(told.told) == 2
    assert len(artifacts("ticket-test-slow")) == 1

    told.stop()
    tell(kept, alert("HighErrorRate", "critical", over=True), alert("Slow", "warning", over=True))
    state, report = run(alert_response)
    found = {each.code: each for each in report.findings}
    assert found["NOTIFY-OWED"].level is Level.WARNING
    assert found["INCIDENT-RESOLVED"].observed == 2
    assert "PG-REACHABLE" not in found
    told.start()
    state, report = run(alert_response)
    assert (state.name, report.level) == ("Completed", Level.OK)
    assert told.subjects()[2:] == ["RESOLVED: HighErrorRate on test"]
    assert read_outbox(target(history=kept)).owed == ()


def test_a_history_that_cannot_be_read_is_told_and_looked_around_all_the_same(kept: Path) -> None:
    tell(kept, alert("HighErrorRate", "critical"))
    incidents_path(target(history=kept)).write_text("{")
    state, report = run(alert_response)
    found = {each.code: each for each in report.findings}
    assert state.is_failed()
    assert found["INCIDENT-KEPT"].level is Level.CRITICAL
    assert found["PG-REACHABLE"].level is Level.OK
    assert len(spool.waiting(target(history=kept))) == 1


def test_silence_is_unknown_where_nobody_would_have_told_us(kept: Path) -> None:
    state, report = run(alert_response)
    assert state.is_completed()
    assert report.level is Level.UNKNOWN
    assert "nobody could be asked what fires" in report.summary
    assert read_incidents(target(history=kept)).incidents == ()
