"""Autoscalers of v1 as v2 has them, and back: the API server stores one and serves both."""

from tests.kubernetes_api.patches import Json

V1, V2 = "autoscaling/v1", "autoscaling/v2"


def converted(found: Json, version: str) -> Json:
    """The same object in another version, as far as the CPU goes."""
    if found.get("kind") != "HorizontalPodAutoscaler" or found.get("apiVersion", V1) == version:
        return found
    spec = dict(found["spec"])
    if version == V2:
        percent = spec.pop("targetCPUUtilizationPercentage", 80)
        target = {"type": "Utilization", "averageUtilization": percent}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    else:
        metrics = spec.pop("metrics", None) or []
        for each in metrics:
            if each["type"] == "Resource" and each["resource"]["name"] == "cpu":
                spec["targetCPUUtilizationPercentage"] = each["resource"]["target"].get("averageUtilization")
    return {**found, "apiVersion": version, "spec": spec}
