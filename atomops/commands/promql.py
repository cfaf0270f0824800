"""PromQL from a profile's descriptions: always aggregated, so that no series is picked by chance."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from atomops.profiles.profile import Counter, Gauge, Histogram, Metric

WEEK = "1w"
HOUR = "1h"  # what "the same hour a week ago" is compared over


@dataclass(frozen=True)
class Query:
    """A query of one value, and the metric that it needs."""

    metric: str
    text: str


def selector(metric: Metric, suffix: str = "", extra: str = "") -> str:
    """The series of a metric: its name, its label patterns, and the target's own selector (`job="atom"`)."""
    matchers = [f'{label}=~"{_escape(pattern)}"' for label, pattern in metric.match.items()]
    matchers += [f'{label}!~"{_escape(pattern)}"' for label, pattern in metric.exclude.items()]
    return _series(metric.name + suffix, matchers, extra)


def rate(metric: Counter, window: str, extra: str = "", offset: str = "") -> str:
    """Per second, over all series; `offset` looks that far back.

    0 where the counter is exported and no series of it is meant (no 500 so far); empty where it is not exported, or
    without a label that the profile matches on. Growth before Prometheus first saw a series is not in it.
    """
    return _summed("rate", metric, window, extra, offset)


def increase(metric: Counter, window: str, extra: str = "") -> str:
    """How many in the window, over all series; 0 and empty as for `rate`."""
    return _summed("increase", metric, window, extra)


def ratio(part: Counter, whole: Counter, window: str, extra: str = "") -> str:
    """A share from 0 to 1; NaN without traffic, empty when either counter is not exported."""
    return f"{rate(part, window, extra)} / {rate(whole, window, extra)}"


def quantile(share: float, metric: Histogram, window: str, extra: str = "") -> str:
    """The value below which `share` of the observations lie; NaN without observations."""
    buckets = selector(metric, "_bucket", extra)
    return f"histogram_quantile({share:g}, sum by (le) (rate({buckets}[{window}])))"


def gauge(metric: Gauge, extra: str = "") -> str:
    """The series combined as the profile says, times its scale."""
    combined = f"{metric.combine}({selector(metric, extra=extra)})"
    return combined if metric.scale == 1 else f"{combined} * {metric.scale!r}"


def is_exported(metric: Metric, extra: str = "") -> str:
    """One number when the metric has series now, an hour or a day ago; empty otherwise."""
    return f"count({_lately(metric, extra)})"


def scrape_targets(metric: Metric, extra: str = "") -> str:
    """`up` of the application's own targets, not of everything that Prometheus scrapes.

    A selector that names the job is taken at its word; else they are the jobs that export the metric, or did a day ago.
    """
    if names_job(extra):
        return f"up{{{extra}}}"
    return f"{_series('up', [], extra)} and on (job) group by (job) ({_lately(metric, extra)})"


def names_job(extra: str) -> bool:
    """Whether the target's own selector has a matcher for the label `job`."""
    return re.search(r"(^|[,{\s])job\s*[=!]", extra) is not None


def queries(metrics: Mapping[str, Metric], window: str, extra: str = "") -> dict[str, Query]:
    """Every question that the profile's metrics can answer, by the name of the fact."""
    requests, errors, latency = (metrics.get(name) for name in ("requests", "errors", "latency"))
    asked: dict[str, Query] = {}
    if isinstance(requests, Counter):
        asked |= _traffic(requests, window, extra)
    if isinstance(requests, Counter) and isinstance(errors, Counter):
        asked["error_ratio"] = Query(errors.name, ratio(errors, requests, window, extra))
    if isinstance(latency, Histogram):
        asked["latency_p95"] = Query(latency.name, quantile(0.95, latency, window, extra))
        asked["latency_max"] = Query(latency.name, quantile(1, latency, window, extra))
    gauges = {name: metric for name, metric in metrics.items() if isinstance(metric, Gauge)}
    return asked | {name: Query(metric.name, gauge(metric, extra)) for name, metric in gauges.items()}


def _traffic(requests: Counter, window: str, extra: str) -> dict[str, Query]:
    texts = {
        "requests": increase(requests, window, extra),
        "request_rate": rate(requests, window, extra),
        "hourly_rate": rate(requests, HOUR, extra),
        "hourly_rate_last_week": rate(requests, HOUR, extra, WEEK),
    }
    return {name: Query(requests.name, text) for name, text in texts.items()}


def _summed(function: str, metric: Counter, window: str, extra: str, offset: str = "") -> str:
    range_ = f"[{window}]" + (f" offset {offset}" if offset else "")
    meant = f"sum({function}({selector(metric, extra=extra)}{range_}))"
    if not metric.match and not metric.exclude:
        return meant
    comparable = _series(metric.name, [f'{label}!=""' for label in metric.match], extra)
    return f"({meant} or 0 * sum({function}({comparable}{range_})))"


def _lately(metric: Metric, extra: str) -> str:
    name = f"{metric.name}_bucket" if isinstance(metric, Histogram) else metric.name
    series = _series(name, [], extra)
    return f"{series} or {series} offset 1h or {series} offset 1d"


def _series(name: str, matchers: list[str], extra: str) -> str:
    every = matchers + ([extra] if extra else [])
    return name + (f"{{{','.join(every)}}}" if every else "")


def _escape(pattern: str) -> str:
    return pattern.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
