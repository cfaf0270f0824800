"""The three kinds of patch that an API server knows."""

import copy
from typing import Any

Json = dict[str, Any]
MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "ports": "containerPort",
    "conditions": "type",
    "ownerReferences": "uid",
}


class PatchError(ValueError):
    """The patch cannot be applied."""


def strategic(found: Json, patch: Json) -> Json:
    if patch.get("$patch") == "replace":
        return copy.deepcopy({key: value for key, value in patch.items() if key != "$patch"})
    merged = copy.deepcopy(found)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = strategic(merged.get(key) or {}, value)
        elif isinstance(value, list) and key in MERGE_KEYS:
            merged[key] = _lists(merged.get(key) or [], value, MERGE_KEYS[key])
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _lists(found: list[Json], patch: list[Json], key: str) -> list[Json]:
    merged = {each[key]: each for each in found}
    for each in patch:
        merged[each[key]] = strategic(merged.get(each[key]) or {}, each)
    return list(merged.values())


def merge(found: Json, patch: Json) -> Json:
    merged = copy.deepcopy(found)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = merge(merged.get(key) or {}, value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def operations(found: Json, patch: list[Json]) -> Json:
    """add, replace, remove and test, of members of objects."""
    merged = copy.deepcopy(found)
    for each in patch:
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in each["path"].split("/")[1:]]
        at = merged
        for part in way:
            if part not in at:
                raise PatchError(f"{each['op']} operation does not apply: doc is missing path: {each['path']}")
            at = at[part]
        if each["op"] != "add" and last not in at:
            raise PatchError(f"{each['op']} operation does not apply: doc is missing key: {each['path']}")
        if each["op"] == "test" and at[last] != each["value"]:
            raise PatchError(f"testing value {each['path']} failed")
        if each["op"] in {"add", "replace"}:
            at[last] = copy.deepcopy(each["value"])
        if each["op"] == "remove":
            del at[last]
    return merged
