"""What was seen of a Redis or Valkey server. Sizes are bytes, ages and latencies seconds."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from atomops.verdict import Unseen

Info = Mapping[str, str | int | float]


@dataclass(frozen=True)
class Queue:
    """One RQ queue: jobs that wait, and jobs in its registry of failed ones."""

    name: str
    waiting: int
    failed: int


@dataclass(frozen=True)
class RedisFacts:
    """One look. `info` is the server's INFO, flattened; `clock_offset` is the server's clock minus ours.

    `saves` tells whether snapshots are configured at all.
    """

    at: dt.datetime
    latency: float
    info: Info | Unseen
    clock_offset: float | Unseen
    saves: bool | Unseen
    queues: tuple[Queue, ...] | Unseen
