"""The options that every command about backups has, written once."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Concatenate, Literal, ParamSpec

import typer

from atomops.cli.app import InventoryOption, TargetOption, use_inventory
from atomops.cli.backup_stores import chosen, load
from atomops.inventory import Backups, BackupStore, Target

JsonOption = Annotated[bool, typer.Option("--json", help="print JSON instead")]
KindOption = Annotated[
    Literal["database", "configuration"] | None, typer.Option(help="sets of one kind only; default: both")
]
OneKindOption = Annotated[Literal["database", "configuration"], typer.Option(help="which sets are meant")]
SetArgument = Annotated[str, typer.Argument(metavar="ID", help="the set's name: see `atomops backups list`")]
Own = ParamSpec("Own")


@dataclass(frozen=True)
class Which:
    """The target, and the one store of it if any, that a command is about."""

    target: str
    store: str | None

    def load(self, *, with_database: bool = False) -> tuple[Target, Backups, tuple[BackupStore, ...]]:
        """The target, its backups, and the stores that are meant. Raises what `load` and `chosen` raise."""
        world, settings = load(self.target, with_database=with_database)
        return world, settings, chosen(settings, self.store)


def about_backups(command: Callable[Concatenate[Which, Own], int]) -> Callable[..., int]:
    """The command has --target, --store and --inventory besides its own options, and is given what they name first."""

    @functools.wraps(command)
    def whole(target: str, store: str | None, inventory: Path | None, **own: object) -> int:
        use_inventory(inventory)
        return command(Which(target, store), **own)  # type: ignore[call-arg, arg-type]  # typer gives them by name

    _, *own = inspect.signature(command).parameters.values()
    every = [*own, *inspect.signature(_common).parameters.values()]
    by_name = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in every]
    whole.__signature__ = inspect.Signature(by_name)  # type: ignore[attr-defined]  # where typer looks for options
    return whole


def _common(
    target: TargetOption = "production",
    store: Annotated[str | None, typer.Option(help="one store only, as the inventory calls it")] = None,
    inventory: InventoryOption = None,
) -> None:
    """What they all take."""
