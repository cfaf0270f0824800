"""What was cleared of the caches, what would have been, and how often a look-up hits before and after."""

from dataclasses import dataclass

from pydantic import AwareDatetime

from atomops.facts.restore import Step
from atomops.verdict import Unseen


@dataclass(frozen=True)
class SampledKey:
    """One key as it was found. Size in bytes by MEMORY USAGE; `ttl` in seconds, None for a key that never expires."""

    name: str
    kind: str
    size: int | None
    ttl: float | None


@dataclass(frozen=True)
class Keyspace:
    """What one whole SCAN found under a prefix; `of` are all keys of the database."""

    keys: int
    of: int
    sampled: tuple[SampledKey, ...] = ()

    @property
    def size(self) -> float | None:
        """Bytes of them all, by the mean of the sample; None when no size could be asked for."""
        sizes = [each.size for each in self.sampled if each.size is not None]
        return self.keys * sum(sizes) / len(sizes) if sizes else None


@dataclass(frozen=True)
class QueueKeys:
    """A job queue, or another group of keys that is never cleared, and how many jobs it holds."""

    name: str
    jobs: int


@dataclass(frozen=True)
class Pass:
    """One attempt, from its own first key to the last. `removed` are those that the server has acknowledged.

    `server` is its run id; `problem` is why the attempt ended early, "" when it came to its end.
    """

    server: str
    removed: int
    problem: str = ""


@dataclass(frozen=True)
class Traffic:
    """Look-ups during a while of so many seconds."""

    hits: int
    misses: int
    seconds: float


@dataclass(frozen=True)
class RedisCleared:
    """Redis, before and after. `flush`: the whole database instead of what is under `prefix`.

    `problem` is why it is not known to be cleared. `after` is None where nothing was removed.
    """

    where: str
    prefix: str
    flush: bool
    found: Keyspace
    queues: tuple[QueueKeys, ...]
    before: Traffic | Unseen | None = None
    passes: tuple[Pass, ...] = ()
    problem: Unseen | None = None
    left: Keyspace | Unseen | None = None
    after: Traffic | Unseen | None = None

    @property
    def removed(self) -> int:
        """How many keys are gone at least: what a lost server had removed, its successor may have had to do again."""
        by_server: dict[str, int] = {}
        for each in self.passes:
            by_server[each.server] = by_server.get(each.server, 0) + each.removed
        return max(by_server.values(), default=0)

    @property
    def is_exact(self) -> bool:
        """One attempt, which came to its end: nothing was lost on the way."""
        return len(self.passes) == 1 and not self.passes[0].problem


@dataclass(frozen=True)
class Answered:
    """What an endpoint of the application answered. `problem` says why that does not count as done."""

    request: str
    status: int | None
    said: str
    seconds: float
    problem: Unseen | None = None


@dataclass(frozen=True)
class CacheFacts:
    """The whole of it. A part is None where it was not asked for."""

    at: AwareDatetime
    dry_run: bool
    steps: tuple[Step, ...]
    redis: RedisCleared | None = None
    application: Answered | None = None
