"""Disks, memory and processors: of the host that a node exporter speaks for, else of the one where the flow runs."""

from atomops.errors import NotThere
from atomops.facts.capacity import CapacityFacts
from atomops.inventory import Target
from atomops.probes.capacity import here, node_exporter


async def look(target: Target) -> CapacityFacts:
    """The capacity of the target's host. A path that cannot be looked at is Unseen, and spoils no other.

    A node exporter that is named but not known to Prometheus is an error: this host does not take its place.
    """
    if target.host is None:
        raise NotThere(f"the target {target.name} has no host", action="add [targets.….host] with paths")
    if target.host.instance is None:
        return await here.look(target.host, target)
    if target.prometheus is None:
        raise NotThere(f"host.instance of {target.name} needs a Prometheus", action="add [targets.….prometheus]")
    return await node_exporter.look(target.host, target.prometheus)
