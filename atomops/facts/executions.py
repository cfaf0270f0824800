"""Who runs which agent how often, told by the application's own tables. Counts are executions."""

import datetime as dt
from dataclasses import dataclass

from atomops.verdict import Unseen


@dataclass(frozen=True)
class Executions:
    """Those of one user with one agent; `last` is when the newest of them began."""

    user: str | None
    agent: str | None
    executions: int
    last: dt.datetime


@dataclass(frozen=True)
class Hour:
    """The last hour of one user with one agent, and the hours before it in which there were any.

    `oldest` is how many hours ago the first of them lies within the baseline's days.
    """

    user: str | None
    agent: str | None
    executions: int
    before: tuple[int, ...]
    oldest: int


@dataclass(frozen=True)
class Addresses:
    """From how many addresses one user ran agents in the last hour; at most 20 are named.

    `fresh` are those from which nothing was run in the days of the baseline before.
    """

    user: str | None
    many: int
    addresses: tuple[str, ...]
    fresh: tuple[str, ...]


@dataclass(frozen=True)
class Usual:
    """What the inventory says of the baseline, so that a check knows it."""

    baseline_days: int
    baseline_hours: int
    fixed: int
    times: float
    at_least: int


@dataclass(frozen=True)
class ExecutionFacts:
    """`total` counts all executions of the last `days`, `pairs` those who made them; `by_pair` are the busiest."""

    at: dt.datetime
    profile: str | Unseen
    days: int
    usual: Usual
    by_pair: tuple[Executions, ...] | Unseen
    total: int
    pairs: int
    hours: tuple[Hour, ...] | Unseen
    addresses: tuple[Addresses, ...] | Unseen | None
