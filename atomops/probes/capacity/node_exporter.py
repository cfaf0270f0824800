"""Another host, through the node exporter that Prometheus scrapes there."""

import asyncio
import datetime as dt
import math
from collections.abc import Container, Mapping
from pathlib import PurePosixPath

from atomops.commands import node_metrics
from atomops.errors import NotThere
from atomops.facts.capacity import CapacityFacts, FileSystem, Load, Memory, Sample, WatchedPath
from atomops.inventory import Host, Prometheus
from atomops.probes.attempt import attempt
from atomops.probes.prometheus.query import Course, Labels, Range, Result, query, query_range
from atomops.verdict import Unseen

_WEEK = dt.timedelta(days=7)
_STEP = dt.timedelta(hours=3)  # 56 samples of a week
_MEND = "mend host.instance and host.job: they are the labels of node_load5 in Prometheus"

Numbers = Mapping[str, float]  # by the name of the metric


async def look(host: Host, settings: Prometheus) -> CapacityFacts:
    """The numbers of now, then the past of the file systems that hold the paths; twice `prometheus.timeout` at most.

    Raises NotThere when Prometheus knows no node exporter of that name, and whatever asking it raises. Whether a path
    exists there is not known: the file system is the one that would hold it.
    """
    at = dt.datetime.now(dt.UTC)
    disks, rest = await asyncio.gather(
        query(settings, node_metrics.disks(host), settings.timeout, mend=_MEND),
        query(settings, node_metrics.rest(host), settings.timeout, mend=_MEND),
    )
    if not disks.series and not rest.series:
        action = (
            "does Prometheus scrape it? look at Status > Targets, and at the labels of node_load5 for host.instance"
        )
        raise NotThere(f"Prometheus {settings.url} has no numbers of {node_metrics.of(host)}", action=action)
    mounts = _file_systems(disks)
    paths = tuple(_held(PurePosixPath(path), mounts) for path in host.paths)
    held = [each for mount, each in mounts.items() if mount in {path.mount for path in paths}]
    numbers = {labels["__name__"]: value for labels, value in rest.series}
    return CapacityFacts(
        at=at,
        host=str(host.instance),
        source=f"its node exporter, through Prometheus {settings.url}",
        paths=paths,
        file_systems=tuple(held),
        past=await attempt(_past(held, host, settings, at)),
        memory=_memory(numbers),
        load=_load(numbers),
    )


def _file_systems(result: Result) -> dict[str, FileSystem]:
    """By mount point; what the exporter could not look at itself is left out."""
    grouped: dict[str, dict[str, float]] = {}
    labels_of: dict[str, Labels] = {}
    for labels, value in result.series:
        mount = labels.get("mountpoint", "")
        grouped.setdefault(mount, {})[labels["__name__"]] = value
        labels_of[mount] = labels
    found = {mount: _file_system(labels_of[mount], numbers) for mount, numbers in grouped.items()}
    return {mount: each for mount, each in found.items() if each is not None}


def _file_system(labels: Labels, numbers: Numbers) -> FileSystem | None:
    size, free, available, inodes, inodes_free = (numbers.get(name, math.nan) for name in node_metrics.FILE_SYSTEM)
    if not (size >= free >= available >= 0 and size - free + available > 0):
        return None
    identity = f"{labels.get('device', '')} {labels.get('fstype', '')}"
    counted = inodes > 0 and inodes_free >= 0
    return FileSystem(
        mount=labels.get("mountpoint", ""),
        identity=identity,
        size=size,
        used=size - free,
        available=available,
        inodes=inodes if counted else 0,
        inodes_free=inodes_free if counted else 0,
    )


def _held(path: PurePosixPath, mounts: Mapping[str, FileSystem]) -> WatchedPath:
    """Symbolic links of the other host are not known here."""
    above = holding(path, mounts)
    action = "does the exporter leave its mount point or type out? see --collector.filesystem.mount-points-exclude"
    unseen = Unseen(f"the node exporter knows no file system that holds {path}", action)
    return WatchedPath(str(path), unseen if above is None else above)


def holding(path: PurePosixPath, mounts: Container[str]) -> str | None:
    """The longest of the mount points that is the path or a folder above it."""
    return next((str(folder) for folder in (path, *path.parents) if str(folder) in mounts), None)


async def _past(
    held: list[FileSystem], host: Host, settings: Prometheus, at: dt.datetime
) -> dict[str, tuple[Sample, ...]]:
    if not held:
        return {}
    text = node_metrics.used(host, [each.mount for each in held])
    courses = await query_range(settings, text, Range(at - _WEEK, at - _STEP, _STEP), settings.timeout, mend=_MEND)
    return {course.labels.get("mountpoint", ""): _samples(course, at) for course in courses}


def _samples(course: Course, at: dt.datetime) -> tuple[Sample, ...]:
    return tuple(Sample(moment, used) for moment, used in course.points if moment < at and math.isfinite(used))


def _memory(numbers: Numbers) -> Memory | Unseen:
    total, available = (numbers.get(name, math.nan) for name in node_metrics.MEMORY)
    if total > 0 and available >= 0:
        return Memory(total, available)
    return Unseen("the node exporter tells no memory", "is its collector meminfo switched off?")


def _load(numbers: Numbers) -> Load | Unseen:
    average, cores = (numbers.get(name, math.nan) for name in (node_metrics.LOAD, node_metrics.CORES))
    if cores > 0 and average >= 0:
        return Load(average, cores)
    return Unseen(
        "the node exporter tells no load or no processors", "are its collectors loadavg and cpu switched off?"
    )
