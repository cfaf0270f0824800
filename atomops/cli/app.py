"""The commands, and how they end: one clear line for an error, and the exit code that scripts rely on."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from atomops.cli.exit_codes import FAILED
from atomops.errors import AtomOpsError
from atomops.inventory import INVENTORY_VARIABLE

app = typer.Typer(
    help="The Atom operations guide as software: checklists, proven backups, changes that can be taken back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
TargetOption = Annotated[str, typer.Option(help="the target, as the inventory calls it")]
InventoryOption = Annotated[
    Path | None, typer.Option("--inventory", help=f"the inventory file; else {INVENTORY_VARIABLE}, else inventory.toml")
]


def use_inventory(path: Path | None) -> None:
    """Make the file the one in force, for the flows of this process and their children too."""
    if path is not None:
        os.environ[INVENTORY_VARIABLE] = str(path.resolve())


def main() -> None:
    """Run the command; an expected error is one line on stderr and exit code 3, never a traceback."""
    from atomops.cli import commands  # noqa: F401, PLC0415 - registers the commands on `app`

    try:
        sys.exit(app(standalone_mode=False) or 0)
    except typer.Abort:
        _complain("stopped")
    except typer.TyperException as error:
        _complain(f"{str(error) or 'no command'}: see atomops --help")
    except AtomOpsError as error:
        _complain(str(error))
    sys.exit(FAILED)


def _complain(line: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]atomops:[/] {escape(line)}")
