"""What alembic says, in facts. It speaks between whatever the application prints when it is imported. Pure."""

import re
from collections.abc import Iterator

from atomops.facts.migration import Revision

_HEADER = re.compile(r"^Rev: (?P<id>\S+)((?: \([a-z ]+\))*)$")
_LISTS = {"Parent": "parents", "Merges": "parents", "Also depends on": "depends_on", "Branch names": "labels"}
_SQL_BEGINS = re.compile(r"^(BEGIN;|-- Running |CREATE TABLE )", re.MULTILINE)
_BASE = "<base>"


def revisions(output: str) -> tuple[Revision, ...]:
    """Every revision of `history --verbose` or `current --verbose`, in the order that it is printed in."""
    return tuple(_revision(block) for block in _blocks(output))


def _blocks(output: str) -> Iterator[list[str]]:
    block: list[str] = []
    for line in output.splitlines():
        if _HEADER.match(line):
            if block:
                yield block
            block = [line]
        elif block:
            block.append(line)
    if block:
        yield block


def _revision(block: list[str]) -> Revision:
    lists: dict[str, tuple[str, ...]] = {}
    path, message = "", []
    for line in block[1:]:
        name, _, value = line.partition(": ")
        if line.startswith("    "):
            message.append(line.strip())
        elif name in _LISTS:
            lists[_LISTS[name]] = tuple(each for each in value.split(", ") if each != _BASE)
        elif name == "Path":
            path = value
    own = [line for line in message if not re.match(r"(Revision ID|Revises|Create Date):", line)]
    return Revision(
        id=block[0].split()[1],
        parents=lists.get("parents", ()),
        depends_on=lists.get("depends_on", ()),
        labels=lists.get("labels", ()),
        path=path,
        message=" ".join(filter(None, own)),
    )


def sql(output: str) -> str:
    """The statements of `--sql`, without what the application has printed before them."""
    begins = _SQL_BEGINS.search(output)
    return output[begins.start() :].strip() + "\n" if begins else ""


def last_words(stdout: str, stderr: str) -> str:
    """Why it has failed, in one line: alembic's own FAILED line, else the error at the end of a traceback.

    The parameters of a statement are left out: they are rows of the application.
    """
    failed = re.findall(r"^FAILED: (.+)$", stdout + "\n" + stderr, re.MULTILINE)
    if failed:
        return str(failed[-1]).strip()
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    starts = [
        number for number, line in enumerate(lines) if re.match(r"[A-Za-z_][\w.]*(Error|Exception|Interrupt)\b", line)
    ]
    told = lines[starts[-1] :] if starts else lines[-1:]
    kept = [line for line in told if not re.match(r"\[parameters: |\(Background on this error", line)]
    return " ".join(kept)[:1000] or "it said nothing"
