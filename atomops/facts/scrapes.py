"""Two scrapes of a metrics page become the same values that Prometheus would give. Pure."""

import math
import re
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from atomops.profiles.profile import Counter, Gauge, Histogram, Metric
from atomops.verdict import Unseen

Labels = tuple[tuple[str, str], ...]
Bucket = tuple[float, float]  # upper bound, observations up to it

PROCESS_START = "process_start_time_seconds"
_NOT_COMPARABLE = "look again; with several replicas behind one address, add [targets.….prometheus]"
_COMBINED: Mapping[str, Callable[[list[float]], float]] = {
    "sum": math.fsum,
    "avg": statistics.fmean,
    "min": min,
    "max": max,
}
_QUIET = Unseen("nobody asked anything between the two scrapes", "raise app.metrics_interval")


@dataclass(frozen=True)
class Sample:
    """One line of a metrics page."""

    name: str
    labels: Mapping[str, str]
    value: float


Page = tuple[Sample, ...]


def has_requests(page: Page, metrics: Mapping[str, Metric]) -> bool:
    """Whether the page holds the metric that counts requests."""
    requests = metrics.get("requests")
    return requests is not None and any(sample.name == requests.name for sample in page)


def values(first: Page, second: Page, window: float, metrics: Mapping[str, Metric]) -> dict[str, float | Unseen]:
    """The values of the profile's metrics over `window` seconds between two pages."""
    requests, errors, latency = (metrics.get(name) for name in ("requests", "errors", "latency"))
    found: dict[str, float | Unseen] = {}
    if isinstance(requests, Counter):
        asked = increase(first, second, requests)
        found |= {"requests": asked, "request_rate": asked if isinstance(asked, Unseen) else asked / window}
        if isinstance(errors, Counter):
            found["error_ratio"] = _ratio(increase(first, second, errors), asked)
    if isinstance(latency, Histogram):
        found |= {"latency_p95": quantile(0.95, first, second, latency)}
        found |= {"latency_max": quantile(1, first, second, latency)}
    gauges = {name: metric for name, metric in metrics.items() if isinstance(metric, Gauge)}
    return found | {name: _gauge(second, metric) for name, metric in gauges.items()}


def increase(first: Page, second: Page, metric: Counter) -> float | Unseen:
    """How much a counter has grown over all its series; 0 where it is exported and no series of it is meant.

    Unseen where it is not exported, or without a label that the profile matches on.
    """
    growth = _growth(first, second, metric, metric.name)
    return growth if isinstance(growth, Unseen) else math.fsum(growth.values())


def quantile(share: float, first: Page, second: Page, metric: Histogram) -> float | Unseen:
    """The latency below which `share` of the observations between the pages lie, in the histogram's unit."""
    growth = _growth(first, second, metric, f"{metric.name}_bucket")
    if isinstance(growth, Unseen):
        return growth
    counts: dict[float, float] = {}
    for labels, grown in growth.items():
        bound = _bound(dict(labels).get("le", ""))
        counts[bound] = counts.get(bound, 0) + grown
    value = histogram_quantile(share, counts.items())
    if value is None:
        return Unseen(f"{metric.name} is no whole histogram: it lacks a bucket up to +Inf", "mend the exporter")
    return _QUIET if math.isnan(value) else value


def histogram_quantile(share: float, buckets: Iterable[Bucket]) -> float | None:
    """As in Prometheus: linear within a bucket, in the last one the largest finite bound; NaN without observations.

    `share` is above 0 and at most 1. None when there is no bucket up to +Inf, or none but it.
    """
    ordered = sorted(buckets)
    bounds = [bound for bound, _ in ordered]
    if len(bounds) < 2 or bounds[-1] != math.inf or not all(map(math.isfinite, bounds[:-1])):  # noqa: PLR2004 - +Inf and another
        return None
    counts = list(accumulate((count for _, count in ordered), max))  # a page may be written while it is counted on
    if counts[-1] == 0:
        return math.nan
    wanted = share * counts[-1]
    place = next(place for place, count in enumerate(counts) if count >= wanted)
    upper, below = bounds[place], counts[place - 1] if place else 0.0
    lower = bounds[place - 1] if place else min(0.0, upper)
    return lower if math.isinf(upper) else lower + (upper - lower) * (wanted - below) / (counts[place] - below)


def _growth(first: Page, second: Page, metric: Metric, name: str) -> dict[Labels, float] | Unseen:
    """The growth of every series that is meant. A counter that fell was reset, or is another replica's."""
    if not any(_has_labels(sample, metric, name) for sample in second):
        return _missing(metric, name)
    if _starts(first) != _starts(second):
        return Unseen("the two scrapes came from different processes: a restart, or replicas", _NOT_COMPARABLE)
    before, now = _series(first, metric, name), _series(second, metric, name)
    growth = {labels: now.get(labels, 0) - before.get(labels, 0) for labels in before | now}
    if not all(0 <= grown < math.inf for grown in growth.values()):
        return Unseen(f"{name} fell between the two scrapes: a restart, or replicas", _NOT_COMPARABLE)
    return growth


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _starts(page: Page) -> tuple[float, ...]:
    return tuple(sorted(sample.value for sample in page if sample.name == PROCESS_START))


def _missing(metric: Metric, name: str) -> Unseen:
    labelled = f" with the label {' and '.join(metric.match)}" if metric.match else ""
    return Unseen(f"the metrics page has no {name}{labelled}", "set `profile`, or mend its profile.toml")


def _has_labels(sample: Sample, metric: Metric, name: str) -> bool:
    return sample.name == name and all(sample.labels.get(label) for label in metric.match)


def _ratio(part: float | Unseen, whole: float | Unseen) -> float | Unseen:
    if isinstance(whole, Unseen):
        return whole
    if isinstance(part, Unseen):
        return part
    return part / whole if whole else _QUIET


def _gauge(page: Page, metric: Gauge) -> float | Unseen:
    found = list(_series(page, metric, metric.name).values())
    if not found:
        return _missing(metric, metric.name)
    value = _COMBINED[metric.combine](found) * metric.scale
    return value if math.isfinite(value) else Unseen(f"{metric.name} is {value}", "mend the exporter")


def _series(page: Page, metric: Metric, name: str) -> dict[Labels, float]:
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for sample in page
        if sample.name == name and _selected(sample.labels, metric)
    }


def _selected(labels: Mapping[str, str], metric: Metric) -> bool:
    wanted = all(_fits(pattern, labels.get(label, "")) for label, pattern in metric.match.items())
    return wanted and not any(_fits(pattern, labels.get(label, "")) for label, pattern in metric.exclude.items())


def _fits(pattern: str, value: str) -> bool:
    return re.fullmatch(pattern, value, re.DOTALL) is not None
