"""The rules of Prometheus, the alerts that they raise, and those that ended today."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from atomops.commands.promql_names import unmet
from atomops.facts.alerts import Alert, Episode, Missing, Rule
from atomops.inventory import Prometheus
from atomops.probes.prometheus.query import Course, Range, listed, prometheus, query_range
from atomops.probes.prometheus.service import unknown_form

ALERTING = "alerting"
_FIRED = 'max_over_time(ALERTS{alertstate="firing"}[1m])'  # over each step: none is too short to be seen
_OWN = frozenset({"ALERTS", "ALERTS_FOR_STATE"})  # there are series of them only while something is wrong
_STEP = dt.timedelta(minutes=1)  # 1,500 points of the longest day
_RECENT = dt.timedelta(days=1)
_SPOKEN = frozenset({"__name__", "alertname", "alertstate", "severity"})  # labels that have a place of their own


async def current(settings: Prometheus) -> tuple[tuple[Rule, ...], tuple[Alert, ...]]:
    """Every rule, and every alert that is firing or pending. Raises as `query` does."""
    data = await listed(settings, "/rules", settings.timeout)
    try:
        pairs = [(group["name"], rule) for group in data["groups"] for rule in group["rules"]]
        alerts = tuple(_alert(alert) for _, rule in pairs for alert in rule.get("alerts") or ())
        return tuple(_rule(group, rule) for group, rule in pairs), alerts
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unknown_form(prometheus(settings), error) from error


async def metric_names(settings: Prometheus, at: dt.datetime) -> frozenset[str]:
    """The metrics that have had series within a day: from the index, so that no series is read. Raises as `query`."""
    since = (at - _RECENT).timestamp()
    names = await listed(settings, f"/label/__name__/values?start={since:.0f}", settings.timeout)
    try:
        return frozenset(map(str, names))
    except TypeError as error:
        raise unknown_form(prometheus(settings), error) from error


def missing(rules: Iterable[Rule], names: frozenset[str]) -> tuple[Missing, ...]:
    """What the rules read and `names` lacks."""
    there = names | _OWN
    return tuple(Missing(rule.name, metric) for rule in rules for metric in sorted(unmet(rule.query, there)))


async def resolved(settings: Prometheus, midnight: dt.datetime, at: dt.datetime) -> tuple[Episode, ...]:
    """The alerts that fired since midnight and not in the last minute, the latest end first. Raises as `query` does."""
    steps = (at - midnight) // _STEP
    if not steps:
        return ()
    first = at - (steps - 1) * _STEP
    courses = await query_range(settings, _FIRED, Range(first, at, _STEP), settings.timeout)
    ended = [_episode(course) for course in courses if course.points and course.points[-1][0] <= at - _STEP / 2]
    return tuple(sorted(ended, key=lambda episode: episode.ended, reverse=True))


def severity(labels: Mapping[str, str]) -> str:
    """As the rule's label says; "" without one."""
    return labels.get("severity", "")


def other_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Those that tell one alert of a rule from another."""
    return {name: value for name, value in sorted(labels.items()) if name not in _SPOKEN}


def _rule(group: str, rule: Mapping[str, Any]) -> Rule:
    return Rule(
        group=str(group),
        name=str(rule["name"]),
        kind=str(rule["type"]),
        query=str(rule["query"]),
        health=str(rule["health"]),
        error=str(rule.get("lastError") or ""),
    )


def _alert(alert: Mapping[str, Any]) -> Alert:
    labels = {str(name): str(value) for name, value in alert["labels"].items()}
    annotations = alert.get("annotations") or {}
    return Alert(
        name=labels["alertname"],
        state=str(alert["state"]),
        severity=severity(labels),
        labels=other_labels(labels),
        since=dt.datetime.fromisoformat(alert["activeAt"]).astimezone(dt.UTC),
        summary=next(_told(annotations), ""),
    )


def _told(annotations: Mapping[str, str]) -> Iterator[str]:
    """The annotations that people write for people, the shortest kind first."""
    yield from (str(annotations[name]) for name in ("summary", "message", "description") if annotations.get(name))


def _episode(course: Course) -> Episode:
    return Episode(
        name=course.labels.get("alertname", "?"),
        severity=severity(course.labels),
        labels=other_labels(course.labels),
        began=course.points[0][0],
        ended=course.points[-1][0],
    )
