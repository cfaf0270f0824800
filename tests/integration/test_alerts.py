"""Against a real Prometheus with rules, and the real Alertmanager that it tells."""

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from atomops.facts.alerts import AlertFacts, AlertmanagerState
from atomops.probes.parts import ALERTS
from atomops.sandbox.prometheus import PrometheusServer, Rule, prometheus_server
from atomops.verdict import Finding, Level, Unseen
from tests import monitoring, servers
from tests.monitoring import Alertmanager
from tests.peers import Page, black_hole, http_server, refused_port
from tests.targets import findings, look, target
from tests.waiting import wait_until

HTML = Page(200, b"<!DOCTYPE html><html>Sign in</html>", {"Content-Type": "text/html"})


def alerting(name: str, expression: str, severity: str, **more: object) -> Rule:
    labels, annotations = {"severity": severity}, {"summary": f"{name} since {{{{ $value }}}}"}
    return {"alert": name, "expr": expression, "labels": labels, "annotations": annotations, **more}


RULES = (
    alerting("AlwaysCritical", 'up{job="down"} == 0', "critical"),
    alerting("AlwaysWarning", "vector(7)", "warning"),
    alerting("Watchdog", "vector(1)", "none"),
    alerting("Waiting", "vector(1)", "critical", **{"for": "1h"}),
    alerting("Never", "up > 1", "critical"),
    alerting("Ambiguous", "up + on () up > 0", "critical"),
    alerting("Silent", "sum(rate(no_such_requests_total[5m])) > 1", "critical"),
    alerting("AsksForAbsence", "absent(up)", "critical"),
    {"record": "job:up:sum", "expr": "sum by (job) (up)"},
)


@dataclass(frozen=True)
class World:
    prometheus: PrometheusServer
    alertmanager: Alertmanager
    began: dt.datetime

    def seen(self, **settings: object) -> AlertFacts:
        addresses = {"url": self.prometheus.url, "alertmanager_url": self.alertmanager.url}
        facts = look(ALERTS, target(prometheus={**addresses, **settings}))
        assert isinstance(facts, AlertFacts)
        return facts

    def found(self, **settings: object) -> dict[str, Finding]:
        return findings(ALERTS, self.seen(**settings))


@pytest.fixture(scope="module")
def alertmanager(server_folder: Path) -> Iterator[Alertmanager]:
    with monitoring.alertmanager(servers.required(servers.alertmanager), server_folder) as running:
        yield running


@pytest.fixture(scope="module")
def world(server_folder: Path, alertmanager: Alertmanager) -> Iterator[World]:
    program = servers.required(servers.prometheus)
    with ExitStack() as stack:
        scraped = {"down": f"127.0.0.1:{refused_port()}", "also": f"127.0.0.1:{refused_port()}"}
        told = alertmanager.address
        server = prometheus_server(program, server_folder, scraped, rules=RULES, alertmanager=told)
        began = dt.datetime.now(dt.UTC)
        running = World(stack.enter_context(server), alertmanager, began)
        wait_until(lambda: firing(running.seen()) == {"AlwaysCritical", "AlwaysWarning", "Watchdog"}, "the alerts")
        wait_until(lambda: "err" in {rule.health for rule in running.seen().rules}, "a rule in error")
        yield running


def firing(seen: AlertFacts) -> set[str]:
    return {alert.name for alert in seen.alerts if alert.state == "firing"}


def test_firing_alerts_are_told_by_their_severity_with_since_when_and_why(world: World) -> None:
    found = world.found()
    assert found["ALERTS-REACHABLE"].level is Level.OK
    critical, warning = found["ALERTS-FIRING-CRITICAL"], found["ALERTS-FIRING"]
    assert (critical.level, critical.summary) == (Level.CRITICAL, "1 critical alert firing: AlwaysCritical")
    assert (warning.level, warning.summary) == (Level.WARNING, "1 alert firing: AlwaysWarning")
    assert found["ALERTS-FIRING-INFO"].summary == "1 informing alert firing: Watchdog"
    (alert,) = [each for each in world.seen().alerts if each.name == "AlwaysWarning"]
    assert alert.summary == "AlwaysWarning since 7"
    assert world.began <= alert.since <= dt.datetime.now(dt.UTC)
    (labelled,) = [each for each in world.seen().alerts if each.name == "AlwaysCritical"]
    assert labelled.labels["job"] == "down"


def test_what_has_not_lasted_long_enough_is_pending_and_not_firing(world: World) -> None:
    found = world.found()
    assert found["ALERTS-PENDING"].observed == 1
    assert "Waiting" in str(found["ALERTS-PENDING"].evidence)
    assert "Waiting" not in found["ALERTS-FIRING-CRITICAL"].summary


def test_a_rule_with_an_evaluation_error_is_named_with_it(world: World) -> None:
    unhealthy = world.found()["ALERT-RULES-UNHEALTHY"]
    assert (unhealthy.level, unhealthy.observed) == (Level.WARNING, 1)
    assert "Ambiguous" in str(unhealthy.evidence)
    assert "found duplicate series for the match group" in str(unhealthy.evidence)


