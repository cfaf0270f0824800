"""From prefect.yaml and the inventory to deployments with one schedule per target, at its local time. Pure.

A deployment without the parameter `target` is one of many targets: it is deployed as it stands, with its schedules.
"""

import copy
from collections.abc import Iterable
from typing import Any

from atomops.inventory import Target

Description = dict[str, Any]


def expand(description: Description, targets: Iterable[Target]) -> Description:
    """The same deployments, each schedule repeated for every target, in its time zone, under a slug that names it."""
    expanded = copy.deepcopy(description)
    named = list(targets)
    for deployment in expanded["deployments"]:
        if "target" not in deployment.get("parameters", {}):
            continue
        schedules = deployment.get("schedules", [])
        deployment["parameters"] = {**deployment["parameters"], "target": named[0].name}
        deployment["schedules"] = [_for_target(schedule, target) for target in named for schedule in schedules]
    return expanded


def slugs(description: Description) -> dict[str, set[str]]:
    """The slugs of every deployment's schedules, by the deployment's name."""
    return {
        deployment["name"]: {schedule["slug"] for schedule in deployment.get("schedules", [])}
        for deployment in description["deployments"]
    }


def scheduled(description: Description) -> list[str]:
    """The names of the deployments that have a schedule which is switched on, in the file's order."""
    return [
        deployment["name"]
        for deployment in description["deployments"]
        if any(schedule.get("active", True) for schedule in deployment.get("schedules", []))
    ]


def _for_target(schedule: Description, target: Target) -> Description:
    own = schedule.get("parameters", {}).get("target", "")
    return {
        **schedule,
        "slug": f"{target.name}-{schedule['slug'].removeprefix(f'{own}-')}",
        "timezone": target.timezone,
        "parameters": {**schedule.get("parameters", {}), "target": target.name},
    }
