"""Alertmanager's webhook and its API, and Prometheus's alerts, read as signals; and which target one is for. Pure."""

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from atomops.facts.incidents import Signal
from atomops.inventory import Target

TARGET_LABEL = "target"
_SPOKEN = frozenset({"alertname", "severity", TARGET_LABEL})  # labels that have a place of their own
_LONGEST = 2_000  # characters of a text that somebody else writes
_MOST_ALERTS = 10_000  # of one payload


class NotAlertmanagers(ValueError):
    """What came is no payload of Alertmanager's webhook, version 4; the message says why."""


class _Alert(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    status: Literal["firing", "resolved"]
    labels: Mapping[str, str] = Field(min_length=1)
    annotations: Mapping[str, str] = Field(default_factory=dict)
    began: AwareDatetime = Field(alias="startsAt")
    ended: AwareDatetime | None = Field(None, alias="endsAt")
    source: str = Field("", alias="generatorURL")


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal["4"]
    alerts: tuple[_Alert, ...] = Field(max_length=_MOST_ALERTS)


def read_payload(body: bytes) -> tuple[Signal, ...]:
    """The alerts of a webhook's body, in its order. Raises NotAlertmanagers with the first reason."""
    try:
        payload = _Payload.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise NotAlertmanagers(f"{place}: {first['msg']}" if place else first["msg"]) from None
    return tuple(
        signal(
            each.labels,
            each.annotations,
            each.began,
            _end(each) if each.status == "resolved" else None,
            each.source,
        )
        for each in payload.alerts
    )


def _end(alert: _Alert) -> dt.datetime:
    """Go's zero time stands for none: then it has ended when it began, for all that is known."""
    return max(alert.began, alert.ended or alert.began)


def read_active(alerts: Iterable[Mapping[str, Any]]) -> tuple[Signal, ...]:
    """What Alertmanager's API lists. Raises KeyError, TypeError or ValueError for another form."""
    return tuple(
        signal(
            {str(name): str(value) for name, value in each["labels"].items()},
            each.get("annotations") or {},
            dt.datetime.fromisoformat(each["startsAt"]),
            None,
            str(each.get("generatorURL") or ""),
        )
        for each in alerts
    )


def signal(
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    began: dt.datetime,
    ended: dt.datetime | None = None,
    source: str = "",
) -> Signal:
    """An alert by its labels: two with equal labels are the same one, whoever tells of it."""
    return Signal(
        key=_key(labels),
        name=_cut(labels.get("alertname", "") or "an alert without a name"),
        severity=_cut(labels.get("severity", "")),
        labels={name: _cut(value) for name, value in sorted(labels.items()) if name not in _SPOKEN},
        began=began.astimezone(dt.UTC),
        ended=ended.astimezone(dt.UTC) if ended else None,
        summary=_cut(annotations.get("summary") or annotations.get("message") or ""),
        description=_cut(annotations.get("description") or ""),
        source=_cut(source),
        target=labels.get(TARGET_LABEL),
    )


def _key(labels: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(labels.items()):
        digest.update(f"{name}\0{value}\0".encode(errors="replace"))
    return digest.hexdigest()[:24]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def target_of(labels: Mapping[str, str], targets: Sequence[Target]) -> str | None:
    """The name of the target that an alert is for, None when nothing says it.

    Its label `target` says so, else the first target whose patterns match, else that there is only one, without any.
    """
    named = labels.get(TARGET_LABEL)
    if named is not None:
        return named if any(each.name == named for each in targets) else None
    matching = (each.name for each in targets if each.alerts.match and _matches(labels, each.alerts.match))
    return next(matching, targets[0].name if len(targets) == 1 and not targets[0].alerts.match else None)


def _matches(labels: Mapping[str, str], patterns: Mapping[str, str]) -> bool:
    return all(re.fullmatch(pattern, labels.get(name, "")) for name, pattern in patterns.items())
