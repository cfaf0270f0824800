"""Watch the application after a change: ready all the time, no new errors, no more failed requests than before.

before = await baseline(target)      # before anything is changed
...
facts = await settle(target, before, seconds)
"""

import asyncio
import datetime as dt
import math
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from atomops.errors import AtomOpsError
from atomops.facts.logs import LogFacts
from atomops.facts.metrics import MetricsFacts
from atomops.facts.settling import Errors, Requests, SettlingFacts
from atomops.inventory import Target
from atomops.probes import logs, metrics
from atomops.probes.logs import Mark
from atomops.probes.metrics import prometheus, scrape
from atomops.probes.readiness import steadiness
from atomops.profiles import candidates
from atomops.verdict import Unseen

T = TypeVar("T")
_LEAST_WINDOW = 60  # seconds of Prometheus' rates: less holds too few scrapes
_LEAST_SCRAPE = 1  # seconds between two looks at the metrics page


@dataclass(frozen=True)
class Baseline:
    """How it was before: where the logs ended, the errors of the last hours, and the numbers of the last minutes."""

    mark: Mark
    errors: LogFacts | Unseen
    metrics: MetricsFacts | Unseen


async def baseline(target: Target) -> Baseline:
    """What is known before a change. Never raises: what cannot be seen says why."""
    mark = logs.mark(target)
    errors, numbers = await asyncio.gather(_attempt(logs.look(target)), _attempt(metrics.look(target)))
    return Baseline(mark, errors, numbers)


async def settle(target: Target, before: Baseline, seconds: float, since: Mark | None = None) -> SettlingFacts:
    """How it does during `seconds` from now. Errors count from `since`, else from the baseline. Never raises."""
    steady, numbers = await asyncio.gather(steadiness(target, seconds), _numbers(target, seconds))
    return SettlingFacts(
        at=dt.datetime.now(dt.UTC),
        seconds=seconds,
        is_ready=steady.is_ready if steady else None,
        asked=steady.asked if steady else 0,
        refused=steady.refused if steady else 0,
        last_refusal=steady.last_refusal if steady else "",
        errors=await _errors(target, before, since or before.mark),
        requests=_requests(numbers, before.metrics) if target.app or target.prometheus else None,
    )


async def _attempt(look: Awaitable[T]) -> T | Unseen:
    try:
        return await look
    except AtomOpsError as error:
        return Unseen(error.what, error.action)


async def _numbers(target: Target, seconds: float) -> MetricsFacts | Unseen:
    """Over exactly that time from the application's own page; Prometheus only where that page tells nothing.

    Its scrapes are too far apart for a minute, and its window may begin before the change.
    """
    profiles, end = candidates(target.profile), time.monotonic() + seconds
    if target.app is not None:
        watched = target.app.model_copy(update={"metrics_interval": max(seconds, _LEAST_SCRAPE)})
        facts = await _attempt(scrape.look(watched, profiles))
        if target.prometheus is None or _tells(facts):
            return facts
    if target.prometheus is None:
        return Unseen("nothing tells the application's metrics", "add [targets.….prometheus] or […app]")
    await asyncio.sleep(max(0, end - time.monotonic()))
    window = f"{math.ceil(max(seconds, _LEAST_WINDOW))}s"
    return await _attempt(prometheus.look(target.prometheus.model_copy(update={"window": window}), profiles))


def _tells(facts: MetricsFacts | Unseen) -> bool:
    return not isinstance(facts, Unseen) and not isinstance(facts.values.get("error_ratio", Unseen("")), Unseen)


async def _errors(target: Target, baseline: Baseline, since: Mark) -> Errors | Unseen | None:
    if target.logs is None:
        return None
    now, before = await _attempt(logs.look_since(target, since)), baseline.errors
    if isinstance(now, Unseen):
        return now
    if isinstance(before, Unseen):
        return before
    known = {group.key for group in before.groups}
    return Errors(
        since=now.since,
        seconds=now.hours * 3600,
        records=sum(now.totals.values()),
        critical=now.critical,
        groups=now.groups,
        new=tuple(group for group in now.groups if group.key not in known),
        before=sum(before.totals.values()),
        before_hours=before.hours,
    )


def _requests(now: MetricsFacts | Unseen, before: MetricsFacts | Unseen) -> Requests | Unseen:
    if isinstance(now, Unseen):
        return now
    absent = Unseen("the metrics tell no ratio of failed requests", "set `profile`, or mend its profile.toml")
    return Requests(
        source=now.source,
        seconds=now.window,
        asked=now.values.get("requests", absent),
        failed_ratio=now.values.get("error_ratio", absent),
        before=before if isinstance(before, Unseen) else before.values.get("error_ratio", absent),
        minimum=now.minimum_requests,
    )
