"""The past of a file system, and when it will be full if it goes on like that. Pure."""

import datetime as dt
import math
import statistics
from collections.abc import Iterable, Sequence

from atomops.facts.capacity import CapacityFacts, FileSystem, Sample
from atomops.verdict import Unseen

MOST_SAMPLES = 60
APART = dt.timedelta(hours=1)
OLDEST = dt.timedelta(days=30)  # what was longer ago says little about the growth of now
LEAST_SAMPLES = 3
LEAST_PAST = dt.timedelta(days=1)
_DAY = 86_400  # seconds


def days_to_full(samples: Sequence[Sample], available: float) -> float:
    """Days until `available` bytes are used by the linear trend of the samples; infinite when they do not grow.

    The samples must lie at two moments at least. Faster growth never gives more days.
    """
    first = samples[0].at
    days = [(sample.at - first).total_seconds() / _DAY for sample in samples]
    growth = statistics.linear_regression(days, [sample.used for sample in samples]).slope
    return available / growth if growth > 0 else math.inf


def is_long_enough(samples: Sequence[Sample]) -> bool:
    """Whether the samples, in the order of time, say anything: three of them, over a day at least."""
    return len(samples) >= LEAST_SAMPLES and samples[-1].at - samples[0].at >= LEAST_PAST


def carried(before: CapacityFacts | None, now: Iterable[FileSystem], at: dt.datetime) -> dict[str, tuple[Sample, ...]]:
    """The past of the file systems of `now`, by mount point: what was known at the last look, and that look itself.

    At most 60 samples of the last 30 days, an hour apart at least; none of the future, where a clock went back. Another
    file system under the same mount point, or one of another size, begins anew.
    """
    if before is None or isinstance(before.past, Unseen):
        return {}
    same = {(each.mount, each.identity, each.size) for each in now}
    return {
        each.mount: _recent([*before.past.get(each.mount, ()), Sample(before.at, each.used)], at)
        for each in before.file_systems
        if (each.mount, each.identity, each.size) in same
    }


def _recent(samples: Iterable[Sample], at: dt.datetime) -> tuple[Sample, ...]:
    return tuple(_thinned(sample for sample in samples if at - OLDEST <= sample.at < at))[-MOST_SAMPLES:]


def _thinned(samples: Iterable[Sample]) -> list[Sample]:
    kept: list[Sample] = []
    for sample in samples:
        if not kept or sample.at - kept[-1].at >= APART:
            kept.append(sample)
    return kept
