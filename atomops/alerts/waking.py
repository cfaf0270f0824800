"""When a run has to be asked for: alerts wait in the spool, or an open incident is due for another look."""

import datetime as dt
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from atomops.alerts import spool
from atomops.alerts.incidents import read_incidents
from atomops.errors import AtomOpsError
from atomops.inventory import Target

Ask = Callable[[Target, str], Awaitable[None]]
_AGAIN = 300.0  # seconds that a run may take to begin before another one is asked for; doubled each time, up to
_LONGEST = 3600.0
_RETRY, _SLOWEST = 1.0, 30.0  # seconds between two tries to reach the Prefect server

log = logging.getLogger("atomops.alerts")


@dataclass
class Waker:
    """Asks for runs of one target so that at most one runs and one more waits, however many alerts come.

    What has been asked for is not asked for again until somebody has begun to empty the spool: he takes all of it.
    """

    target: Target
    ask: Ask
    asked_at: float = 0.0
    patience: float = _AGAIN
    retry_at: float = 0.0
    pause: float = _RETRY
    count: int = field(default=0)

    async def turn(self) -> None:
        """Ask if it is time. Never raises: who cannot be reached is tried again, slower and slower."""
        now = spool.now()
        if now < self.retry_at:
            return
        reason = self._reason(now)
        if not reason:
            return
        try:
            await self.ask(self.target, reason)
        except AtomOpsError as error:
            if self.pause == _RETRY:
                log.warning("%s: kept until the Prefect server can be told: %s", self.target.name, error)
            self.retry_at, self.pause = now + self.pause, min(_SLOWEST, self.pause * 2)
            return
        self.patience = min(_LONGEST, self.patience * 2) if self._is_asked() else _AGAIN
        self.asked_at, self.retry_at, self.pause = now, 0.0, _RETRY
        self.count += 1
        log.info("%s: a run of alert-response is asked for: %s", self.target.name, reason)

    def _is_asked(self) -> bool:
        """Somebody has been asked for, and has not begun."""
        return self.asked_at > spool.drained_at(self.target)

    def _reason(self, now: float) -> str:
        try:
            if self._is_asked() and now - self.asked_at < self.patience:
                return ""
            if spool.waiting(self.target):
                return "alerts wait"
            return "an open incident is looked at again" if self._is_due(now) else ""
        except (OSError, AtomOpsError) as error:
            log.warning("%s: the spool cannot be looked at: %s", self.target.name, error)
            self.retry_at = now + _SLOWEST
            return ""

    def _is_due(self, now: float) -> bool:
        drained = spool.drained_at(self.target)
        pause = self.target.alerts.look_again_minutes * 60
        if now - max(drained, self.asked_at) < pause:
            return False
        kept = read_incidents(self.target)
        looked = kept.looked or dt.datetime.fromtimestamp(0, dt.UTC)
        return any(each.is_open for each in kept.incidents) and now - looked.timestamp() >= pause
