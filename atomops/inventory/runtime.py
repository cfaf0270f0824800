"""What runs the application, so that it can be stopped and started; and how patient changes are."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from atomops.inventory.base import Seconds, Settings, url
from atomops.secret import SecretField

_Name = Annotated[
    str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)
]  # RFC 1123, as Kubernetes has it
Argv = Annotated[tuple[str, ...], Field(min_length=1)]


class Kubernetes(Settings):
    """A Deployment or a StatefulSet."""

    kind: Literal["kubernetes"]
    deployment: _Name | None = None
    statefulset: _Name | None = None
    namespace: _Name = "default"
    context: str | None = Field(
        None, min_length=1, description="of the kubeconfig; default: its current one, or the pod's own"
    )
    kubeconfig: Path | None = Field(None, description="default: KUBECONFIG, ~/.kube/config, or the pod's own account")
    timeout: Seconds = Field(10, description="seconds that one request may take")
    within: Seconds = Field(600, description="seconds for a rollout, or for pods to go")
    stalled_after: Seconds = Field(60, description="seconds that a new pod may fail: no image, no start, crash loop")
    no_room_after: Seconds = Field(180, description="seconds that a new pod may lack a node or quota")
    log_lines: int = Field(100, ge=1, le=10_000, description="of each container")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.deployment is None) == (self.statefulset is None):
            message = 'name either deployment = "..." or statefulset = "..."'
            raise ValueError(message)
        return self


class Docker(Settings):
    """Every container that bears exactly this label."""

    kind: Literal["docker"]
    label: str = Field(pattern=r"^[^=]+=.+$", description='such as "com.docker.compose.service=atom-backend"')
    host: str | None = Field(None, description="unix:///var/run/docker.sock, tcp://...; default: DOCKER_HOST")
    timeout: Seconds = Field(10, description="seconds that one request may take")
    within: Seconds = Field(120, description="seconds until a container is healthy, or has ended")
    log_lines: int = Field(100, ge=1, le=10_000, description="of each container")


class Systemd(Settings):
    """A unit of systemd."""

    kind: Literal["systemd"]
    unit: str = Field(pattern=r"^[A-Za-z0-9:_.@\\-]+$", description="its exact name, such as atom-os.service")
    user: bool = Field(default=False, description="a unit of the user's own manager")
    within: Seconds = Field(120, description="seconds until it is active, or has ended")
    log_lines: int = Field(100, ge=1, le=10_000)


class Command(Settings):
    """Commands of your own, without a shell. `status` exits with 0 while the application runs."""

    kind: Literal["command"]
    stop: Argv
    start: Argv
    restart: Argv
    status: Argv
    directory: Path | None = Field(None, description="where they are run; default: where the flow runs")
    within: Seconds = Field(120, description="seconds for one of them, and until `status` says so")


class NoRuntime(Settings):
    """Nothing that we may stop: the same as leaving the table out."""

    kind: Literal["none"]


Runtime = Annotated[Kubernetes | Docker | Systemd | Command | NoRuntime, Field(discriminator="kind")]


class Changes(Settings):
    """The role that restores, migrates and vacuums, and how patient it is."""

    dsn: Annotated[str, url("postgresql", "postgres")] | None = Field(None, description="default: postgres.dsn")
    password: SecretField | None = None
    lock_timeout: Seconds = Field(5, description="seconds that a statement waits for a lock, and holds up others")
    stop_within: Seconds = Field(1, description="seconds for sessions to end once the application is stopped")
    ready_within: Seconds = Field(120, description="seconds until the application is ready again")
    settle: float = Field(60, ge=0, le=3600, description="seconds that errors are watched after a restart")
    keep_old_days: int = Field(7, ge=0, le=365, description="days that a replaced database is kept under another name")
