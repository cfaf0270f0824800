"""The key of the digests by which two sets are compared: random, in the target's history, for its owner alone.

A plain hash of a short value is guessed by trying; without this key nothing can be tried. Whoever has only the stores
learns that a value has changed, and no more. Lost, it is made anew: then one comparison cannot be made.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from atomops.errors import PermanentError
from atomops.inventory import Target
from atomops.plans.configuration.found import Found
from atomops.stores.whole_files import sync

_BYTES = 32
_SHOWN = 32  # hex digits of a digest: 128 bits


@dataclass(frozen=True)
class Key:
    """The key, and a name that tells it from others."""

    value: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """A few digits of its hash."""
        return hashlib.sha256(self.value).hexdigest()[:12]

    def digests(self, item: str, fields: Mapping[str, str]) -> dict[str, str]:
        """One for each field; equal values of two fields have two digests."""
        return {name: self._digest(item, name, value) for name, value in fields.items()}

    def _digest(self, *parts: str) -> str:
        text = b"".join(hashlib.sha256(part.encode("utf-8", "surrogateescape")).digest() for part in parts)
        return hmac.new(self.value, text, hashlib.sha256).hexdigest()[:_SHOWN]


def key_of(target: Target, *, make: bool) -> Key:
    """The target's key; where there is none it is made, or is one for the moment. Raises PermanentError."""
    path = target.history / target.name / "configuration.key"
    try:
        if not path.exists():
            if not make:
                return Key(secrets.token_bytes(_BYTES))
            _create(path)
        value = path.read_bytes()
    except OSError as error:
        action = "check the owner and mode of the history; removed, the key is made anew"
        raise PermanentError(f"the key {path} cannot be used ({error.strerror})", action=action) from error
    if len(value) < _BYTES:
        raise PermanentError(f"the key {path} is too short", action="remove it: it is made anew")
    return Key(value)


def digests_of(key: Key, each: Found) -> dict[str, str]:
    """Those of what was found."""
    return key.digests(each.name, each.fields)


def _create(path: Path) -> None:
    """Whole or not at all; of two that make it at once one wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - of a descriptor
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(descriptor)
        with contextlib.suppress(FileExistsError):
            os.link(partial, path)
    finally:
        partial.unlink()
    sync(path.parent)
