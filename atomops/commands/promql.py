"""PromQL from a profile's descriptions: always aggregated, so that no series is picked by chance."""

from collections.abc import Mapping

from atomops.profiles.profile import Counter, Gauge, Histogram, Metric

RANGE_OF_A_WEEK = "1w"


def selector(metric: Metric, suffix: str = "", extra: str = "") -> str:
    """The series of a metric: its name, its label patterns, and the target's own selector (`job="atom"`)."""
    matchers = [f'{label}=~"{_escape(pattern)}"' for label, pattern in metric.match.items()]
    matchers += [f'{label}!~"{_escape(pattern)}"' for label, pattern in metric.exclude.items()]
    matchers += [extra] if extra else []
    return f"{metric.name}{suffix}" + (f"{{{','.join(matchers)}}}" if matchers else "")


def rate(metric: Counter, window: str, extra: str = "", offset: str = "") -> str:
    """Per second, over all series. `offset` looks that far back."""
    past = f" offset {offset}" if offset else ""
    return f"sum(rate({selector(metric, extra=extra)}[{window}]{past}))"


def increase(metric: Counter, window: str, extra: str = "") -> str:
    """How many in the window, over all series."""
    return f"sum(increase({selector(metric, extra=extra)}[{window}]))"


def ratio(part: Counter, whole: Counter, window: str, extra: str = "") -> str:
    """A share from 0 to 1. A part without any series yet is none at all, but only where the whole has series."""
    return f"({rate(part, window, extra)} or {rate(whole, window, extra)} * 0) / {rate(whole, window, extra)}"


def quantile(share: float, metric: Histogram, window: str, extra: str = "") -> str:
    """The value below which `share` of the observations lie; NaN without observations."""
    buckets = selector(metric, "_bucket", extra)
    return f"histogram_quantile({share}, sum by (le) (rate({buckets}[{window}])))"


def gauge(metric: Gauge, extra: str = "") -> str:
    """The series combined as the profile says, times its scale."""
    scaled = f"{metric.combine}({selector(metric, extra=extra)})"
    return scaled if metric.scale == 1 else f"{scaled} * {metric.scale:g}"


def queries(metrics: Mapping[str, Metric], window: str, extra: str = "") -> dict[str, str]:
    """Every question that the profile's metrics can answer, by the name of the fact."""
    asked: dict[str, str] = {}
    requests, errors, latency = (metrics.get(name) for name in ("requests", "errors", "latency"))
    if isinstance(requests, Counter):
        asked["request_rate"] = rate(requests, window, extra)
        asked["request_rate_last_week"] = rate(requests, window, extra, RANGE_OF_A_WEEK)
        asked["requests"] = increase(requests, window, extra)
        if isinstance(errors, Counter):
            asked["error_ratio"] = ratio(errors, requests, window, extra)
    if isinstance(latency, Histogram):
        asked["latency_p95"] = quantile(0.95, latency, window, extra)
    gauges = {name: metric for name, metric in metrics.items() if isinstance(metric, Gauge)}
    return asked | {name: gauge(metric, extra) for name, metric in gauges.items()}


def _escape(pattern: str) -> str:
    return pattern.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
