"""The values of an object that must not come out by way of somebody else's error message."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any


def secret_values(document: Mapping[str, Any]) -> Iterator[str]:
    """Every value of a Secret, as it is and as it stands there; of other objects none."""
    if document.get("kind") != "Secret":
        return
    for value in (document.get("data") or {}).values():
        yield str(value)
        try:
            yield base64.b64decode(str(value), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
    yield from map(str, (document.get("stringData") or {}).values())
