"""Read and validate the file: whatever is wrong with it is one line with the file, the key and a suggestion."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from atomops.errors import InventoryError, NotThere
from atomops.inventory.base import Settings
from atomops.inventory.target import Target
from atomops.secret import SecretReader, read_secret

INVENTORY_VARIABLE = "ATOMOPS_INVENTORY"
DEFAULT_PATH = Path("inventory.toml")
_KIND_AT = 3  # in targets.NAME.runtime.KIND.key, where pydantic puts it


class Inventory(Settings):
    """Every target of one file."""

    targets: Mapping[Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")], Target] = Field(min_length=1)

    def target(self, name: str, *, read: SecretReader = read_secret) -> Target:
        """The target, with its secrets read. Raises NotThere or InventoryError."""
        if name not in self.targets:
            close = get_close_matches(name, self.targets, n=1) or sorted(self.targets)
            raise NotThere(f"the inventory has no target {name!r}", action=f"did you mean {close[0]!r}?")
        plain = self.targets[name].model_dump() | {"name": name}
        try:
            return Target.model_validate(plain, context={"read_secret": read})
        except ValidationError as error:
            raise InventoryError(_explain(error, prefix=f"targets.{name}.")) from error


def inventory_path(given: Path | None = None) -> Path:
    """The file in force: the given one, else that of ATOMOPS_INVENTORY, else ./inventory.toml."""
    return given or Path(os.environ.get(INVENTORY_VARIABLE) or DEFAULT_PATH)


def load_inventory(path: Path | None = None) -> Inventory:
    """The whole validated file, secrets unread. Raises InventoryError naming the file, the key and a suggestion."""
    file = inventory_path(path)
    try:
        tree = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        action = f"write one (see README), pass --inventory FILE, or set {INVENTORY_VARIABLE}"
        raise InventoryError(f"the inventory {file} cannot be read ({error.strerror})", action=action) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InventoryError(f"the inventory {file} is not valid TOML: {error}") from error
    try:
        return Inventory.model_validate(tree)
    except ValidationError as error:
        raise InventoryError(f"{file}: {_explain(error)}") from error


def _explain(error: ValidationError, prefix: str = "") -> str:
    return "; ".join(prefix + _explain_one(dict(problem)) for problem in error.errors())


def _explain_one(problem: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in _without_kind(problem["loc"]) if part != "[key]")
    if problem["type"] == "extra_forbidden":
        return f"{key} is not a known key{_suggestion(problem['loc'])}"
    if problem["type"] == "missing":
        return f"{key} is missing"
    return f"{key}: {problem['msg'].removeprefix('Value error, ')}"


def _without_kind(place: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The key as the file has it: the kind of a runtime is no part of it."""
    is_runtime = place[_KIND_AT - 1 : _KIND_AT] == ("runtime",)
    return place[:_KIND_AT] + place[_KIND_AT + 1 :] if is_runtime else place


def _suggestion(place: tuple[str | int, ...]) -> str:
    keys = {name for model in _models(Settings) for name in model.model_fields if name != "name"}
    close = get_close_matches(str(place[-1]), keys, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _models(base: type[Settings]) -> Iterator[type[Settings]]:
    for model in base.__subclasses__():
        yield model
        yield from _models(model)
