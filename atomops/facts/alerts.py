"""What Prometheus's rules say, what became of them today, and what Alertmanager keeps from being heard."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from atomops.verdict import Unseen


@dataclass(frozen=True)
class Rule:
    """One rule of Prometheus; `kind` is alerting or recording, `health` ok, err, or unknown before its first look."""

    group: str
    name: str
    kind: str
    query: str
    health: str
    error: str


@dataclass(frozen=True)
class Alert:
    """One alert that is firing or pending since `since`. `labels` are the others than its name and severity."""

    name: str
    state: str
    severity: str
    labels: Mapping[str, str]
    since: dt.datetime
    summary: str


@dataclass(frozen=True)
class Episode:
    """One alert that fired today and no longer does, with its first and its last moment, to the minute."""

    name: str
    severity: str
    labels: Mapping[str, str]
    began: dt.datetime
    ended: dt.datetime


@dataclass(frozen=True)
class Missing:
    """A rule that reads a metric of which there has been no series for a day."""

    rule: str
    metric: str


@dataclass(frozen=True)
class Hidden:
    """A firing alert of which nobody is told."""

    name: str
    severity: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Silence:
    """An active silence, and the firing alerts that it hides."""

    author: str
    comment: str
    ends: dt.datetime
    hides: tuple[Hidden, ...]


@dataclass(frozen=True)
class AlertmanagerState:
    """Every active silence of the Alertmanager at `url`."""

    url: str
    silences: tuple[Silence, ...]


@dataclass(frozen=True)
class AlertFacts:
    """Everything at one moment; `alertmanager` is None when the inventory names none.

    `resolved` are the alerts that ended between `midnight`, of the target's time zone, and `at`.
    """

    at: dt.datetime
    source: str
    midnight: dt.datetime
    rules: tuple[Rule, ...]
    alerts: tuple[Alert, ...]
    missing: tuple[Missing, ...] | Unseen
    resolved: tuple[Episode, ...] | Unseen
    alertmanager: AlertmanagerState | Unseen | None
