"""The kinds of Kubernetes objects that are backed up, in the order in which they are restored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind, and how the API and the rules of a Role call it. `group` is "" for the core API."""

    name: str
    resource: str
    group: str = ""
    version: str = "v1"

    @property
    def api_version(self) -> str:
        """As a manifest has it."""
        return f"{self.group}/{self.version}" if self.group else self.version


_RBAC = "rbac.authorization.k8s.io"
KINDS = (
    Kind("ServiceAccount", "serviceaccounts"),
    Kind("Role", "roles", _RBAC),
    Kind("RoleBinding", "rolebindings", _RBAC),
    Kind("Secret", "secrets"),
    Kind("ConfigMap", "configmaps"),
    Kind("PersistentVolumeClaim", "persistentvolumeclaims"),
    Kind("Service", "services"),
    Kind("Deployment", "deployments", "apps"),
    Kind("StatefulSet", "statefulsets", "apps"),
    Kind("CronJob", "cronjobs", "batch"),
    Kind("HorizontalPodAutoscaler", "horizontalpodautoscalers", "autoscaling", "v2"),
    Kind("PodDisruptionBudget", "poddisruptionbudgets", "policy"),
    Kind("Ingress", "ingresses", "networking.k8s.io"),
)
BY_NAME = {kind.name: kind for kind in KINDS}
_ORDER = {kind.name: place for place, kind in enumerate(KINDS)}


def place_of(kind: str) -> int:
    """Where the kind comes in a restore; what is no Kubernetes object comes first."""
    return _ORDER.get(kind, -1)


def full_name(kind: str, name: str) -> str:
    """As a set calls the object: "ConfigMap/atom-config"."""
    return f"{kind}/{name}"
