"""Label and field selectors, as an API server parses them from a query. Written apart from the code under test."""

import re
from collections.abc import Callable

from tests.kubernetes_api.patches import Json
from tests.kubernetes_api.store import Refused

_SET = re.compile(r"^(?P<key>\S+) (?P<operator>in|notin) \((?P<values>[^)]*)\)$")
_FIELDS = {
    "metadata.name",
    "metadata.namespace",
    "involvedObject.uid",
    "involvedObject.name",
    "reason",
    "type",
    "status.phase",
}


def by_labels(query: str) -> Callable[[Json], bool]:
    requirements = [_requirement(each) for each in re.split(r",(?![^(]*\))", query) if each]
    return lambda found: all(holds(found["metadata"].get("labels") or {}) for holds in requirements)


def _requirement(text: str) -> Callable[[dict[str, str]], bool]:
    if match := _SET.match(text):
        values = set(match["values"].split(","))
        if match["operator"] == "in":
            return lambda labels: labels.get(match["key"]) in values
        return lambda labels: labels.get(match["key"]) not in values
    if text.startswith("!"):
        return lambda labels: text[1:] not in labels
    if "!=" in text:
        key, _, value = text.partition("!=")
        return lambda labels: labels.get(key) != value
    if "=" in text:
        key, _, value = text.replace("==", "=").partition("=")
        return lambda labels: labels.get(key) == value
    return lambda labels: text in labels


def by_fields(query: str) -> Callable[[Json], bool]:
    pairs = [each.partition("=")[::2] for each in query.split(",") if each]
    for key, _ in pairs:
        if key not in _FIELDS:
            raise Refused(400, "BadRequest", f"field label not supported: {key}")
    return lambda found: all(_at(found, key) == value for key, value in pairs)


def _at(found: Json, path: str) -> str:
    for part in path.split("."):
        found = found.get(part) or {}
    return str(found or "")
