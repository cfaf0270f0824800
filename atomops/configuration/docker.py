"""What Docker was told of the containers: image, command, environment, mounts, ports."""

from typing import Any

from atomops.errors import NotThere
from atomops.facts.configuration import NotTaken
from atomops.inventory.runtime import Docker
from atomops.plans.configuration.found import Found, found_container
from atomops.runtimes.docker_engine import opened
from atomops.threads import beside

_NEVER_BY_US = ("a container is made by `docker compose up -d`, not by a restore: this tells with what",)


async def collect_containers(runtime: Docker) -> tuple[str, tuple[Found, ...], tuple[NotTaken, ...]]:
    """Every container with the label. Raises NotThere when there is none, and what the engine refuses."""

    def look() -> list[dict[str, Any]]:
        with opened(runtime) as engine:
            return engine.inspected(runtime.label)

    inspected = await beside(look)
    name = f"containers with {runtime.label}"
    if not inspected:
        raise NotThere(f"there are no {name}", action="look at: docker ps --all; correct runtime.label")
    found = tuple(found_container(each["Name"].lstrip("/"), _description(each)) for each in inspected)
    return name, found, ()


def _description(container: dict[str, Any]) -> dict[str, Any]:
    config, host = container["Config"], container["HostConfig"]
    mounts = ("Type", "Name", "Source", "Destination", "Mode", "RW")
    return {
        "name": container["Name"].lstrip("/"),
        "notes": list(_NEVER_BY_US),
        "image": config["Image"],
        "imageId": container["Image"],
        "entrypoint": config.get("Entrypoint"),
        "command": config.get("Cmd"),
        "user": config.get("User"),
        "workingDirectory": config.get("WorkingDir"),
        "environment": dict(sorted(_assignment(each) for each in config.get("Env") or ())),
        "labels": config.get("Labels") or {},
        "healthCheck": config.get("Healthcheck"),
        "mounts": sorted(
            ({key: each[key] for key in mounts if key in each} for each in container.get("Mounts") or ()),
            key=lambda each: str(each.get("Destination")),
        ),
        "ports": host.get("PortBindings") or {},
        "networkMode": host.get("NetworkMode"),
        "networks": sorted((container.get("NetworkSettings") or {}).get("Networks") or {}),
        "restartPolicy": host.get("RestartPolicy"),
        "memory": host.get("Memory"),
        "cpus": host.get("NanoCpus"),
    }


def _assignment(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value
