"""What runs the application, as its runtime sees it."""

from dataclasses import dataclass

from pydantic import AwareDatetime


@dataclass(frozen=True)
class Instance:
    """One pod, container or process. `state` in the runtime's own word; `version` an image or revision, or ""."""

    name: str
    state: str
    is_ready: bool
    started_at: AwareDatetime | None = None
    version: str = ""
    restarts: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Running:
    """The application at one moment. `wanted` is how many instances ought to run; `notes` what an SRE should know.

    `remembered` is how many ran before a change of ours stopped them and did not come to start them again.
    """

    runtime: str
    wanted: int
    instances: tuple[Instance, ...] = ()
    revision: str = ""
    remembered: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_stopped(self) -> bool:
        """Nothing runs, and nothing is meant to."""
        return self.wanted == 0 and not self.instances

    @property
    def ready(self) -> int:
        """How many serve."""
        return sum(1 for each in self.instances if each.is_ready)
