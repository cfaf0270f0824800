"""Every string of a report, whatever lies around it: changed, cleaned, shortened."""

import dataclasses
import enum
import re
from collections.abc import Callable, Mapping
from typing import TypeVar, cast

T = TypeVar("T")

# What a terminal, a database or a reader could be misled by: control characters (an escape sequence moves the cursor,
# NUL cannot be stored by PostgreSQL), marks that turn the direction of writing, and halves of characters.
_HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def change_strings(value: T, change: Callable[[str], str], *, leave: frozenset[str] = frozenset()) -> T:
    """The same tree with every string changed, keys of mappings too, except the dataclass fields named in `leave`."""
    return cast("T", _changed(value, change, leave))


def clean(value: T) -> T:
    """The same tree in text that can be printed, stored and encoded; a harmful character becomes the mark �."""
    return change_strings(value, lambda text: _HARMFUL.sub("\N{REPLACEMENT CHARACTER}", text))


def one_line(text: str, most: int) -> str:
    """The text on one line of at most `most` characters, the last of which says that there was more."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _changed(value: object, change: Callable[[str], str], leave: frozenset[str]) -> object:
    if isinstance(value, enum.Enum):
        return value
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple):
        return tuple(_changed(each, change, leave) for each in value)
    if isinstance(value, Mapping):
        return {_changed(key, change, leave): _changed(each, change, leave) for key, each in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        new = {name: _changed(part, change, leave) for name, part in fields.items() if name not in leave}
        return dataclasses.replace(value, **new)
    return value
