"""Objects that tests create: an application, its neighbour with the same label, what scales and protects it."""

from typing import Any

from tests.kubernetes_api.patches import Json


def template(image: str = "atom:1", **extra: Any) -> Json:  # noqa: ANN401 - members of a pod's spec
    """A pod that serves, unless the image's tag says otherwise."""
    container = {"name": "web", "image": image}
    return {"metadata": {"labels": {"app": "atom"}}, "spec": {"containers": [container], **extra}}


def deployment(name: str = "atom", image: str = "atom:1", replicas: int = 3, **spec: Any) -> Json:  # noqa: ANN401 - members of its spec
    """Its selector is app=atom, whatever its name."""
    made = {"replicas": replicas, "selector": {"matchLabels": {"app": "atom"}}, "template": template(image)} | spec
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": made}


def stateful_set(name: str = "atom", image: str = "atom:1", replicas: int = 2, **spec: Any) -> Json:  # noqa: ANN401 - members of its spec
    """Pods in order."""
    made = {
        "replicas": replicas,
        "serviceName": name,
        "selector": {"matchLabels": {"app": "atom"}},
        "template": template(image),
    } | spec
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name}, "spec": made}


def scaler(target: str = "atom", kind: str = "Deployment", **spec: Any) -> Json:  # noqa: ANN401 - members of its spec
    """From 3 to 10 pods."""
    reference = {"apiVersion": "apps/v1", "kind": kind, "name": target}
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": f"{target}-hpa"},
        "spec": {"scaleTargetRef": reference, "minReplicas": 3, "maxReplicas": 10} | spec,
    }


def budget() -> Json:
    """Of pods with app=atom, two stay."""
    spec = {"minAvailable": 2, "selector": {"matchLabels": {"app": "atom"}}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "atom-pdb"}, "spec": spec}


def quota(pods: int) -> Json:
    """So many pods and no more."""
    spec = {"hard": {"pods": str(pods)}}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": spec}
