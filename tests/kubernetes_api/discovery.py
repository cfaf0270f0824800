"""What a server says of itself, which kubectl asks before anything else."""

from tests.kubernetes_api.patches import Json
from tests.kubernetes_api.store import ALSO_SERVED, API_VERSIONS, KINDS


def discover(path: str) -> Json | None:
    """The answer to a question of discovery; None for any other path."""
    if path == "/version":
        return {"major": "1", "minor": "37", "gitVersion": "v1.37.0"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(each) for each in API_VERSIONS if each]}
    served = [(group, each) for group, first in API_VERSIONS.items() for each in (first, *ALSO_SERVED.get(group, ()))]
    for group, version in served:
        if path == (f"/apis/{version}" if group else f"/api/{version}"):
            return {"kind": "APIResourceList", "groupVersion": version, "resources": _resources(group)}
    return None


def _group(group: str) -> Json:
    version = {"groupVersion": API_VERSIONS[group], "version": API_VERSIONS[group].split("/")[1]}
    return {"name": group, "versions": [version], "preferredVersion": version}


def _resources(group: str) -> list[Json]:
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    return [
        {"name": plural, "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": verbs}
        for (of, plural), kind in KINDS.items()
        if of == group
    ]
