"""What the API server says of one workload: the numbers of its rollout, its pods and their containers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import AwareDatetime

Kind = Literal["deployment", "statefulset"]


@dataclass(frozen=True)
class Rollout:
    """What kubectl judges a rollout by. A number that the API leaves out is 0, as Go reads it.

    `wanted` is spec.replicas, the other numbers of pods are the status's. `partition` is None where the strategy has
    no `rollingUpdate`; `failure` is the message of a Deployment's condition ReplicaFailure, `deadline` that of its
    condition Progressing once its reason is ProgressDeadlineExceeded.
    """

    kind: Kind
    name: str
    generation: int
    observed: int
    wanted: int
    current: int = 0
    updated: int = 0
    ready: int = 0
    available: int = 0
    is_paused: bool = False
    strategy: str = "RollingUpdate"
    partition: int | None = None
    current_revision: str = ""
    update_revision: str = ""
    deadline: str | None = None
    failure: str | None = None


@dataclass(frozen=True)
class Container:
    """One container of a pod. `state` is waiting, running or terminated, or "" before its first report."""

    name: str
    is_init: bool = False
    is_sidecar: bool = False
    image: str = ""
    state: str = ""
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    is_ready: bool = False
    has_started: bool = False
    restarts: int = 0
    last_reason: str = ""
    last_exit_code: int | None = None
    last_ended_at: AwareDatetime | None = None


@dataclass(frozen=True)
class Pod:
    """One pod. `owner` is the uid of its controller, `revision` the hash of the template that it was made from."""

    name: str
    uid: str
    owner: str = ""
    revision: str = ""
    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    node: str = ""
    is_ready: bool = False
    is_going: bool = False
    unschedulable: str | None = None
    created_at: AwareDatetime | None = None
    started_at: AwareDatetime | None = None
    containers: tuple[Container, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_ended(self) -> bool:
        """Every container has ended for good: an evicted pod stays listed, but nothing of it runs."""
        return self.phase in {"Succeeded", "Failed"}
