"""What came of a restart: what ran before, what runs now, and what was done about it when it failed."""

from dataclasses import dataclass

from pydantic import AwareDatetime

from atomops.facts.restore import Step
from atomops.facts.runtime import Running
from atomops.verdict import Unseen


@dataclass(frozen=True)
class RestartFacts:
    """The whole restart. Times in seconds.

    `after` is None where nothing was restarted. `was_ready` is how it was before, None without an application to ask.

    `problem` is why it counts as failed; `undone` what taking it back came to, "" where that was not tried. `downtime`
    lasts from the first readiness question that was refused to the first good answer that stayed, None for no refusal.
    `took` is how long the runtime worked. `said` are the last lines of what did not come up.
    """

    at: AwareDatetime
    dry_run: bool
    runtime: str
    before: Running
    steps: tuple[Step, ...] = ()
    after: Running | Unseen | None = None
    was_ready: bool | None = None
    took: float | None = None
    downtime: float | None = None
    refusals: int = 0
    problem: Unseen | None = None
    undone: str = ""
    said: tuple[str, ...] = ()
    resumed: tuple[str, ...] = ()
