import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from atomops.facts.alerts import Alert, AlertFacts, AlertmanagerState, Episode, Hidden, Missing, Rule, Silence
from atomops.facts.outcome import Outcome
from atomops.probes.alerts import local_midnight
from atomops.registry import checks, judge_all
from atomops.verdict import Finding, Gap, Level, Unseen

MINE = [check for check in checks() if check.facts is AlertFacts]
NOW = dt.datetime(2026, 11, 24, 17, tzinfo=dt.UTC)
RULE = Rule("atom", "AtomDown", "alerting", "up == 0", "ok", "")
ALERTMANAGER = AlertmanagerState("http://alertmanager", ())
LOST = Unseen("http://alertmanager refuses the connection", "is it running, and on this port?")
GOOD = AlertFacts(
    at=NOW,
    source="Prometheus http://prometheus",
    midnight=NOW - dt.timedelta(hours=18),
    rules=(RULE,),
    alerts=(),
    missing=(),
    resolved=(),
    alertmanager=ALERTMANAGER,
)
severities = st.sampled_from(["critical", "page", "Critical", "warning", "info", "none", "", "whatever"])


def alert(severity: str = "warning", state: str = "firing", minutes: float = 90, name: str = "AtomSlow") -> Alert:
    since = NOW - dt.timedelta(minutes=minutes)
    return Alert(name, state, severity, {"instance": "a:80"}, since, "P95 is 3 s")


def silence(*severities: str, hours: float = 48) -> Silence:
    hides = tuple(Hidden(f"Atom{number}", severity, {}) for number, severity in enumerate(severities))
    return Silence("ada", "being repaired", NOW + dt.timedelta(hours=hours), hides)


def silenced(*silences: Silence) -> AlertFacts:
    return replace(GOOD, alertmanager=replace(ALERTMANAGER, silences=silences))


def judged(facts: AlertFacts | None, unseen: Unseen | None = None) -> tuple[dict[str, Finding], list[Gap]]:
    found, gaps = judge_all(MINE, {AlertFacts: Outcome("alerts", 0.1, facts=facts, unseen=unseen)}, {}, {})
    return {finding.code: finding for finding in found}, gaps


def finding(facts: AlertFacts, code: str) -> Finding:
    return judged(facts)[0][code]


def rows(facts: AlertFacts, code: str) -> tuple[tuple[str, ...], ...]:
    evidence = finding(facts, code).evidence
    assert evidence is not None
    return evidence.rows


def test_rules_that_are_well_and_silent_are_ok_throughout() -> None:
    found, gaps = judged(GOOD)
    assert {each.level for each in found.values()} == {Level.OK}
    assert len(found) == len(MINE)
    assert gaps == []


def test_facts_survive_json() -> None:
    adapter = TypeAdapter(AlertFacts)
    episode = Episode("AtomSlow", "warning", {"instance": "a:80"}, NOW, NOW)
    rich = replace(silenced(silence("critical")), alerts=(alert(),), resolved=(episode,), missing=(Missing("a", "b"),))
    for facts in (GOOD, rich, replace(GOOD, missing=LOST, resolved=LOST, alertmanager=LOST)):
        assert adapter.validate_json(adapter.dump_json(facts)) == facts


def test_every_check_says_where_its_threshold_comes_from() -> None:
    assert all(check.source and check.guarantee for check in MINE)


def test_a_failed_probe_leaves_nothing_ok() -> None:
    found, _ = judged(None, LOST)
    assert found.pop("ALERTS-REACHABLE").level is Level.CRITICAL
    assert {each.level for each in found.values()} == {Level.UNKNOWN}
    assert len(found) == len(MINE) - 1


