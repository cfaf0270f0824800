"""Alertmanager's second API: which silences are active, and what they hide."""

import asyncio
import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from atomops.facts.alerts import AlertmanagerState, Hidden, Silence
from atomops.inventory import Prometheus
from atomops.probes.alerts.rules import other_labels, severity
from atomops.probes.prometheus.service import Service, ask, unknown_form


async def state(settings: Prometheus, url: str) -> AlertmanagerState:
    """The active silences with the alerts that they hide, the soonest to end first.

    Raises AccessDenied, BadAnswer, Unreachable, TimedOut or TemporaryError, naming Alertmanager.
    """
    service = Service("Alertmanager", url, "prometheus.alertmanager_url", "/api/v2", settings, _is_list)
    paths = ("/silences", "/alerts?active=true&silenced=true&inhibited=true")
    silences, alerts = await asyncio.gather(*(ask(service, path, settings.timeout) for path in paths))
    try:
        active = [_silence(each, alerts) for each in silences if each["status"]["state"] == "active"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unknown_form(service, error) from error
    return AlertmanagerState(url, tuple(sorted(active, key=lambda silence: silence.ends)))


async def firing(settings: Prometheus, url: str) -> list[Mapping[str, Any]]:
    """Every alert that it holds, silenced and inhibited ones too, as its API lists them. Raises as `state` does."""
    service = Service("Alertmanager", url, "prometheus.alertmanager_url", "/api/v2", settings, _is_list)
    alerts = await ask(service, "/alerts?active=true&silenced=true&inhibited=true", settings.timeout)
    try:
        return [each for each in alerts if each["labels"] and each["startsAt"] and each["status"]["state"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise unknown_form(service, error) from error


def _is_list(body: Any) -> bool:  # noqa: ANN401 - JSON's own types
    return isinstance(body, list)


def _silence(silence: Mapping[str, Any], alerts: Iterable[Mapping[str, Any]]) -> Silence:
    return Silence(
        author=str(silence["createdBy"]),
        comment=str(silence["comment"]),
        ends=dt.datetime.fromisoformat(silence["endsAt"]).astimezone(dt.UTC),
        hides=tuple(_hidden(alert["labels"]) for alert in alerts if silence["id"] in alert["status"]["silencedBy"]),
    )


def _hidden(labels: Mapping[str, str]) -> Hidden:
    return Hidden(labels.get("alertname", "?"), severity(labels), other_labels(labels))
