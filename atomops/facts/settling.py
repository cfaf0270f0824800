"""How the application has done in the time after a change, beside how it did before."""

from dataclasses import dataclass

from pydantic import AwareDatetime

from atomops.facts.logs import ErrorGroup
from atomops.verdict import Unseen


@dataclass(frozen=True)
class Errors:
    """Error records that were written since the change, largest group first.

    `new` are kinds that had not been seen in the `before_hours` before it, in which `before` records were written.
    """

    since: AwareDatetime
    seconds: float
    records: int
    critical: int
    groups: tuple[ErrorGroup, ...]
    new: tuple[ErrorGroup, ...]
    before: int
    before_hours: float

    @property
    def expected(self) -> float:
        """How many would have been written in that time, had it gone on as before."""
        return self.before * self.seconds / (self.before_hours * 3600)


@dataclass(frozen=True)
class Requests:
    """What share of how many requests has failed; `before` is that share before the change."""

    source: str
    seconds: float
    asked: float | Unseen
    failed_ratio: float | Unseen
    before: float | Unseen
    minimum: float


@dataclass(frozen=True)
class SettlingFacts:
    """`seconds` is for how long it was watched; `asked` and `refused` count readiness questions.

    `is_ready` says how it was at the end, None without an application to ask; `last_refusal` what it said. `errors` and
    `requests` are None where the target has no logs, and no metrics.
    """

    at: AwareDatetime
    seconds: float
    is_ready: bool | None
    asked: int
    refused: int
    last_refusal: str
    errors: Errors | Unseen | None
    requests: Requests | Unseen | None
