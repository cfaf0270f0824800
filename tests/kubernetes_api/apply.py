"""Server-side apply: the fields of a manager merged into the object, conflicts with others' fields, and its own kept.

Written from the API's documentation, apart from the code under test. Fields are known leaf by leaf; lists whose members
have a merge key are merged by it, others are one leaf.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.kubernetes_api.patches import MERGE_KEYS, Json

Path = tuple[str, ...]
Owners = dict[Path, str]
_NOT_OWNED = {("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")}


class Conflicts(Exception):
    """Fields that other managers own, with another value."""

    def __init__(self, found: list[tuple[str, Path]]) -> None:
        super().__init__(str(found))
        self.found = found


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401 - any JSON
    """Every field that a manager can own, with its value."""
    key = MERGE_KEYS.get(path[-1]) if path else None
    if isinstance(value, Mapping) and value:
        for name, each in value.items():
            yield from leaves(each, (*path, name))
    elif isinstance(value, list) and key and value and all(key in each for each in value):
        for each in value:
            yield from leaves(each, (*path, f"{key}={each[key]}"))
    elif path not in _NOT_OWNED:
        yield path, value


def apply(live: Json | None, wanted: Json, owners: Owners, manager: str, *, force: bool) -> tuple[Json, Owners]:
    """The object and who owns what then. Raises Conflicts unless it is forced."""
    ours = dict(leaves(wanted))
    there = dict(leaves(live or {}))
    disputed = [
        (owners[path], path)
        for path, value in ours.items()
        if path in there and there[path] != value and owners.get(path, manager) != manager
    ]
    if disputed and not force:
        raise Conflicts(disputed)
    merged = _merged(copy.deepcopy(live) if live else {}, wanted)
    for path, owner in list(owners.items()):
        if owner == manager and path not in ours:  # what we do not want any more goes
            _remove(merged, path)
            del owners[path]
    shared = {path: owners[path] for path, value in ours.items() if path in owners and there.get(path) == value}
    return merged, {**owners, **dict.fromkeys(ours, manager), **shared}


def shown(path: Path) -> str:
    """As the server's messages have it."""
    text = ""
    for part in path:
        key, is_member, value = part.partition("=")
        text += f"[{key}={json.dumps(value)}]" if is_member else f".{part}"
    return text


def _merged(live: Json, wanted: Json) -> Json:
    for key, value in wanted.items():
        member = MERGE_KEYS.get(key)
        if isinstance(value, dict) and isinstance(live.get(key), dict):
            live[key] = _merged(live[key], value)
        elif member and isinstance(value, list) and all(member in each for each in value):
            before = {each[member]: each for each in live.get(key) or []}
            live[key] = list(
                {**before, **{each[member]: _merged(before.get(each[member], {}), each) for each in value}}.values()
            )
        else:
            live[key] = copy.deepcopy(value)
    return live


def _remove(found: Json, path: Path) -> None:
    *way, last = path
    at: Any = found
    for part in way:
        key, is_member, value = part.partition("=")
        at = next((each for each in at if str(each[key]) == value), None) if is_member else at.get(part)
        if at is None:
            return
    at.pop(last, None)