def test_a_rule_on_a_metric_that_nobody_exports_is_named_and_one_that_asks_for_absence_is_not(world: World) -> None:
    wait_until(lambda: "job:up:sum" not in str(world.seen().missing), "the recorded metric")
    missing = world.seen().missing
    assert not isinstance(missing, Unseen)
    assert [(each.rule, each.metric) for each in missing] == [("Silent", "no_such_requests_total")]
    assert world.found()["ALERT-RULES-METRIC-MISSING"].level is Level.WARNING


def test_no_alerting_rule_at_all_is_a_warning(server_folder: Path) -> None:
    with prometheus_server(servers.required(servers.prometheus), server_folder, {}) as server:
        found = findings(ALERTS, look(ALERTS, target(prometheus={"url": server.url})))
    assert found["ALERT-RULES-PRESENT"].level is Level.WARNING
    assert found["ALERTS-FIRING-CRITICAL"].level is Level.OK
    assert not [code for code in found if code.startswith(("SILENCES", "ALERTMANAGER"))]


def test_rules_are_shown_whatever_the_targets_selector_says(world: World) -> None:
    assert world.found(selector='job="elsewhere"')["ALERTS-FIRING-CRITICAL"].level is Level.CRITICAL


def test_a_silence_that_ends_soon_and_hides_a_critical_is_two_findings(world: World) -> None:
    quiet = world.found()
    assert {quiet[code].level for code in ("SILENCES-HIDING-CRITICAL", "SILENCES-ENDING")} == {Level.OK}
    number = world.alertmanager.silence("AlwaysCritical", until=dt.datetime.now(dt.UTC) + dt.timedelta(hours=3))
    try:
        wait_until(lambda: "AlwaysCritical" in world.alertmanager.hidden(), "the silence")
        found = world.found()
    finally:
        world.alertmanager.expire(number)
    assert found["SILENCES-HIDING-CRITICAL"].level is Level.CRITICAL
    assert "ada" in str(found["SILENCES-HIDING-CRITICAL"].evidence)
    assert found["SILENCES-ENDING"].level is Level.WARNING
    assert "AlwaysCritical" in str(found["SILENCES-ENDING"].evidence)
    assert found["ALERTS-FIRING-CRITICAL"].level is Level.CRITICAL
    wait_until(lambda: not world.seen().alertmanager.silences, "its end")  # type: ignore[union-attr] # as above


def test_a_silence_that_lasts_or_hides_nothing_is_no_finding(world: World) -> None:
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=2)
    numbers = [world.alertmanager.silence(name, until=until) for name in ("AlwaysWarning", "NobodyKnowsIt")]
    try:
        wait_until(lambda: "AlwaysWarning" in world.alertmanager.hidden(), "the silence")
        found, state = world.found(), world.seen().alertmanager
    finally:
        for number in numbers:
            world.alertmanager.expire(number)
    assert isinstance(state, AlertmanagerState)
    assert sorted(len(silence.hides) for silence in state.silences) == [0, 1]
    assert (found["SILENCES-HIDING"].level, found["SILENCES-HIDING"].observed) == (Level.OK, 1)
    assert {found[code].level for code in ("SILENCES-HIDING-CRITICAL", "SILENCES-ENDING")} == {Level.OK}


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (HTML, "answers 200 and not as Alertmanager does"),
        (Page(200, b'{"status": "success"}'), "not as Alertmanager does"),
        (Page(200, b'[{"id": 1}]'), "unknown form"),
        (Page(401, b"no"), "refuses us (401)"),
        (Page(503, b"starting"), "answers 503"),
        (None, "has no /api/v2/"),
    ],
)
def test_whatever_answers_instead_of_alertmanager_is_its_own_finding(
    world: World, page: Page | None, words: str
) -> None:
    pages = {"/api/v2/silences": page, "/api/v2/alerts": page} if page else {}
    with http_server(pages) as url:
        found = world.found(alertmanager_url=url)
    assert found["ALERTMANAGER-REACHABLE"].level is Level.CRITICAL
    assert words in found["ALERTMANAGER-REACHABLE"].summary
    assert found["ALERTMANAGER-REACHABLE"].action
    assert found["SILENCES-HIDING-CRITICAL"].level is Level.UNKNOWN
    assert found["ALERTS-FIRING"].level is Level.WARNING


def test_an_alertmanager_that_is_down_or_silent_does_not_spoil_prometheus(world: World) -> None:
    with black_hole() as silent:
        for port, words in ((refused_port(), "refuses the connection"), (silent, "did not answer within 3 s")):
            found = world.found(alertmanager_url=f"http://127.0.0.1:{port}", timeout=3)
            assert words in found["ALERTMANAGER-REACHABLE"].summary
            assert found["ALERTS-FIRING-CRITICAL"].level is Level.CRITICAL
