"""What Prometheus says is wrong, whether its rules can be relied on, and who keeps it from being heard."""

import datetime as dt
from collections.abc import Iterable, Mapping

from atomops.facts.alerts import Alert, AlertFacts, AlertmanagerState, Hidden, Silence
from atomops.facts.outcome import Outcome
from atomops.humane import plural, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, Reading, known

SECTION = "Alerts"
_GUIDE = "operations guide"
_PRACTICE = "the severity label of the rule"
_SHOWN = 20  # rows of evidence
_CUT = 160  # characters of an error or of a person's comment
_CRITICAL = frozenset({"critical", "page"})  # as in Prometheus's own examples and its mixins
_INFORMING = frozenset({"info", "none"})  # in the mixins: nobody need do anything; Watchdog fires for ever
_NO_ALERTMANAGER = Gap(SECTION, "silences: not configured: the inventory has no prometheus.alertmanager_url")
_SOON = dt.timedelta(hours=24)


@check("ALERTS-REACHABLE", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def prometheus_answers(outcome: Outcome[AlertFacts]) -> Reading:
    """Prometheus tells its rules at all."""
    return outcome.reachable(outcome.facts.source if outcome.facts else "Prometheus")


@check("ALERTS-FIRING-CRITICAL", section=SECTION, critical=1, unit="alerts", source=_PRACTICE)
def firing_critical(seen: AlertFacts) -> Reading:
    """No alert of severity critical or page is firing, silenced or not."""
    return _firing(seen, [alert for alert in _in_state(seen, "firing") if _is_critical(alert)], "critical alert")


@check("ALERTS-FIRING", section=SECTION, warning=1, unit="alerts", source=_PRACTICE)
def firing(seen: AlertFacts) -> Reading:
    """No other alert is firing; those of severity info or none are ALERTS-FIRING-INFO's."""
    found = [alert for alert in _in_state(seen, "firing") if not _is_critical(alert) and not _informs(alert)]
    return _firing(seen, found, "alert")


@check("ALERTS-FIRING-INFO", section=SECTION, unit="alerts", source=_PRACTICE)
def firing_information(seen: AlertFacts) -> Reading:
    """Alerts of severity info or none tell something and ask for nothing, as Watchdog does."""
    return _firing(seen, [alert for alert in _in_state(seen, "firing") if _informs(alert)], "informing alert")


@check("ALERTS-PENDING", section=SECTION, unit="alerts", source=_GUIDE)
def pending(seen: AlertFacts) -> Reading:
    """What has been wrong for less time than its rule allows; information, since it may pass."""
    found = _in_state(seen, "pending")
    return Reading(len(found), f"{plural(len(found), 'alert')} pending", evidence=_alerts(seen, found))


@check("ALERTS-RESOLVED-TODAY", section=SECTION, unit="alerts", source=_GUIDE, trend="alerts.resolved")
def resolved_today(seen: AlertFacts) -> Reading:
    """What fired since midnight and has gone by itself or by somebody's hand; information."""
    episodes = known(seen.resolved)
    rows = (
        (each.name, each.severity, _labels(each.labels), _ago(seen, each.ended), span(_seconds(each.ended, each.began)))
        for each in episodes[:_SHOWN]
    )
    return Reading(
        len(episodes),
        f"{plural(len(episodes), 'alert')} resolved since {seen.midnight:%Y-%m-%d %H:%M} UTC",
        evidence=Evidence.of(("alert", "severity", "labels", "ended", "fired for"), rows),
    )


@check("ALERT-RULES-PRESENT", section=SECTION, warning=1, worse="lower", unit="rules", source=_GUIDE)
def rules_present(seen: AlertFacts) -> Reading:
    """Somebody is told when something breaks; a Prometheus without an alerting rule tells nobody."""
    count = sum(rule.kind == "alerting" for rule in seen.rules)
    action = "write alerting rules and name their file under rule_files in prometheus.yml"
    return Reading(count, f"{plural(count, 'alerting rule')} in {seen.source}", action=action)


@check("ALERT-RULES-UNHEALTHY", section=SECTION, warning=1, unit="rules", source="Prometheus")
def rules_unhealthy(seen: AlertFacts) -> Reading:
    """Every rule can be evaluated; one that cannot never fires. Recording rules count: alerts read what they record."""
    bad = [rule for rule in seen.rules if rule.health != "ok"]
    rows = ((each.name, each.kind, each.group, each.health, each.error[:_CUT]) for each in bad[:_SHOWN])
    return Reading(
        len(bad),
        f"{len(bad)} of {plural(len(seen.rules), 'rule')} cannot be evaluated",
        action="mend its expression, and try it with promtool check rules and promtool test rules",
        evidence=Evidence.of(("rule", "kind", "group", "health", "error"), rows),
    )


@check("ALERT-RULES-METRIC-MISSING", section=SECTION, warning=1, unit="rules", source="operations guide (silent rules)")
def rules_without_metric(seen: AlertFacts) -> Reading:
    """Every metric that a rule reads has had series within a day; without them the rule is silent whatever happens.

    Rules that ask for absence are left out. Of one with `or` or `unless`, any of its metrics is enough.
    """
    missing = known(seen.missing)
    silent = {each.rule for each in missing}
    return Reading(
        len(silent),
        f"{plural(len(silent), 'rule')} without a metric to read",
        action="is it renamed, or does nobody scrape it? a counter should be exported as 0 before its first event",
        evidence=Evidence.of(("rule", "metric"), ((each.rule, each.metric) for each in missing[:_SHOWN])),
    )


@check("ALERTMANAGER-REACHABLE", section=SECTION, critical=1, unit="failures", source="operators of Atom")
def alertmanager_answers(seen: AlertFacts) -> Reading | Gap:
    """Alertmanager answers; while it is down nobody is told of any alert."""
    state = seen.alertmanager
    if state is None:
        return _NO_ALERTMANAGER
    if isinstance(state, AlertmanagerState):
        return Reading(0, f"Alertmanager {state.url} answers, with {plural(len(state.silences), 'active silence')}")
    return Reading(1, f"Alertmanager cannot be looked at: {state.reason}", action=state.action)


@check("SILENCES-HIDING-CRITICAL", section=SECTION, critical=1, unit="alerts", source="operators of Atom")
def silences_hiding_critical(seen: AlertFacts) -> Reading | Gap:
    """No critical alert is firing of which nobody is told."""
    return _hiding(seen, critical=True)


@check("SILENCES-HIDING", section=SECTION, unit="alerts", source="operators of Atom")
def silences_hiding(seen: AlertFacts) -> Reading | Gap:
    """Which other firing alerts somebody has chosen not to hear of; information."""
    return _hiding(seen, critical=False)


@check("SILENCES-ENDING", section=SECTION, warning=1, unit="silences", source="operators of Atom")
def silences_ending(seen: AlertFacts) -> Reading | Gap:
    """No silence that hides a firing alert ends within 24 hours: whoever is on call that night would be woken by it."""
    silences = _silences(seen)
    if isinstance(silences, Gap):
        return silences
    ending = [each for each in silences if each.hides and each.ends <= seen.at + _SOON]
    rows = (
        (span(_seconds(each.ends, seen.at)), each.author, each.comment[:_CUT], ", ".join(_names(each.hides)))
        for each in ending[:_SHOWN]
    )
    return Reading(
        len(ending),
        f"{plural(len(ending), 'silence')} hiding firing alerts with less than {span(_SOON.total_seconds())} to go",
        action="repair what it hides, or prolong it: amtool silence update --duration=...",
        evidence=Evidence.of(("ends in", "author", "comment", "hides"), rows),
    )


def _hiding(seen: AlertFacts, *, critical: bool) -> Reading | Gap:
    silences = _silences(seen)
    if isinstance(silences, Gap):
        return silences
    pairs = [(hidden, silence) for silence in silences for hidden in silence.hides if _is_critical(hidden) is critical]
    alerts = {(hidden.name, hidden.severity, *hidden.labels.items()) for hidden, _ in pairs}
    rows = (
        (one.name, one.severity, _labels(one.labels), span(_seconds(by.ends, seen.at)), by.author, by.comment[:_CUT])
        for one, by in pairs[:_SHOWN]
    )
    noun = "firing critical alert" if critical else "other firing alert"
    return Reading(
        len(alerts),
        f"{plural(len(alerts), noun)} hidden by silences",
        action="is somebody at work on it? else expire the silence: amtool silence expire",
        evidence=Evidence.of(("alert", "severity", "labels", "silenced for", "by", "comment"), rows),
    )


def _silences(seen: AlertFacts) -> tuple[Silence, ...] | Gap:
    return _NO_ALERTMANAGER if seen.alertmanager is None else known(seen.alertmanager).silences


def _firing(seen: AlertFacts, found: list[Alert], noun: str) -> Reading:
    names = ", ".join(_names(found))
    return Reading(
        len(found),
        f"{plural(len(found), noun)} firing" + (f": {names}" if found else ""),
        action="follow the runbook of the alert; see Alerts in Prometheus for its expression and value",
        evidence=_alerts(seen, found),
    )


def _in_state(seen: AlertFacts, state: str) -> list[Alert]:
    """The oldest first."""
    return sorted((alert for alert in seen.alerts if alert.state == state), key=lambda alert: alert.since)


def _alerts(seen: AlertFacts, found: list[Alert]) -> Evidence:
    rows = (
        (each.name, each.severity, _labels(each.labels), _ago(seen, each.since), each.summary[:_CUT])
        for each in found[:_SHOWN]
    )
    return Evidence.of(("alert", "severity", "labels", "since", "summary"), rows)


def _is_critical(alert: Alert | Hidden) -> bool:
    return alert.severity.lower() in _CRITICAL


def _informs(alert: Alert) -> bool:
    return alert.severity.lower() in _INFORMING


def _names(found: Iterable[Alert | Hidden]) -> list[str]:
    return list(dict.fromkeys(alert.name for alert in found))[:_SHOWN]


def _labels(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in labels.items())


def _ago(seen: AlertFacts, moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC ({span(_seconds(seen.at, moment))} ago)"


def _seconds(later: dt.datetime, earlier: dt.datetime) -> float:
    return max(0.0, (later - earlier).total_seconds())
