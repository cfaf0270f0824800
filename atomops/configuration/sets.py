"""From what was found to a set: encrypted in memory, described without a secret, and nothing secret left plain."""

import datetime as dt
import hashlib
import os
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from atomops.backup.encryption import SUFFIX, encrypted
from atomops.backup.sets import INSTRUCTIONS
from atomops.configuration.collecting import Collected
from atomops.configuration.key import Key, digests_of
from atomops.configuration.settings import SERIES
from atomops.facts.backup import Manifest, StoredFile
from atomops.facts.configuration import Configuration, Item, NotTaken, Why
from atomops.plans.configuration.found import Found
from atomops.plans.configuration.words import instructions

_ASK = 'add backups.recipients (or configuration.recipients) = ["age1…"], the public key of age-keygen'


@dataclass(frozen=True)
class Sealed:
    """What will be written, file by file, and what it is."""

    configuration: Configuration
    contents: dict[str, bytes]


def seal(collected: Collected, recipients: Sequence[str], key: Key) -> Sealed:
    """With recipients everything is encrypted; without any, what is secret is refused, and the rest is plain.

    Raises InventoryError for a recipient that is none.
    """
    items: list[Item] = []
    refused: list[NotTaken] = []
    contents: dict[str, bytes] = {}
    for each in collected.found:
        if each.is_secret and not recipients:
            reason = "it is secret, or holds what looks like one, and there is nobody to encrypt it for"
            refused.append(NotTaken(each.name, Why.REFUSED, reason, _ASK))
            continue
        place = each.place + (SUFFIX if recipients else "")
        contents[place] = encrypted(each.content, recipients) if recipients else each.content
        items.append(_item(each, place, key))
    not_taken = (*refused, *collected.not_taken)
    return Sealed(Configuration(collected.runtime, tuple(items), not_taken, key.id), contents)


def describe(sealed: Sealed, target: str, recipients: Sequence[str], at: dt.datetime) -> tuple[Manifest, Sealed]:
    """The manifest, and the files with one more that says how to restore the others by hand."""
    set_id = f"{SERIES}-{at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    contents = dict(sealed.contents)
    manifest = Manifest(
        id=set_id,
        target=target,
        database=SERIES,
        at=at,
        files=(),
        encrypted_for=tuple(recipients),
        made_on=socket.gethostname(),
        configuration=sealed.configuration,
    )
    contents[INSTRUCTIONS] = instructions(manifest).encode()
    files = tuple(StoredFile(path, len(text), hashlib.sha256(text).hexdigest()) for path, text in contents.items())
    return Manifest(**{**vars(manifest), "files": files}), Sealed(sealed.configuration, contents)


def write(sealed: Sealed, folder: Path) -> None:
    """Every file lies in the folder, for its owner alone. Raises OSError."""
    for path, content in sealed.contents.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - of a descriptor
            file.write(content)


def _item(each: Found, place: str, key: Key) -> Item:
    return Item(
        name=each.name,
        kind=each.kind,
        path=place,
        is_secret=each.is_secret,
        digests=digests_of(key, each),
        shown=each.shown,
        notes=each.notes,
        mode=each.mode,
        owner=each.owner,
        link=each.link,
    )
