"""An agent's profiling switched on and off: what the application answered each time."""

from dataclasses import dataclass

from pydantic import AwareDatetime

from atomops.facts.cache import Answered
from atomops.facts.restore import Step
from atomops.verdict import Unseen


@dataclass(frozen=True)
class ProfilingFacts:
    """The whole of it. `on` and `off` are None where that was not asked for, or never came to it.

    `enabled_on` and `enabled_off` are what the answers themselves say of it, None when they say nothing. `early` when
    somebody else has switched it off before its time. `safety` tells of the run that would switch it off if we died.
    """

    at: AwareDatetime
    dry_run: bool
    agent: str
    steps: tuple[Step, ...]
    until: AwareDatetime | None = None
    on: Answered | None = None
    enabled_on: bool | None = None
    off: Answered | None = None
    enabled_off: bool | None = None
    early: bool = False
    safety: str | Unseen = ""
    resumed: tuple[str, ...] = ()
