"""The last gate before a report leaves: no known secret survives in it, in any usual spelling."""

import base64
import dataclasses
from collections.abc import Iterable, Mapping
from typing import TypeVar, cast
from urllib.parse import quote, quote_plus

T = TypeVar("T")
MASK = "***"
_SHORTEST = 4  # characters; a shorter "secret" would blank out ordinary words


def redact(value: T, secrets: Iterable[str]) -> T:
    """The same value with every secret masked in every string of it, plain, percent-encoded or in base64."""
    spellings = sorted({each for secret in secrets for each in _spellings(secret)}, key=len, reverse=True)
    return cast("T", _redact(value, spellings)) if spellings else value


def _spellings(secret: str) -> set[str]:
    if len(secret) < _SHORTEST:
        return set()
    whole = base64.b64encode(secret.encode()).decode()
    return {secret, quote(secret, safe=""), quote_plus(secret), secret.replace("'", "''"), whole, whole.rstrip("=")}


def _redact(value: object, spellings: list[str]) -> object:
    if isinstance(value, str):
        return _mask(value, spellings)
    if isinstance(value, tuple):
        return tuple(_redact(each, spellings) for each in value)
    if isinstance(value, Mapping):
        return {_redact(key, spellings): _redact(each, spellings) for key, each in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = {field.name: _redact(getattr(value, field.name), spellings) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **changed)
    return value


def _mask(text: str, spellings: list[str]) -> str:
    for spelling in spellings:
        if spelling in text:
            text = text.replace(spelling, MASK)
    return text
