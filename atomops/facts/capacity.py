"""How full the disks are, how much memory is left, how busy the processors are: and of which host."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from atomops.verdict import Unseen


@dataclass(frozen=True)
class Sample:
    """How much of a file system was used at a moment, in bytes."""

    at: dt.datetime
    used: float


@dataclass(frozen=True)
class FileSystem:
    """One file system as `df` shows it: what is kept back for root is in its size, but neither used nor available.

    Bytes and counts; `used` and `available` are not both 0, and `inodes` is 0 where there is no fixed number of them.
    Another `identity` under the same mount point is another file system.
    """

    mount: str
    identity: str
    size: float
    used: float
    available: float
    inodes: float
    inodes_free: float


@dataclass(frozen=True)
class WatchedPath:
    """A path of the inventory, and the mount point of the file system that holds it."""

    path: str
    mount: str | Unseen


@dataclass(frozen=True)
class Memory:
    """In bytes; `available` is what programs could get without swapping."""

    total: float
    available: float


@dataclass(frozen=True)
class Load:
    """The load average of five minutes, and how many processors share it."""

    average: float
    cores: float


@dataclass(frozen=True)
class CapacityFacts:
    """Everything of one host; `host` names it as the report does, `source` says who told.

    `past` are earlier samples by mount point, the oldest first and all older than `at`.
    """

    at: dt.datetime
    host: str
    source: str
    paths: tuple[WatchedPath, ...]
    file_systems: tuple[FileSystem, ...]
    past: Mapping[str, tuple[Sample, ...]] | Unseen
    memory: Memory | Unseen
    load: Load | Unseen
