"""Files put back: whole or not at all, with their mode and owner, and the former one kept beside."""

import contextlib
import datetime as dt
import grp
import os
import pwd
import secrets
from dataclasses import replace
from pathlib import Path

from atomops.configuration.files import read_files
from atomops.configuration.reading import Content
from atomops.facts.configuration import Difference, Item, NotTaken, Why
from atomops.facts.configuration_restore import Deed, Fate, Restoration
from atomops.plans.configuration.changes import differences
from atomops.plans.configuration.fields import fields_of_file
from atomops.plans.configuration.found import FILE
from atomops.stores.whole_files import sync
from atomops.threads import beside

_LARGEST = 64 << 20  # bytes that a file there may have to be compared


async def look(content: Content) -> Restoration:
    """What writing it would do. Never raises AtomOpsError."""
    name = content.item.name
    (there, not_there) = await read_files([Path(name)], limit=_LARGEST)
    if not_there:
        return _absent(name, not_there[0])
    before = there[0]
    fields = fields_of_file(content.content)
    was = Item(name, FILE, "", before.is_secret, before.fields, mode=before.mode, owner=before.owner)
    wanted = replace(content.item, digests=fields, link="")
    changes = differences({name: was}, {name: wanted}, {name: before.fields}, {name: fields})
    if not changes and before.content != content.content:
        changes = (Difference(name, "comments and order", "changed"),)
    return Restoration(name, FILE, Deed.CHANGE if changes else Deed.NOTHING, changes)


async def write(content: Content, planned: Restoration) -> Restoration:
    """What became of it. Never raises OSError."""
    try:
        former, notes = await beside(lambda: _write(content))
    except OSError as error:
        action = "run it as a user who may write there, or restore it by hand: see RESTORE.txt of the set"
        reason = f"it cannot be written ({error.strerror or error})"
        return replace(planned, fate=Fate.FAILED, reason=reason, action=action)
    return replace(planned, fate=Fate.DONE, former=former, notes=notes)


def _absent(name: str, why: NotTaken) -> Restoration:
    if why.why is Why.MISSING:
        return Restoration(name, FILE, Deed.CREATE)
    return Restoration(name, FILE, Deed.UNKNOWN, fate=Fate.FAILED, reason=why.reason, action=why.action)


def _write(content: Content) -> tuple[str, tuple[str, ...]]:
    """Where the former one is kept, "" when there was none; and what could not be done. Raises OSError."""
    path = Path(content.item.name)
    place = _place_of(path, content.item.link)
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_name(f".{place.name}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - of a descriptor
            file.write(content.content)
            file.flush()
            notes = _own(descriptor, content.item)
            os.fchmod(descriptor, int(content.item.mode or "0600", 8))
            os.fsync(descriptor)
        former = _keep(place)
        partial.replace(place)
    finally:
        partial.unlink(missing_ok=True)
    if content.item.link and not path.exists():
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        path.symlink_to(content.item.link)
    sync(place.parent)
    return former, notes


def _place_of(path: Path, link: str) -> Path:
    """Where the bytes belong: where a link leads, if there is one or was one."""
    if path.is_symlink():
        return path.resolve()
    return (path.parent / link).resolve() if link and not path.exists() else path


def _keep(place: Path) -> str:
    if not place.exists():
        return ""
    kept = place.with_name(f"{place.name}.before-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S.%fZ}")
    os.link(place, kept)  # the same file, with its mode and owner; what is written is another one
    return str(kept)


def _own(descriptor: int, item: Item) -> tuple[str, ...]:
    """What of its owner could not be given back."""
    user, _, group = item.owner.partition(":")
    try:
        wanted = (_number(user, "user"), _number(group, "group"))
        there = os.fstat(descriptor)
        if wanted != (there.st_uid, there.st_gid):
            os.fchown(descriptor, *wanted)
    except (KeyError, ValueError):
        return (f"there is no {item.owner} here: it belongs to us",)
    except PermissionError:
        return (f"we may not give it to {item.owner}: chown {item.owner} {item.name}",)
    return ()


def _number(name: str, kind: str) -> int:
    if name.isdecimal():
        return int(name)
    return pwd.getpwnam(name).pw_uid if kind == "user" else grp.getgrnam(name).gr_gid
