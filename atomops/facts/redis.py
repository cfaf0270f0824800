"""What was seen of a Redis or Valkey server. Sizes are bytes, ages and latencies seconds."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from atomops.verdict import NotSeen, Unseen, known

Info = Mapping[str, str | int | float]

_ALWAYS_GROW = ("uptime_in_seconds", "total_connections_received", "total_commands_processed")


@dataclass(frozen=True)
class Queue:
    """One RQ queue: jobs that wait, and jobs in its registry of failed ones."""

    name: str
    waiting: int
    failed: int


@dataclass(frozen=True)
class RedisFacts:
    """One look. `info` is the server's INFO, flattened; `clock_offset` is the server's clock minus ours.

    `refusal` is the error with which PING was answered, such as MISCONF or LOADING, or empty. `latency` is that of the
    fastest of several PINGs. `saves` tells whether snapshots are configured at all.
    """

    at: dt.datetime
    refusal: str
    latency: float | Unseen
    info: Unseen | Info  # in this order: a kept Unseen would be read back as a mapping of two words
    clock_offset: float | Unseen
    saves: bool | Unseen
    queues: tuple[Queue, ...] | Unseen


def number(seen: RedisFacts, key: str) -> float:
    """A number of INFO; raises NotSeen, so that a check without it is UNKNOWN."""
    value = known(seen.info).get(key)
    if not isinstance(value, int | float):
        raise _absent(seen, key)
    return float(value)


def word(seen: RedisFacts, key: str) -> str:
    """A value of INFO as it stands; raises NotSeen as `number` does."""
    value = known(seen.info).get(key)
    if value is None:
        raise _absent(seen, key)
    return str(value)


def mode(seen: RedisFacts) -> str:
    """standalone, cluster or sentinel; Valkey and Redis have different names for it."""
    info = known(seen.info)
    return str(info.get("redis_mode") or info.get("server_mode") or "standalone")


def _absent(seen: RedisFacts, key: str) -> NotSeen:
    if mode(seen) == "sentinel":
        action = "put the server that it watches into redis.url"
        return NotSeen(Unseen("this is a Sentinel, which keeps no data", action))
    return NotSeen(Unseen(f"INFO has no {key}", "the server is too old, or a managed service hides it"))


def grown(seen: RedisFacts, before: RedisFacts, counter: str) -> float:
    """The change of a counter; after a restart, a failover or CONFIG RESETSTAT it is unknown (NotSeen)."""
    now, earlier = known(seen.info), known(before.info)
    change = number(seen, counter) - number(before, counter)
    fell = [key for key in _ALWAYS_GROW if key in now and key in earlier and number(seen, key) < number(before, key)]
    if now.get("run_id") != earlier.get("run_id") or fell or change < 0:
        reason = "the server was restarted, replaced or had its counters reset since the last look"
        raise NotSeen(Unseen(reason, "nothing: the next look can compare again"))
    return change
