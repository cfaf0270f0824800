"""What the application answered to its health endpoints."""

import datetime as dt
from dataclasses import dataclass

from atomops.verdict import Unseen


@dataclass(frozen=True)
class Component:
    """One entry of `checks` in the readiness answer, in either shape."""

    name: str
    healthy: bool
    message: str


@dataclass(frozen=True)
class Endpoint:
    """One request and its answer. `problem` is empty for a good one; `latency` is in seconds."""

    path: str
    status: int | None
    latency: float
    problem: str
    action: str


@dataclass(frozen=True)
class HealthFacts:
    """Both endpoints, asked side by side. `clock_offset` (seconds, exact to one) is the server's clock minus ours."""

    at: dt.datetime
    url: str
    live: Endpoint
    ready: Endpoint
    components: tuple[Component, ...] | Unseen
    clock_offset: float | Unseen