@pytest.mark.parametrize(
    ("severity", "code", "expected"),
    [
        ("critical", "ALERTS-FIRING-CRITICAL", Level.CRITICAL),
        ("Page", "ALERTS-FIRING-CRITICAL", Level.CRITICAL),
        ("warning", "ALERTS-FIRING", Level.WARNING),
        ("", "ALERTS-FIRING", Level.WARNING),
        ("sev-1", "ALERTS-FIRING", Level.WARNING),
        ("info", "ALERTS-FIRING-INFO", Level.OK),
        ("none", "ALERTS-FIRING-INFO", Level.OK),
    ],
)
def test_the_severity_of_a_rule_decides_how_bad_its_alert_is(severity: str, code: str, expected: Level) -> None:
    found, _ = judged(replace(GOOD, alerts=(alert(severity),)))
    firing = {name: each.observed for name, each in found.items() if name.startswith("ALERTS-FIRING")}
    assert firing == {"ALERTS-FIRING-CRITICAL": 0, "ALERTS-FIRING": 0, "ALERTS-FIRING-INFO": 0} | {code: 1}
    assert found[code].level is expected


@given(st.lists(severities), st.lists(severities, min_size=1))
def test_another_alert_never_makes_it_better_and_none_is_lost(some: list[str], more: list[str]) -> None:
    fewer, all_ = (replace(GOOD, alerts=tuple(map(alert, each))) for each in (some, some + more))
    codes = ("ALERTS-FIRING-CRITICAL", "ALERTS-FIRING", "ALERTS-FIRING-INFO")
    for code in codes:
        assert finding(all_, code).level.rank >= finding(fewer, code).level.rank
    assert sum(finding(all_, code).observed or 0 for code in codes) == len(some + more)


def test_what_fires_is_shown_with_since_when_and_why_the_oldest_first() -> None:
    facts = replace(GOOD, alerts=(alert(minutes=5, name="AtomNew"), alert(minutes=90, name="AtomOld")))
    assert finding(facts, "ALERTS-FIRING").summary == "2 alerts firing: AtomOld, AtomNew"
    first, second = rows(facts, "ALERTS-FIRING")
    since = "2026-11-24 15:30 UTC (1 hour and 30 minutes ago)"
    assert first == ("AtomOld", "warning", "instance=a:80", since, "P95 is 3 s")
    assert second[0] == "AtomNew"


def test_a_pending_alert_is_information_and_does_not_count_as_firing() -> None:
    facts = replace(GOOD, alerts=(alert("critical", "pending"),))
    assert (finding(facts, "ALERTS-PENDING").level, finding(facts, "ALERTS-PENDING").observed) == (Level.OK, 1)
    assert finding(facts, "ALERTS-FIRING-CRITICAL").observed == 0


def test_alerts_of_today_that_are_over_inform_with_how_long_they_fired() -> None:
    episode = Episode("AtomSlow", "critical", {}, NOW - dt.timedelta(hours=3), NOW - dt.timedelta(hours=1))
    facts = replace(GOOD, resolved=(episode,))
    resolved = finding(facts, "ALERTS-RESOLVED-TODAY")
    assert (resolved.level, resolved.summary) == (Level.OK, "1 alert resolved since 2026-11-23 23:00 UTC")
    assert rows(facts, "ALERTS-RESOLVED-TODAY")[0][-1] == "2 hours"
    assert finding(replace(GOOD, resolved=LOST), "ALERTS-RESOLVED-TODAY").level is Level.UNKNOWN


def test_a_prometheus_without_an_alerting_rule_is_a_warning_though_it_records() -> None:
    facts = replace(GOOD, rules=(replace(RULE, kind="recording"),))
    assert finding(facts, "ALERT-RULES-PRESENT").level is Level.WARNING


@pytest.mark.parametrize("health", ["err", "unknown"])
@pytest.mark.parametrize("kind", ["alerting", "recording"])
def test_a_rule_that_is_not_evaluated_is_a_warning_with_its_error(kind: str, health: str) -> None:
    bad = replace(RULE, name="AtomBroken", kind=kind, health=health, error="many-to-many matching not allowed")
    facts = replace(GOOD, rules=(RULE, bad))
    assert finding(facts, "ALERT-RULES-UNHEALTHY").level is Level.WARNING
    assert rows(facts, "ALERT-RULES-UNHEALTHY") == (
        ("AtomBroken", kind, "atom", health, "many-to-many matching not allowed"),
    )


