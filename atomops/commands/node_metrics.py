"""PromQL for the node exporter of one host."""

import re
from collections.abc import Iterable

from atomops.inventory import Host

FILE_SYSTEM = (
    "node_filesystem_size_bytes",
    "node_filesystem_free_bytes",
    "node_filesystem_avail_bytes",
    "node_filesystem_files",
    "node_filesystem_files_free",
)
MEMORY = ("node_memory_MemTotal_bytes", "node_memory_MemAvailable_bytes")
LOAD = "node_load5"
CORES = "cores"  # a name of ours: they are counted, not exported


def of(host: Host) -> str:
    """The label matchers of that exporter."""
    labels = {"instance": host.instance or "", **({"job": host.job} if host.job else {})}
    return ",".join(f"{name}={_quoted(value)}" for name, value in labels.items())


def disks(host: Host) -> str:
    """Size, free and available bytes, inodes and free inodes of every file system, by the name of the metric."""
    return f'{{__name__=~"{"|".join(FILE_SYSTEM)}",{of(host)}}}'


def rest(host: Host) -> str:
    """Memory, load and processors, by the name of the metric."""
    counted = f'count(node_cpu_seconds_total{{mode="idle",{of(host)}}})'
    named = f'label_replace({counted}, "__name__", "{CORES}", "", "")'
    return f'{{__name__=~"{"|".join((*MEMORY, LOAD))}",{of(host)}}} or {named}'


def used(host: Host, mounts: Iterable[str]) -> str:
    """The bytes that are used below each of the mount points, by mount point."""
    size, free = (f"{name}{{{of(host)},mountpoint=~{_either(mounts)}}}" for name in FILE_SYSTEM[:2])
    return f"max by (mountpoint) ({size} - {free})"


def _either(values: Iterable[str]) -> str:
    return _quoted("|".join(re.escape(value) for value in values))


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
