"""Files of this host, with their mode and owner. What cannot be read whole is told, never half read."""

import grp
import os
import pwd
import stat
from collections.abc import Iterable
from pathlib import Path

from atomops.facts.configuration import NotTaken, Why
from atomops.humane import size
from atomops.plans.configuration.found import Found, found_file
from atomops.threads import beside

Read = tuple[tuple[Found, ...], tuple[NotTaken, ...]]


async def read_files(paths: Iterable[Path], *, limit: int, are_environment: bool = False) -> Read:
    """Every file of at most `limit` bytes, and why the others are not there. Never raises AtomOpsError."""
    wanted = tuple(dict.fromkeys(paths))
    looks = await beside(lambda: [_read(path, limit, is_environment=are_environment) for path in wanted])
    found = tuple(each for each in looks if isinstance(each, Found))
    return found, tuple(each for each in looks if isinstance(each, NotTaken))


def owner_of(status: os.stat_result) -> str:
    """User and group by their names, where they have some."""
    try:
        user = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        user = str(status.st_uid)
    try:
        group = grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        group = str(status.st_gid)
    return f"{user}:{group}"


def mode_of(status: os.stat_result) -> str:
    """Such as "0640"."""
    return f"{stat.S_IMODE(status.st_mode):04o}"


def _read(path: Path, limit: int, *, is_environment: bool) -> Found | NotTaken:
    name = str(path)
    try:
        link = str(path.readlink()) if path.is_symlink() else ""
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would wait for its writer
            return NotTaken(name, Why.UNKNOWN, "it is no regular file", "name the files in it one by one")
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(limit + 1)
    except FileNotFoundError:
        return _missing(path)
    except OSError as error:
        action = f"let this user read it: setfacl -m u:{pwd.getpwuid(os.geteuid()).pw_name}:r {path}"
        return NotTaken(name, Why.UNKNOWN, f"it cannot be read ({error.strerror})", action)
    if len(content) > limit:
        reason = f"it is larger than {size(limit)}"
        return NotTaken(name, Why.UNKNOWN, reason, "raise configuration.file_limit, or back it up elsewhere")
    return found_file(
        name, content, mode=mode_of(status), owner=owner_of(status), link=link, is_environment=is_environment
    )


def _missing(path: Path) -> NotTaken:
    if path.is_symlink():
        return NotTaken(
            str(path), Why.MISSING, f"it is a link to {path.readlink()}, which is not there", "mend the link"
        )
    action = "correct the inventory, or run the worker on the host that has it"
    return NotTaken(str(path), Why.MISSING, "there is no such file here", action)
