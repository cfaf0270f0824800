"""Which of the databases that were replaced may be dropped. Pure."""

import datetime as dt
from collections.abc import Iterable

from atomops.facts.restore import Replaced


def due(kept: Iterable[Replaced], now: dt.datetime) -> tuple[Replaced, ...]:
    """Those that were to be kept until a moment that has passed, the oldest first."""
    return tuple(sorted((each for each in kept if each.until <= now), key=lambda each: each.until))
