"""What looks like a secret, and texts in which it is not to be read any more. Rather too much than too little."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

MASK = "***"
_NAME = (
    r"(?:pass(?:word|wd|phrase)|(?<![a-z])pw(?![a-z])|secret|token|api[-_]?key|private[-_]?key|access[-_]?key"
    r"|credential|dsn|conn(?:ection)?[-_]?str(?:ing)?)"
)
# every repetition that could begin anywhere is bounded: a line may be a megabyte long
_NAMES = re.compile(_NAME, re.IGNORECASE)
_ASSIGNS = re.compile(rf"{_NAME}[\w.\"'-]{{0,80}}\s{{0,80}}(?:=|:(?!//))\s{{0,80}}(?P<value>\S.*)?$", re.IGNORECASE)
_NO_SECRET = re.compile(
    r"^[\"']?(?:\$|/|file:|env:|block:|<|\{\{|true\b|false\b|null\b|none\b|[0-9]{1,4}$|$)", re.IGNORECASE
)
_IN_URL = re.compile(r"(?P<before>://[^\s:/@]*:)(?P<value>[^\s@/]+)(?=@)")
_TOKENS = re.compile(
    r"AKIA[0-9A-Z]{16}|AGE-SECRET-KEY-1[0-9A-Z]+|eyJ[\w-]{8,400}\.[\w-]{8,}\.[\w-]*|gh[pousr]_\w{20,}|xox[abprs]-[\w-]{10,}"
)
_LONG = re.compile(r"(?<![\w+/=-])(?=[\w+/=-]*[0-9])(?=[\w+/=-]*[A-Za-z])[\w+/=-]{32,}")
_KEY_BEGINS, _KEY_ENDS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), re.compile(r"-----END [A-Z ]*KEY-----")
_BLOCK = re.compile(r"[\s|>+-]*")


def names_a_secret(name: str) -> bool:
    """Whether something of that name is expected to be secret."""
    return _NAMES.search(name) is not None


def looks_secret(text: str) -> bool:
    """Whether a password, token or key stands in the text."""
    lines = text.splitlines()
    return any(map(_is_telling, lines)) or any(was != line for was, line in zip(lines, _of_blocks(lines), strict=True))


def object_looks_secret(document: Mapping[str, Any]) -> bool:
    """Whether the object holds secrets: each Secret does, anything else where a value looks like one."""
    return document["kind"] == "Secret" or any(_secret_values(document))


def masked(text: str) -> str:
    """The text without anything that looks secret, line by line."""
    return "\n".join(_masked_lines(text.splitlines()))


def _secret_values(value: Any, name: str = "") -> Iterator[bool]:  # noqa: ANN401 - any JSON
    if isinstance(value, Mapping):
        if isinstance(value.get("value"), str) and isinstance(value.get("name"), str):  # a variable of a container
            yield _is_secret(value["name"], value["value"])
        for key, each in value.items():
            inside = name in {"data", "stringData"}
            yield isinstance(each, str) and _is_secret(key if inside else "", each)
            yield from _secret_values(each, key)
    elif isinstance(value, list):
        for each in value:
            yield isinstance(each, str) and looks_secret(each)
            yield from _secret_values(each)


def _is_secret(name: str, value: str) -> bool:
    return looks_secret(value) or (names_a_secret(name) and not _NO_SECRET.match(value))


def _is_telling(line: str) -> bool:
    if _IN_URL.search(line) or _TOKENS.search(line) or _KEY_BEGINS.search(line):
        return True
    found = _ASSIGNS.search(line)
    return found is not None and not _NO_SECRET.match(found["value"] or "")


def _masked_lines(lines: list[str]) -> Iterator[str]:
    is_key = False
    for line in _of_blocks(lines):
        is_key = is_key or _KEY_BEGINS.search(line) is not None
        yield MASK if is_key else _masked_line(line)
        is_key = is_key and not _KEY_ENDS.search(line)


def _of_blocks(lines: list[str]) -> Iterator[str]:
    """The lines; of those that are, further in, the value of the line before with a secret's name only the mask."""
    deeper = -1
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if deeper >= 0 and line.strip() and indent > deeper:
            yield MASK
            continue
        found = _ASSIGNS.search(line)
        deeper = indent if found and _BLOCK.fullmatch(found["value"] or "") else deeper if not line.strip() else -1
        yield line


def _masked_line(line: str) -> str:
    line = _IN_URL.sub(rf"\g<before>{MASK}", line)
    line = _TOKENS.sub(MASK, line)
    found = _ASSIGNS.search(line)
    if found and not _NO_SECRET.match(found["value"] or ""):
        line = line[: found.start("value")] + MASK
    return _LONG.sub(MASK, line)
