"""Prometheus's own questions: a value now, values over a range of time, and what its API lists."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atomops.inventory import Prometheus
from atomops.probes.prometheus.service import Service, ask, unknown_form

_MEND = "mend the profile's metrics, prometheus.window or prometheus.selector"

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Result:
    """What one query brought: series as label sets with a value each, and what Prometheus remarked."""

    series: tuple[tuple[Labels, float], ...]
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


@dataclass(frozen=True)
class Range:
    """From `start` to `end`, a point each `step`; Prometheus refuses more than 11,000 of them."""

    start: dt.datetime
    end: dt.datetime
    step: dt.timedelta

    def form(self) -> dict[str, str]:
        """As the API wants it."""
        seconds = {"start": self.start.timestamp(), "end": self.end.timestamp(), "step": self.step.total_seconds()}
        return {name: str(value) for name, value in seconds.items()}


@dataclass(frozen=True)
class Course:
    """One series over time: its points as (time in UTC, value), the oldest first."""

    labels: Labels
    points: tuple[tuple[dt.datetime, float], ...]


async def query(settings: Prometheus, text: str, seconds: float, *, mend: str = _MEND) -> Result:
    """One instant query, answered within `seconds`; values may be NaN or infinite, and there may be none.

    Raises AccessDenied, BadAnswer, Unreachable, TimedOut or TemporaryError, naming the server and, where it is to
    blame, the query; `mend` is what to do then.
    """
    service = prometheus(settings)
    body = await ask(service, "/query", seconds, form={"query": text}, mend=mend)
    warnings, infos = (tuple(str(remark) for remark in body.get(kind) or ()) for kind in ("warnings", "infos"))
    try:
        return Result(_series(body["data"]), warnings, infos)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise unknown_form(service, error) from error


async def query_range(
    settings: Prometheus, text: str, over: Range, seconds: float, *, mend: str = _MEND
) -> tuple[Course, ...]:
    """Every series of the query over that range. Raises as `query` does."""
    service = prometheus(settings)
    body = await ask(service, "/query_range", seconds, form={"query": text, **over.form()}, mend=mend)
    try:
        return tuple(_course(each) for each in body["data"]["result"])
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise unknown_form(service, error) from error


async def listed(settings: Prometheus, path: str, seconds: float) -> Any:  # noqa: ANN401 - JSON's own types
    """The `data` of a path below /api/v1. Raises as `query` does."""
    service = prometheus(settings)
    body = await ask(service, path, seconds)
    try:
        return body["data"]
    except KeyError as error:
        raise unknown_form(service, error) from error


def prometheus(settings: Prometheus) -> Service:
    """The Prometheus of the inventory."""
    return Service("Prometheus", settings.url, "prometheus.url", "/api/v1", settings, _is_success)


def _is_success(body: Any) -> bool:  # noqa: ANN401 - JSON's own types
    return isinstance(body, dict) and body.get("status") == "success"


def _series(data: Mapping[str, Any]) -> tuple[tuple[Labels, float], ...]:
    if data["resultType"] == "scalar":
        return (({}, float(data["result"][1])),)
    return tuple((dict(each["metric"]), float(each["value"][1])) for each in data["result"])


def _course(series: Mapping[str, Any]) -> Course:
    points = ((dt.datetime.fromtimestamp(float(at), dt.UTC), float(value)) for at, value in series["values"])
    return Course(dict(series["metric"]), tuple(points))
