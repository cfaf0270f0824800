"""Signals become incidents: opened once, closed once, whatever is told twice or in another order."""

import datetime as dt
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.facts.incidents import Incident, Signal
from atomops.inventory import Target
from atomops.plans.incidents import merge, missing_from
from atomops.plans.signals import NotAlertmanagers, read_active, read_payload, signal, target_of

NOW = dt.datetime(2026, 11, 25, 10, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def fires(name: str = "HighLatency", began: dt.datetime = NOW - HOUR, ended: dt.datetime | None = None) -> Signal:
    return signal({"alertname": name, "severity": "warning"}, {"summary": "slow"}, began, ended)


def ended(name: str = "HighLatency", began: dt.datetime = NOW - HOUR) -> Signal:
    return fires(name, began, NOW)


def test_an_alert_opens_an_incident_and_its_end_closes_it() -> None:
    first = merge((), [fires()], NOW)
    assert first.opened == first.incidents
    assert (first.incidents[0].acknowledged, first.incidents[0].summary) == (NOW, "slow")
    second = merge(first.incidents, [ended()], NOW + HOUR)
    assert [each.ended for each in second.closed] == [NOW]
    assert second.incidents == second.closed


@pytest.mark.parametrize("again", [[fires()], [ended(), ended()], [ended(), fires()]])
def test_what_is_told_again_is_handled_once(again: list[Signal]) -> None:
    once = merge((), [fires(), ended()] if len(again) > 1 else [fires()], NOW)
    twice = merge(once.incidents, again, NOW + HOUR)
    assert twice.incidents == once.incidents
    assert (twice.opened, twice.closed, twice.replays) == ((), (), len(again))


def test_a_new_beginning_after_the_end_is_another_incident() -> None:
    earlier = merge((), [fires(began=NOW - 3 * HOUR, ended=NOW - 2 * HOUR)], NOW)
    later = merge(earlier.incidents, [fires()], NOW)
    assert [each.is_open for each in later.incidents] == [False, True]
    assert len(later.opened) == 1
    again = merge(later.incidents, [ended(began=NOW - 3 * HOUR)], NOW)
    assert (again.replays, again.incidents) == (1, later.incidents)


def test_one_that_opens_and_ends_at_the_same_look_is_not_opened() -> None:
    merged = merge((), [fires(), ended()], NOW)
    assert (merged.opened, len(merged.closed)) == ((), 1)


def test_one_that_begins_anew_without_an_end_stays_the_same_incident() -> None:
    first = merge((), [fires(began=NOW - 2 * HOUR)], NOW)
    second = merge(first.incidents, [fires()], NOW)
    assert (second.opened, second.replays) == ((), 0)
    assert (second.incidents[0].began, second.incidents[0].latest) == (NOW - 2 * HOUR, NOW - HOUR)
    assert merge(second.incidents, [ended(began=NOW - 2 * HOUR)], NOW).replays == 1
    assert merge(second.incidents, [ended()], NOW).closed[0].ended == NOW


def test_one_that_ends_and_begins_anew_at_the_same_look_is_open() -> None:
    merged = merge((), [fires(began=NOW - 2 * HOUR), ended(began=NOW - 2 * HOUR), fires(began=NOW)], NOW)
    assert [each.began for each in merged.opened] == [NOW]
    assert merged.closed == ()
    assert len(merged.incidents) == 2


def test_what_fires_by_asking_opens_again_what_was_thought_to_be_over() -> None:
    told = replace(merge((), [fires()], NOW).incidents[0], told=NOW, closing_told=True, ended=NOW)
    opened = merge([told], [fires()], NOW, by_asking=True)
    assert (opened.opened[0].ended, opened.opened[0].told) == (None, None)
    kept = merge([replace(told, closing_told=False)], [fires()], NOW, by_asking=True)
    assert kept.opened[0].told == NOW
    assert merge([told], [fires()], NOW).replays == 1


def test_what_nobody_names_any_more_has_ended() -> None:
    incidents = merge((), [fires("A"), fires("B")], NOW).incidents
    gone = missing_from(incidents, [fires("A")], NOW)
    assert [each.name for each in gone] == ["B"]
    assert [each.name for each in merge(incidents, gone, NOW, by_asking=True).closed] == ["B"]


def test_closed_incidents_are_forgotten_after_a_week_and_open_ones_never() -> None:
    incidents = merge((), [fires("A"), ended("B")], NOW).incidents
    later = merge(incidents, (), NOW + 8 * 24 * HOUR)
    assert [each.name for each in later.incidents] == ["A"]


moments = st.sampled_from([NOW, NOW - HOUR, NOW - 2 * HOUR])
told = st.builds(
    lambda name, began, over: fires(name, began, NOW + HOUR if over else None),
    st.sampled_from("AB"),
    moments,
    st.booleans(),
)


@given(st.lists(told, max_size=12))
def test_the_same_signals_once_more_change_nothing(signals: list[Signal]) -> None:
    once = merge((), signals, NOW)
    twice = merge(once.incidents, signals, NOW)
    assert twice.incidents == once.incidents
    assert len({(each.key, each.began) for each in once.incidents}) == len(once.incidents)
    assert _open_keys(once.incidents) == len({each.key for each in once.incidents if each.is_open})


def _open_keys(incidents: tuple[Incident, ...]) -> int:
    """One alert is open once at the most."""
    return sum(each.is_open for each in incidents)


def payload(**changed: object) -> bytes:
    alert = {"status": "firing", "labels": {"alertname": "A"}, "startsAt": "2026-11-25T09:00:00.123456789Z"}
    return json.dumps({"version": "4", "alerts": [{**alert, **changed}]}).encode()


def test_a_payload_of_alertmanager_is_read() -> None:
    body = payload(annotations={"message": "x" * 3000}, endsAt="0001-01-01T00:00:00Z", generatorURL="http://p")
    (read,) = read_payload(body)
    assert (read.name, read.fires, read.source, len(read.summary)) == ("A", True, "http://p", 2000)
    (over,) = read_payload(payload(status="resolved", endsAt="0001-01-01T00:00:00Z", labels={"job": "x"}))
    assert (over.ended, over.name) == (over.began, "an alert without a name")
    assert over.every_label == {"job": "x", "alertname": over.name, "severity": ""}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "Invalid JSON"),
        (b"[]", "should be an object"),
        (b'{"version": "3", "alerts": []}', "version: "),
        (payload(status="burning"), "alerts.0.status"),
        (payload(labels={}), "alerts.0.labels"),
        (payload(startsAt="yesterday"), "alerts.0.startsAt"),
    ],
)
def test_what_is_no_payload_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(NotAlertmanagers, match=reason):
        read_payload(body)


def test_alertmanagers_own_list_is_the_same_alert_as_its_webhook() -> None:
    labels = {"alertname": "A", "target": "berlin"}
    (listed,) = read_active([{"labels": labels, "startsAt": "2026-11-25T09:00:00.123Z"}])
    (told,) = read_payload(payload(labels=labels))
    assert listed.key == told.key
    assert listed.every_label == {"alertname": "A", "severity": "", "target": "berlin"}


def test_an_alert_is_for_the_target_that_its_label_names_else_the_first_that_matches_else_the_only_one() -> None:
    berlin = Target(name="berlin", alerts={"match": {"job": "atom.*"}})
    rome = Target(name="rome")
    assert target_of({"target": "rome"}, [berlin, rome]) == "rome"
    assert target_of({"target": "paris"}, [berlin]) is None
    assert target_of({"job": "atom-web"}, [rome, berlin]) == "berlin"
    assert target_of({"job": "node"}, [berlin, rome]) is None
    assert target_of({"job": "node"}, [rome]) == "rome"
    assert target_of({"job": "node"}, [berlin]) is None
