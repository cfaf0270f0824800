"""What of the application's configuration is backed up, besides what its runtime refers to by itself."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from atomops.inventory.base import Seconds, Settings
from atomops.secret import SecretField

KindName = Literal[
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "Secret",
    "ConfigMap",
    "PersistentVolumeClaim",
    "Service",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "Ingress",
]
_ObjectName = Annotated[str, Field(pattern=r"^[A-Za-z]+/[A-Za-z0-9]([-A-Za-z0-9.:_]*[A-Za-z0-9])?$")]


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        message = f"name the whole path of {path}: it must mean the same file wherever the flow runs"
        raise ValueError(message)
    return path


class Configuration(Settings):
    """What belongs to the configuration, and who can read its backups."""

    files: tuple[Annotated[Path, AfterValidator(_absolute)], ...] = Field(
        (), description="files of the host where the flow runs: environment and compose files, whatever the runtime"
    )
    selector: str = Field("", description="Kubernetes: every object that bears these labels too, such as app=atom")
    include: tuple[_ObjectName, ...] = Field((), description='Kubernetes: further objects, such as "CronJob/cleanup"')
    exclude: tuple[_ObjectName, ...] = Field((), description="Kubernetes: objects to leave out")
    leave_out: tuple[KindName, ...] = Field((), description="Kubernetes: kinds that are not even asked for")
    node_ports: bool = Field(default=False, description="Kubernetes: keep a Service's node ports")
    recipients: tuple[Annotated[str, Field(pattern="^(age1|ssh-)")], ...] = Field(
        (), description="age public keys; default: backups.recipients. Without any, nothing secret is written"
    )
    identity: SecretField | None = Field(
        None, description="age private key, to restore and to show what has changed; default: backups.identity"
    )
    every_hours: float = Field(24, gt=0, description="how often a backup of the configuration is expected")
    file_limit: int = Field(1 << 20, ge=1, le=64 << 20, description="bytes; a larger file is refused, and told")
    deadline: Seconds = Field(120, description="seconds to look at everything")
