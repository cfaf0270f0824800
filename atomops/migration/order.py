"""What a run was asked for."""

from dataclasses import dataclass

from atomops.facts.migration import Action


@dataclass(frozen=True)
class Order:
    """The parameters of the flow, and of whoever else migrates."""

    action: Action = "upgrade"
    revision: str = ""
    dry_run: bool = True
    tables: tuple[str, ...] = ()
    lock_retries: int = 0
    rehearse: bool = True
    rehearse_downgrade: bool = False
    settle_seconds: float | None = None
    ask_seconds: float | None = None  # how long an approval is waited for; None: nobody is asked

    @property
    def only_looks(self) -> bool:
        """Whether nothing at all may be changed."""
        return self.dry_run or self.action == "show"
