"""Profiles: `guide` (the operations guide's names), `atom` (the real application's), or a folder of one's own.

A profile is a folder with a `profile.toml`, `queries/*.sql` and `audit/*.sql`.
"""

import functools
import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from atomops.errors import InventoryError
from atomops.profiles.profile import Profile, Question, Statement

BUILT_IN = ("atom", "guide")
AUTO = "auto"
_LISTS = ("tables", "parts", "hide", "series", "points")  # keys whose values are several words


def candidates(setting: str) -> tuple[Profile, ...]:
    """The profiles that the setting allows, the likeliest first: several for "auto", else one."""
    names = BUILT_IN if setting == AUTO else (setting,)
    return tuple(_built_in(name) if name in BUILT_IN else load_profile(name) for name in names)


@functools.cache
def _built_in(name: str) -> Profile:
    """Read once: it comes with the code."""
    return load_profile(name)


def load_profile(setting: str) -> Profile:
    """The profile of that name or folder. Raises InventoryError naming the file and what is wrong in it."""
    folder: Traversable = files(__name__) / setting if setting in BUILT_IN else Path(setting)
    description = folder / "profile.toml"
    try:
        tree = tomllib.loads(description.read_text(encoding="utf-8"))
        questions = tuple(_question(path) for path in _sql_files(folder / "queries"))
        audit = {path.name.removesuffix(".sql"): _statement(path) for path in _sql_files(folder / "audit")}
        return Profile.model_validate(tree | {"questions": questions, "audit": audit})
    except OSError as error:
        action = f"use {', '.join(BUILT_IN)}, {AUTO}, or a folder that holds profile.toml"
        raise InventoryError(f"the profile {setting!r} cannot be read ({error.strerror})", action=action) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise InventoryError(f"{description}: {_first_line(error)}") from error


def _sql_files(folder: Traversable) -> list[Traversable]:
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted((path for path in found if path.name.endswith(".sql")), key=lambda path: path.name)


def _question(path: Traversable) -> Question:
    header, _, _ = (text := path.read_text(encoding="utf-8")).partition("\n\n")
    try:
        return Question.model_validate(_metadata(header) | {"sql": text})
    except (ValidationError, ValueError) as error:
        raise InventoryError(f"{path}: {_first_line(error)}") from error


def _statement(path: Traversable) -> Statement:
    header, _, _ = (text := path.read_text(encoding="utf-8")).partition("\n\n")
    return Statement(sql=text, tables=_metadata(header).get("tables", ()))


def _metadata(header: str) -> dict[str, Any]:
    """`-- key: value` lines; a line `--   more` goes on with the value before it."""
    found: dict[str, Any] = {}
    key = ""
    for line in header.splitlines():
        text = line.removeprefix("--")
        if text.startswith("   ") and key:
            found[key] += " " + text.strip()
            continue
        key, _, value = (part.strip() for part in text.partition(":"))
        found[key] = value
    return found | {key: tuple(found[key].replace(",", " ").split()) for key in _LISTS if key in found}


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        problem = error.errors()[0]
        return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
    return str(error).splitlines()[0]
