"""What the application's metrics said, through Prometheus or from its own metrics page."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from atomops.verdict import Unseen


@dataclass(frozen=True)
class ScrapeTarget:
    """One address that Prometheus reads the application's metrics from."""

    job: str
    instance: str
    up: bool


@dataclass(frozen=True)
class PrometheusState:
    """Prometheus itself: what it scrapes of the application, what it remarked on its answers, its clock minus ours.

    `selector` is the target's own, added to every metric; the offset of the clock is in seconds.
    """

    selector: str
    targets: tuple[ScrapeTarget, ...] | Unseen
    warnings: tuple[str, ...]
    infos: tuple[str, ...]
    clock_offset: float | Unseen


@dataclass(frozen=True)
class MetricsFacts:
    """`values` are known by name; a name that the profile does not describe is absent.

    They are request_rate (per second), requests (in the window), hourly_rate and hourly_rate_last_week (per second,
    over an hour; Prometheus only), error_ratio (0 to 1), latency_p95 and latency_max (seconds; the latter is the
    largest bucket bound that was reached), and the profile's gauges. `source` says where they come from, `window` over
    how many seconds rates were taken. With fewer than `minimum_requests` in the window no ratio is made. `prometheus`
    is None when the metrics page itself was read.
    """

    at: dt.datetime
    source: str
    window: float
    minimum_requests: float
    profile: str | Unseen
    values: Mapping[str, float | Unseen]
    prometheus: PrometheusState | None = None
