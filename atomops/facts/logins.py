"""Logins that failed, from every place that tells of them."""

import datetime as dt
from dataclasses import dataclass

from atomops.verdict import Unseen

UNNAMED = ""  # the account or address that a record does not name


@dataclass(frozen=True)
class Failed:
    """Failed logins of one account from one address; either may be unnamed. Times are UTC."""

    account: str
    address: str
    count: int
    first: dt.datetime
    last: dt.datetime


@dataclass(frozen=True)
class Source:
    """What one place tells. `more` are failed logins beyond the bound on pairs, `incomplete` what was not read."""

    failed: tuple[Failed, ...]
    more: int = 0
    incomplete: tuple[Unseen, ...] = ()

    @property
    def total(self) -> int:
        """Every failed login of this source."""
        return self.more + sum(each.count for each in self.failed)


@dataclass(frozen=True)
class LoginFacts:
    """The last `hours` before `at`. A source is None where it is not configured, or the profile has none."""

    at: dt.datetime
    hours: float
    log: Source | Unseen | None
    table: Source | Unseen | None
    postgres: Source | Unseen | None