def test_a_rule_whose_metrics_nobody_exports_counts_once_and_shows_each_of_them() -> None:
    facts = replace(GOOD, missing=(Missing("AtomErrors", "errors_total"), Missing("AtomErrors", "requests_total")))
    silent = finding(facts, "ALERT-RULES-METRIC-MISSING")
    assert (silent.level, silent.observed) == (Level.WARNING, 1)
    assert len(rows(facts, "ALERT-RULES-METRIC-MISSING")) == 2
    assert finding(replace(GOOD, missing=LOST), "ALERT-RULES-METRIC-MISSING").level is Level.UNKNOWN


def test_an_alertmanager_that_is_down_is_critical_and_spoils_only_what_it_alone_knows() -> None:
    found, _ = judged(replace(GOOD, alertmanager=LOST))
    assert found.pop("ALERTMANAGER-REACHABLE").level is Level.CRITICAL
    unknown = {code for code, each in found.items() if each.level is Level.UNKNOWN}
    assert unknown == {"SILENCES-HIDING-CRITICAL", "SILENCES-HIDING", "SILENCES-ENDING"}
    assert {each.level for code, each in found.items() if code not in unknown} == {Level.OK}


def test_without_an_address_of_alertmanager_silences_are_one_gap() -> None:
    found, gaps = judged(replace(GOOD, alertmanager=None))
    assert {gap.reason for gap in gaps} == {
        "silences: not configured: the inventory has no prometheus.alertmanager_url"
    }
    assert not [code for code in found if code.startswith(("SILENCES", "ALERTMANAGER"))]


def test_a_hidden_critical_alert_is_a_finding_of_its_own() -> None:
    facts = silenced(silence("critical", "warning"))
    assert finding(facts, "SILENCES-HIDING-CRITICAL").level is Level.CRITICAL
    assert rows(facts, "SILENCES-HIDING-CRITICAL") == (("Atom0", "critical", "", "2 days", "ada", "being repaired"),)
    assert (finding(facts, "SILENCES-HIDING").level, finding(facts, "SILENCES-HIDING").observed) == (Level.OK, 1)


def test_an_alert_that_two_silences_hide_counts_once() -> None:
    assert finding(silenced(silence("critical"), silence("critical")), "SILENCES-HIDING-CRITICAL").observed == 1


@pytest.mark.parametrize(
    ("severities", "hours", "expected"),
    [(["warning"], 24, Level.WARNING), (["warning"], 24.1, Level.OK), ([], 1, Level.OK), (["info"], -1, Level.WARNING)],
)
def test_a_silence_that_ends_in_the_night_counts_when_it_hides_something(
    severities: list[str], hours: float, expected: Level
) -> None:
    assert finding(silenced(silence(*severities, hours=hours)), "SILENCES-ENDING").level is expected


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        ("2026-11-24T17:00+00:00", "Europe/Berlin", "2026-11-23T23:00+00:00"),
        ("2026-11-24T23:30+00:00", "Europe/Berlin", "2026-11-24T23:00+00:00"),
        ("2026-10-25T12:00+00:00", "Europe/Berlin", "2026-10-24T22:00+00:00"),
        ("2026-11-24T03:00+00:00", "America/New_York", "2026-11-23T05:00+00:00"),
        ("2026-11-24T17:00+00:00", "UTC", "2026-11-24T00:00+00:00"),
    ],
)
def test_the_day_begins_at_the_targets_own_midnight_when_clocks_change_too(at: str, zone: str, expected: str) -> None:
    assert local_midnight(dt.datetime.fromisoformat(at), zone) == dt.datetime.fromisoformat(expected)
