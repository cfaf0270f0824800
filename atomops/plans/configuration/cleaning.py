"""An object as somebody would have written it: without what the API server and its controllers have added."""

import copy
from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]
_METADATA = ("name", "namespace", "labels", "annotations")
_OF_OTHERS = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.kubernetes.io/",
    "volume.beta.kubernetes.io/",
    "autoscaling.alpha.kubernetes.io/",
    "control-plane.alpha.kubernetes.io/",
    "atomops.io/",
)
_RESTARTED = "kubectl.kubernetes.io/restartedAt"  # written back, it would be another rollout
_HEADLESS = "None"


def cleaned(found: Json, api_version: str, kind: str, *, node_ports: bool = False) -> Json:
    """What `kubectl apply` takes, in this cluster or in a new one. The original is left as it is."""
    given = copy.deepcopy(found)
    metadata = {key: given["metadata"][key] for key in _METADATA if given["metadata"].get(key)}
    if "annotations" in metadata:
        metadata["annotations"] = _own(metadata["annotations"], _OF_OTHERS)
    metadata = {key: value for key, value in metadata.items() if value}
    server_side = {"apiVersion", "kind", "metadata", "status"}
    rest = {key: value for key, value in given.items() if key not in server_side}
    _CLEANERS.get(kind, _as_it_is)(rest)
    if kind == "Service" and not node_ports:
        _without_node_ports(rest)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **_without_empty_times(rest)}


def without_replicas(document: Json) -> Json:
    """The workload without a number of pods, which is its autoscaler's to say."""
    spec = {key: value for key, value in document["spec"].items() if key != "replicas"}
    return {**document, "spec": spec}


def notes_on(found: Json) -> tuple[str, ...]:
    """What the cleaned object does not tell any more."""
    owners = found["metadata"].get("ownerReferences") or ()
    notes = [f"made by {each.get('kind')} {each.get('name')}, which may make it anew" for each in owners]
    if found.get("immutable"):
        notes.append("immutable: it can be created again, never changed")
    return tuple(notes)


def _own(annotations: Json, of_others: Iterable[str]) -> Json:
    return {key: value for key, value in annotations.items() if not key.startswith(tuple(of_others))}


def _without_empty_times(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Templates bear a creationTimestamp of null."""
    if isinstance(value, dict):
        kept = ((key, each) for key, each in value.items() if key != "creationTimestamp" or each is not None)
        return {key: _without_empty_times(each) for key, each in kept}
    return [_without_empty_times(each) for each in value] if isinstance(value, list) else value


def _as_it_is(_rest: Json) -> None:
    pass


def _workload(rest: Json) -> None:
    metadata = rest["spec"]["template"].get("metadata") or {}
    if metadata.get("annotations"):
        metadata["annotations"] = _own(metadata["annotations"], (_RESTARTED,))
        if not metadata["annotations"]:
            del metadata["annotations"]
    for claim in rest["spec"].get("volumeClaimTemplates") or ():
        claim.pop("status", None)


def _service(rest: Json) -> None:
    spec = rest.get("spec") or {}
    if spec.get("clusterIP") != _HEADLESS:
        spec.pop("clusterIP", None)
        spec.pop("clusterIPs", None)
    spec.pop("healthCheckNodePort", None)


def _without_node_ports(rest: Json) -> None:
    for port in (rest.get("spec") or {}).get("ports") or ():
        port.pop("nodePort", None)


def _claim(rest: Json) -> None:
    rest["spec"].pop("volumeName", None)


def _account(rest: Json) -> None:
    rest.pop("secrets", None)  # its tokens, which are made anew


_CLEANERS = {
    "Deployment": _workload,
    "StatefulSet": _workload,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
    "ServiceAccount": _account,
}
