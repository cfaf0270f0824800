"""Objects and files field by field, so that two of them can be compared and a change named."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_SKIPPED = frozenset({"apiVersion", "kind", "metadata.name", "metadata.namespace"})
_ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=(.*)$")
CONTENT = "content"


def fields_of_object(document: Mapping[str, Any]) -> dict[str, str]:
    """Every value by its path: "data.KEY", "spec.template.spec.containers[web].image"."""
    return {path: value for path, value in _walk(document, "") if path not in _SKIPPED}


def fields_of_file(content: bytes) -> dict[str, str]:
    """Of an environment file every variable; of anything else its whole content."""
    text = content.decode("utf-8", "surrogateescape")
    if not is_environment(text):
        return {CONTENT: text}
    assignments = (_ASSIGNMENT.match(line) for line in text.splitlines())
    return {found[1]: found[2].strip() for found in assignments if found}


def is_environment(text: str) -> bool:
    """Whether every line is an assignment, a comment or empty, and one at least assigns something."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", ";"))]
    return bool(lines) and all(map(_ASSIGNMENT.match, lines))


def _walk(value: Any, path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON
    if isinstance(value, Mapping) and value:
        for key, each in value.items():
            yield from _walk(each, _member(path, str(key)))
    elif isinstance(value, list) and value:
        for number, each in enumerate(value):
            name = each.get("name", number) if isinstance(each, Mapping) else number
            yield from _walk(each, f"{path}[{name}]")
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)


def _member(path: str, key: str) -> str:
    if "." in key or "/" in key:
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key
