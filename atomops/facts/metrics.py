"""What the application's metrics said, through Prometheus or from its own metrics page."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from atomops.verdict import Unseen


@dataclass(frozen=True)
class MetricsFacts:
    """`values` are known by name; a name that the profile does not describe is absent.

    They are request_rate (per second), request_rate_last_week, requests (in the window), error_ratio (0 to 1),
    latency_p95 (seconds), and the profile's gauges. `source` says where they come from, `window` over how many seconds
    rates were taken. With fewer than `minimum_requests` in the window no ratio is made. `targets_down` are the scrape
    targets that Prometheus cannot reach, of `targets` in all.
    """

    at: dt.datetime
    source: str
    window: float
    minimum_requests: float
    profile: str | Unseen
    values: Mapping[str, float | Unseen]
    warnings: tuple[str, ...]
    targets: int | Unseen
    targets_down: tuple[str, ...]
    clock_offset: float | Unseen
