"""The host where the flow runs, as this user sees it; what its disks held before comes from the history."""

import asyncio
import datetime as dt
import os
import socket
from pathlib import Path

import psutil

from atomops.errors import AccessDenied, NotThere, TimedOut
from atomops.facts.capacity import CapacityFacts, FileSystem, Load, Memory, WatchedPath
from atomops.facts.growth import carried
from atomops.inventory import Host, Target
from atomops.probes.attempt import attempt
from atomops.stores.history import load_facts
from atomops.threads import beside
from atomops.verdict import Unseen


async def look(host: Host, target: Target) -> CapacityFacts:
    """Every path within `host.timeout` seconds, side by side: the disk of a dead file server hangs for ever."""
    at = dt.datetime.now(dt.UTC)
    found = await asyncio.gather(*(attempt(_looked(path, host.timeout)) for path in host.paths))
    held = tuple({each.mount: each for each in found if isinstance(each, FileSystem)}.values())
    name = f"{socket.gethostname()}, where this flow runs"
    before, _ = load_facts(target.history, target.name, CapacityFacts)  # `judge` says what could not be read
    return CapacityFacts(
        at=at,
        host=name,
        source="the operating system",
        paths=tuple(map(_watched, host.paths, found)),
        file_systems=held,
        past=carried(before, held, at) if before and before.host == name else {},
        memory=_memory(),
        load=Load(os.getloadavg()[1], os.cpu_count() or 1),
    )


def _watched(path: Path, found: FileSystem | Unseen) -> WatchedPath:
    return WatchedPath(str(path), found if isinstance(found, Unseen) else found.mount)


async def _looked(path: Path, seconds: float) -> FileSystem:
    try:
        async with asyncio.timeout(seconds):
            return await beside(lambda: file_system(path))
    except TimeoutError as error:
        action = "its file server does not answer? see mount and dmesg"
        raise TimedOut(f"{path} cannot be looked at within {seconds:g} s", action=action) from error
    except FileNotFoundError as error:
        action = "correct host.paths; or set host.instance, if it is a path of another host"
        raise NotThere(f"{path} does not exist on {socket.gethostname()}", action=action) from error
    except OSError as error:
        action = "name a folder above it in host.paths, which is on the same file system"
        raise AccessDenied(f"{path} cannot be looked at ({error.strerror})", action=action) from error


def file_system(path: Path) -> FileSystem:
    """The file system that holds the path, symbolic links followed. Raises OSError; NotThere when it has no size."""
    real = Path(os.path.realpath(path, strict=True))
    mount = next(folder for folder in (real, *real.parents) if folder.is_mount())
    seen = os.statvfs(real)
    if not seen.f_blocks - seen.f_bfree + seen.f_bavail:
        raise NotThere(f"{path} is on no disk: {mount} has no size", action="correct host.paths")
    return FileSystem(
        mount=str(mount),
        identity=f"{seen.f_fsid:x}",
        size=seen.f_blocks * seen.f_frsize,
        used=(seen.f_blocks - seen.f_bfree) * seen.f_frsize,
        available=seen.f_bavail * seen.f_frsize,
        inodes=seen.f_files,
        inodes_free=seen.f_favail,
    )


def _memory() -> Memory:
    memory = psutil.virtual_memory()
    return Memory(memory.total, memory.available)
