"""Which files may hold the window: the configured ones and their rotated siblings."""

import errno
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_DATE_OR_NUMBER = r"[.-]\d[\dT_.:-]*"
_OTHER_PACKING = (".bz2", ".xz", ".zst", ".lz4", ".zip")
_KINDS = {errno.ENOENT: "missing", errno.ENOTDIR: "missing", errno.EACCES: "denied", errno.EPERM: "denied"}


@dataclass(frozen=True)
class Candidate:
    """A regular file that was changed since the window began, or a configured one."""

    path: Path
    size: int
    changed: float
    inode: int

    @property
    def packed(self) -> bool:
        """Whether it is read through gzip, from its beginning."""
        return self.path.suffix == ".gz"


@dataclass(frozen=True)
class Skipped:
    """A file that was not read, with what to do about it."""

    path: str
    kind: str
    reason: str
    action: str


def skipped(path: Path, error: OSError | EOFError) -> Skipped:
    """Why the file could not be opened or read to its end."""
    kind = _KINDS.get(getattr(error, "errno", None) or 0, "other")
    if kind == "missing" and path.is_symlink():
        return Skipped(str(path), kind, "is a link that leads nowhere", f"ls -l {path}; correct the link or logs.paths")
    if kind == "missing":
        return Skipped(str(path), kind, "does not exist", f"ls -l {path.parent}; correct logs.paths")
    if kind == "denied":
        return Skipped(str(path), kind, "may not be read by this user", f"setfacl -m u:$(id -un):r {path}")
    return Skipped(str(path), kind, f"cannot be read ({getattr(error, 'strerror', None) or error})", f"ls -l {path}")


def find(configured: list[Path], since: float) -> tuple[list[list[Candidate]], list[Skipped]]:
    """For each configured path its files, the oldest first; and what cannot be read. No file comes twice."""
    known: set[tuple[int, int]] = set()
    families: list[list[Candidate]] = []
    refused: list[Skipped] = []
    for path in _expanded(configured):
        family = list(_family(path, since, known, refused))
        families.append(sorted(family, key=lambda file: file.changed))
    return families, refused


def _expanded(configured: list[Path]) -> Iterator[Path]:
    """A path with * ? [ is a pattern, unless a file bears that very name."""
    for path in configured:
        yield from [path] if os.path.lexists(path) else _matches(path) or [path]


def _matches(path: Path) -> list[Path]:
    try:
        return sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    except (ValueError, OSError):
        return []  # no pattern either, such as "a**"


def _family(path: Path, since: float, known: set[tuple[int, int]], refused: list[Skipped]) -> Iterator[Candidate]:
    for member in [path, *_siblings(path, refused)]:
        try:
            status = member.stat()
        except OSError as error:
            refused.append(skipped(member, error))
            continue
        if (status.st_dev, status.st_ino) in known or (member != path and status.st_mtime < since):
            continue
        known.add((status.st_dev, status.st_ino))
        problem = _unfit(member, status.st_mode)
        if problem:
            refused.append(problem)
        else:
            yield Candidate(member, status.st_size, status.st_mtime, status.st_ino)


def _unfit(path: Path, mode: int) -> Skipped | None:
    if stat.S_ISDIR(mode):
        return Skipped(str(path), "other", "is a directory", f"name a file in it: logs.paths = ['{path}/atom.log']")
    if not stat.S_ISREG(mode):
        return Skipped(str(path), "other", "is not a regular file", "name a log file in logs.paths")
    if path.suffix in _OTHER_PACKING:
        return Skipped(str(path), "other", f"is packed as {path.suffix}, which is not read", "rotate with gzip")
    return None


def _siblings(path: Path, refused: list[Skipped]) -> list[Path]:
    packing = "|".join(map(re.escape, (".gz", *_OTHER_PACKING)))
    ending = rf"(?:{_DATE_OR_NUMBER})?(?:{packing})?"
    appended = rf"{re.escape(path.name)}{ending}"
    inserted = rf"{re.escape(path.stem)}{_DATE_OR_NUMBER}{re.escape(path.suffix)}(?:{packing})?"
    pattern = re.compile(f"(?:{appended}|{inserted})")
    try:
        members = list(path.parent.iterdir())
    except PermissionError:
        reason = "may not be listed by this user, so that rotated logs are not seen"
        refused.append(Skipped(str(path.parent), "denied", reason, f"setfacl -m u:$(id -un):rx {path.parent}"))
        return []
    except OSError:
        return []  # the path itself says why
    return [member for member in members if member.name != path.name and pattern.fullmatch(member.name)]
