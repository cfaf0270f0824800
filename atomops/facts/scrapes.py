"""Two scrapes of a metrics page become the same values that Prometheus would give. Pure."""

import math
import re
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from atomops.profiles.profile import Counter, Gauge, Histogram, Metric
from atomops.verdict import Unseen

Labels = tuple[tuple[str, str], ...]


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
        found["requests"] = asked
        found["request_rate"] = asked if isinstance(asked, Unseen) else asked / window
        if isinstance(errors, Counter):
            found["error_ratio"] = _ratio(increase(first, second, errors), asked)
    if isinstance(latency, Histogram):
        found["latency_p95"] = quantile(0.95, first, second, latency)
    gauges = {name: metric for name, metric in metrics.items() if isinstance(metric, Gauge)}
    return found | {name: _gauge(second, metric) for name, metric in gauges.items()}


def increase(first: Page, second: Page, metric: Counter) -> float | Unseen:
    """How much a counter has grown over all its series; a counter that fell has started again from 0."""
    now = _series(second, metric, metric.name)
    if not now and not any(sample.name == metric.name for sample in second):
        return Unseen(f"the metrics page has no {metric.name}")
    before = _series(first, metric, metric.name)
    return sum(_grown(before.get(labels, 0), value) for labels, value in now.items())


def quantile(share: float, first: Page, second: Page, metric: Histogram) -> float | Unseen:
    """As Prometheus's histogram_quantile: linear within the bucket; in the last one its lower bound."""
    buckets = _bucket_growth(first, second, metric)
    if not buckets:
        return Unseen(f"the metrics page has no {metric.name}_bucket")
    total = buckets[-1][1]
    if total == 0:
        return Unseen("nobody asked anything between the two scrapes")
    wanted = share * total
    place = next(place for place, (_, count) in enumerate(buckets) if count >= wanted)
    bound, count = buckets[place]
    lower, below = buckets[place - 1] if place else (0.0, 0.0)
    return lower if math.isinf(bound) else lower + (bound - lower) * (wanted - below) / (count - below)


def _bucket_growth(first: Page, second: Page, metric: Histogram) -> list[tuple[float, float]]:
    """Upper bounds and cumulative counts of the observations between the pages, the bounds rising."""
    name = f"{metric.name}_bucket"
    before, growth = _series(first, metric, name), dict[float, float]()
    for labels, value in _series(second, metric, name).items():
        bound = float(dict(labels)["le"])
        growth[bound] = growth.get(bound, 0) + _grown(before.get(labels, 0), value)
    return sorted(growth.items())


def _ratio(part: float | Unseen, whole: float | Unseen) -> float | Unseen:
    if isinstance(whole, Unseen):
        return whole
    if whole == 0:
        return Unseen("nobody asked anything between the two scrapes")
    return part if isinstance(part, Unseen) else part / whole


def _gauge(page: Page, metric: Gauge) -> float | Unseen:
    found = list(_series(page, metric, metric.name).values())
    if not found:
        return Unseen(f"the metrics page has no {metric.name}")
    return _combined(found, metric) * metric.scale


def _combined(numbers: list[float], metric: Gauge) -> float:
    match metric.combine:
        case "sum":
            return sum(numbers)
        case "avg":
            return statistics.fmean(numbers)
        case "min":
            return min(numbers)
        case "max":
            return max(numbers)


def _series(page: Page, metric: Metric, name: str) -> dict[Labels, float]:
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for sample in page
        if sample.name == name and _selected(sample.labels, metric)
    }


def _selected(labels: Mapping[str, str], metric: Metric) -> bool:
    wanted = all(re.fullmatch(pattern, labels.get(label, "")) for label, pattern in metric.match.items())
    return wanted and not any(re.fullmatch(pattern, labels.get(label, "")) for label, pattern in metric.exclude.items())


def _grown(before: float, now: float) -> float:
    return now - before if now >= before else now
