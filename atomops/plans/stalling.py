"""When a rollout is given up before its time: its pods say why they do not come up, and go on saying it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from atomops.plans.pods import Cause, Trouble

_RESTARTS = 3  # after backoffs of 10, 20 and 40 seconds: no start that only came too early


@dataclass(frozen=True)
class Patience:
    """Seconds that a pod may be in trouble. `room` is for what others may cure: a new node, pods that still go."""

    trouble: float
    room: float

    def of(self, cause: Cause) -> float:
        """Seconds for this cause; endless for one that time may cure, which the rollout's own deadline ends."""
        if cause in {Cause.UNREADY, Cause.ENDED}:
            return float("inf")
        return self.room if cause is Cause.ROOM else self.trouble


@dataclass(frozen=True)
class Watched:
    """Since when each pod has been in trouble, by its name. Times are seconds of any clock that only goes forward."""

    since: Mapping[tuple[str, Cause], float] = field(default_factory=dict)

    def saw(self, troubles: Iterable[Trouble], now: float) -> "Watched":
        """The same after another look: what is cured is forgotten, what goes on keeps its time."""
        return Watched({(each.where, each.cause): self.since.get((each.where, each.cause), now) for each in troubles})

    def lost(self, troubles: Iterable[Trouble], now: float, patience: Patience) -> tuple[Trouble, ...]:
        """Those that no more waiting is due to."""
        return tuple(each for each in troubles if self._is_lost(each, now, patience))

    def _is_lost(self, trouble: Trouble, now: float, patience: Patience) -> bool:
        if trouble.is_certain or (trouble.cause is Cause.CRASH and trouble.restarts >= _RESTARTS):
            return True
        begun = self.since.get((trouble.where, trouble.cause), now)
        return now - begun >= patience.of(trouble.cause)
