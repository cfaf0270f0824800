"""`atomops inventory check` and `atomops inventory schema`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from atomops import overrides
from atomops.cli.app import app
from atomops.errors import AtomOpsError, InventoryError
from atomops.inventory import Inventory, inventory_path, load_inventory
from atomops.profiles import candidates
from atomops.questions import question_checks
from atomops.registry import checks
from atomops.secret import read_secret

inventory = typer.Typer(help="The file that says what there is to look after.", no_args_is_help=True)
app.add_typer(inventory, name="inventory")


@inventory.command()
def check(file: Annotated[Path | None, typer.Argument(help="default: the file in force")] = None) -> None:
    """Validate the file: its keys and values, check codes, profiles, and the secrets that this machine must have."""
    path = inventory_path(file)
    loaded = load_inventory(path)
    problems = [problem for name in loaded.targets if (problem := _problem(loaded, name))]
    if problems:
        raise InventoryError(f"{path}: {'; '.join(problems)}")
    typer.echo(f"{path}: {len(loaded.targets)} target(s) are valid: {', '.join(loaded.targets)}")


def _problem(loaded: Inventory, name: str) -> str:
    try:
        target = loaded.targets[name]
        known = (*checks(), *question_checks(candidates(target.profile)))
        overrides.limits(known, target)
        overrides.acknowledgements(known, target)
        loaded.target(name, read=_read_here)
    except AtomOpsError as error:
        return f"{name}: {error}"
    return ""


def _read_here(reference: str) -> str:
    """Blocks live in Prefect, which `check` does not need; only the flow can read them."""
    return "" if reference.startswith("block:") else read_secret(reference)


@inventory.command()
def schema() -> None:
    """Print the JSON Schema of the file, for editors that complete and check TOML."""
    typer.echo(json.dumps(Inventory.model_json_schema(), indent=2))
