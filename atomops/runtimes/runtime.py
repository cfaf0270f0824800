"""What a runtime can do. One implementation a kind; the inventory chooses."""

import datetime as dt
from typing import Protocol, runtime_checkable

from atomops.errors import PermanentError
from atomops.facts.runtime import Running
from atomops.verdict import Unseen


class NotComingUp(PermanentError):
    """What was started does not become ready, and will not by waiting. Carries what its instances say."""

    def __init__(self, what: str, *, action: str = "", evidence: tuple[str, ...] = ()) -> None:
        super().__init__(what, action=action)
        self.evidence = evidence


class Runtime(Protocol):
    """The application as something that can be stopped and started.

    Every call bounds its own time, may be cancelled, and raises AtomOpsErrors only: NotThere for what does not exist,
    AccessDenied naming the right that is missing, TimedOut, Unreachable, NotComingUp.
    """

    @property
    def name(self) -> str:
        """What is meant, as a person would name it: "deployment default/atom", "unit atom-os.service"."""

    async def describe(self) -> Running:
        """What runs now. Changes nothing."""

    async def stop(self, before: Running) -> None:
        """No process of it is left when this returns; `before` is remembered where the runtime can."""

    async def start(self, before: Running) -> None:
        """As many run, and are available, as `before`. Safe to call when they run already."""

    async def restart(self) -> None:
        """Every instance is a new one, and available; at no time were there fewer than the runtime allows."""

    async def undo(self, before: Running) -> None:
        """What ran `before` runs again: the earlier revision where the runtime has revisions."""

    async def logs(self, since: dt.datetime) -> tuple[str, ...]:
        """The last lines of every instance since then, each with its instance's name before it."""


@runtime_checkable
class KnowsItsRights(Protocol):
    """A runtime that can tell, without changing anything, what would keep us from it."""

    async def missing_rights(self) -> tuple[Unseen, ...]:
        """Every right, program or setting that stopping, starting or restarting needs and we lack, with its remedy."""


@runtime_checkable
class KeepsRevisions(Protocol):
    """A runtime that can go back to an earlier release by itself."""

    async def revisions(self) -> tuple[str, ...]:
        """The newest first, each its number and, after a space, what it runs. Changes nothing."""
