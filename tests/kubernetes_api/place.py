"""A namespace for one test, in which our account may do what the documented Role allows."""

import asyncio
import itertools
from collections.abc import Coroutine
from typing import Any, TypeVar

from atomops.inventory import Kubernetes
from atomops.runtimes.kubernetes import KubernetesRuntime
from tests.kubernetes_api.admin import Admin
from tests.kubernetes_api.cluster import Cluster
from tests.kubernetes_api.patches import Json
from tests.kubernetes_api.role import documented_role
from tests.waiting import wait_until

_NUMBERS = itertools.count(1)
T = TypeVar("T")


class Place:
    """One namespace of a cluster."""

    def __init__(self, cluster: Cluster, *, is_real: bool) -> None:
        self.cluster, self.is_real = cluster, is_real
        self.namespace = f"test-{next(_NUMBERS)}"
        self.admin: Admin = cluster.admin.at(self.namespace)
        if is_real:
            self._allow()

    def _allow(self) -> None:
        root = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{self.namespace}"
        self.admin.ask("POST", "/api/v1/namespaces", json={"metadata": {"name": self.namespace}})
        rules = [rule for number in (1, 2, 3) for rule in documented_role(number)["rules"]]
        rules.append(
            {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["escalate", "bind"]}
        )
        self.admin.ask("POST", f"{root}/roles", json={"metadata": {"name": "atomops"}, "rules": rules})
        group = "rbac.authorization.k8s.io"
        binding = {
            "metadata": {"name": "atomops"},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "atomops"},
            "subjects": [{"apiGroup": group, "kind": "User", "name": "atomops"}],
        }
        self.admin.ask("POST", f"{root}/rolebindings", json=binding)

    def runtime(self, **settings: Any) -> KubernetesRuntime:  # noqa: ANN401 - as in an inventory
        """Of the Deployment "atom", unless the settings say otherwise."""
        which = {} if "statefulset" in settings else {"deployment": "atom"}
        quick = {"within": 30, "stalled_after": 1, "no_room_after": 1.5, "timeout": 5}
        place = {"namespace": self.namespace, "kubeconfig": self.cluster.kubeconfig}
        return KubernetesRuntime(Kubernetes(kind="kubernetes", **{**which, **quick, **place, **settings}))

    def deploy(self, body: Json, *, ready: int | None = None) -> None:
        """Creates it, and waits until so many pods are ready: by default all of them."""
        plural = f"{body['kind'].lower()}s"
        name, wanted = body["metadata"]["name"], body["spec"]["replicas"] if ready is None else ready
        self.admin.create("apps", plural, body)

        def is_up() -> bool:
            found = self.admin.get("apps", plural, name)
            status = found.get("status") or {}
            is_seen = status.get("observedGeneration") == found["metadata"]["generation"]
            return is_seen and int(status.get("readyReplicas", 0)) >= wanted

        wait_until(is_up, f"{name} to be up")

    def image(self, image: str, plural: str = "deployments") -> None:
        """A new template."""
        containers = [{"name": "web", "image": image}]
        self.admin.patch("apps", plural, "atom", {"spec": {"template": {"spec": {"containers": containers}}}})

    def clear(self) -> None:
        """Nothing of the test goes on."""
        for plural in ("deployments", "statefulsets"):
            for each in self.admin.items("apps", plural):
                self.admin.delete("apps", plural, each["metadata"]["name"], propagationPolicy="Background")

    def found(self, plural: str = "deployments") -> Json:
        return self.admin.get("apps", plural, "atom")

    def pods(self) -> dict[str, Json]:
        """By their uid."""
        return {each["metadata"]["uid"]: each for each in self.admin.items("", "pods")}


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
