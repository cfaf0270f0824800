"""The application's metrics: from Prometheus where there is one, else from two looks at the application's own page."""

from atomops.errors import NotThere
from atomops.facts.metrics import MetricsFacts
from atomops.inventory import Target
from atomops.probes.metrics import prometheus, scrape
from atomops.profiles import candidates


async def look(target: Target) -> MetricsFacts:
    """What the metrics say. A Prometheus that is named but does not answer is an error: nothing takes its place."""
    profiles = candidates(target.profile)
    if target.prometheus is not None:
        return await prometheus.look(target.prometheus, profiles)
    if target.app is not None:
        return await scrape.look(target.app, profiles)
    raise NotThere(f"the target {target.name} has no metrics", action="add [targets.….prometheus] or […app]")
