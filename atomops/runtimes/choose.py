"""The runtime that a target's inventory names."""

from atomops.errors import NotThere
from atomops.inventory import Target
from atomops.inventory.runtime import Command, Docker, Kubernetes, Systemd
from atomops.runtimes.runtime import Runtime


def runtime_of(target: Target) -> Runtime:
    """What runs the target's application; nothing is connected to yet. Raises NotThere when none is configured.

    Each kind is imported only when it is meant: the clients of some take half a second.
    """
    match target.runtime:
        case Command() as settings:
            from atomops.runtimes.command import CommandRuntime  # noqa: PLC0415

            return CommandRuntime(settings)
        case Docker() as settings:
            from atomops.runtimes.docker import DockerRuntime  # noqa: PLC0415

            return DockerRuntime(settings)
        case Kubernetes() as settings:
            from atomops.runtimes.kubernetes import KubernetesRuntime  # noqa: PLC0415

            return KubernetesRuntime(settings)
        case Systemd() as settings:
            from atomops.runtimes.systemd import SystemdRuntime  # noqa: PLC0415

            return SystemdRuntime(settings)
        case _:
            action = "add [targets.….runtime] with its kind to the inventory"
            raise NotThere(f"nothing says what runs the application of {target.name}", action=action)
