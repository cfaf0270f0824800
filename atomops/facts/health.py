"""What the application answered to its health endpoints."""

import datetime as dt
from dataclasses import dataclass

from atomops.verdict import Unseen


@dataclass(frozen=True)
class Component:
    """One entry of `checks` in the readiness answer, in either shape. `latency` is in seconds, as the answer says."""

    name: str
    healthy: bool
    message: str
    latency: float | None = None


@dataclass(frozen=True)
class Endpoint:
    """One request and its answer. `problem` is empty for a good one.

    `status` and `latency` (seconds) are None when no answer came.
    """

    path: str
    status: int | None
    latency: float | None
    problem: str = ""
    action: str = ""


@dataclass(frozen=True)
class HealthFacts:
    """Both endpoints, asked side by side; at least one of them answered.

    `clock_offset` (seconds) is the least by which the server's clock must be ahead of ours, or behind when negative:
    its Date header has no fractions. `version` is empty when no answer tells it.
    """

    at: dt.datetime
    url: str
    live: Endpoint
    ready: Endpoint
    components: tuple[Component, ...] | Unseen
    clock_offset: float | Unseen
    version: str = ""
