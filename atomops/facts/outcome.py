"""What came of one probe: its facts, or the reason why there are none."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from atomops.verdict import Reading, Unseen

F = TypeVar("F")


@dataclass(frozen=True)
class Outcome(Generic[F]):
    """One attempt to look at a part of the target. Exactly one of `facts` and `unseen` is given.

    `seconds` is the wall time of the probe, retries included.
    """

    part: str
    seconds: float
    facts: F | None = None
    unseen: Unseen | None = None

    def reachable(self, server: str) -> Reading:
        """The reading of a "does it answer at all" check: 0 failures, or 1 with the error's own words."""
        if self.unseen is None:
            return Reading(0, f"{server} answered in {self.seconds:.2f} s")
        return Reading(1, self.unseen.reason, action=self.unseen.action)
