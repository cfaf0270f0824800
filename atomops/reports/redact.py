"""The last gate before a report leaves: no known secret survives in it, in any usual spelling."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import TypeVar
from urllib.parse import quote, quote_plus

from atomops.reports.strings import change_strings

T = TypeVar("T")
MASK = "***"

# Names that Atom Ops and the inventory give. Artifact keys, folders and trends are made of them, and a password that
# happens to be one of them ("redis", "production") is not betrayed by it.
_NAMES = frozenset({"flow", "target", "grade", "code", "section", "unit", "runbook", "changes", "trends"})
_TELLING = 8  # characters of base64 from inside a longer text; fewer would meet ordinary words


def redact(value: T, secrets: Iterable[str]) -> T:
    """The same value with every secret masked in every string of it, except in names such as the target's.

    Spellings that are known: plain (on however many lines), percent-encoded, JSON-escaped, quoted for SQL and Python,
    and base64, also within a longer text such as `user:password`.
    """
    spellings = {spelling for secret in secrets if secret.strip() for spelling in _spellings(secret.strip())}
    if not spellings:
        return value
    longest_first = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
    pattern = re.compile("|".join(map(_on_any_lines, longest_first)))
    return change_strings(value, lambda text: pattern.sub(MASK, text), leave=_NAMES)


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    yield secret.replace("'", "''")
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    for encoded in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield encoded
        yield re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), encoded)
    yield from _in_base64(secret.encode())


def _in_base64(secret: bytes) -> Iterator[str]:
    """By itself, and the characters that it decides alone behind 0, 1 or 2 bytes of something else."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(secret).decode()
        yield whole
        yield whole.rstrip("=")
        for before in range(3):
            bits = 8 * (before + len(secret))
            inner = encode(bytes(before) + secret).decode()[-(-8 * before // 6) : bits // 6]
            if len(inner) >= _TELLING:
                yield inner


def _on_any_lines(spelling: str) -> str:
    """A pattern in which white space is any white space: a report joins lines and breaks them."""
    return r"\s+".join(map(re.escape, re.split(r"\s+", spelling)))
