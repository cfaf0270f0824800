"""What an API server refuses of an object's new state, in its own words; and what it fills in for some kinds."""

import json
import uuid

from tests.kubernetes_api.patches import Json

_LARGEST = 1 << 20  # bytes of a ConfigMap or Secret


def refusal(found: Json, stored: Json | None) -> str:  # noqa: PLR0911 - one a rule
    """Why the state is invalid, or ""."""
    kind, name = found["kind"], found["metadata"]["name"]
    spec, before = found.get("spec") or {}, (stored or {}).get("spec") or {}
    where = f'{kind} "{name}" is invalid: '
    if kind in {"ConfigMap", "Secret"}:
        if sum(len(value) for part in ("data", "binaryData") for value in (found.get(part) or {}).values()) > _LARGEST:
            return f"{where}data: Too long: may not be more than {_LARGEST} bytes"
        if any(not isinstance(value, str) for value in (found.get("data") or {}).values()):
            return f"{where}data: Invalid value: must be a string"
        if stored and stored.get("immutable") and found.get("data") != stored.get("data"):
            return f"{where}data: Forbidden: field is immutable when `immutable` is set"
    if kind == "Secret" and stored and (found.get("type") or "Opaque") != (stored.get("type") or "Opaque"):
        return f'{where}type: Invalid value: "{found.get("type")}": field is immutable'
    if kind == "PersistentVolumeClaim" and stored and _bare(spec) != _bare(before):
        return f"{where}spec: Forbidden: spec is immutable after creation except resources.requests"
    if kind in {"Deployment", "StatefulSet"} and stored and spec.get("selector") != before.get("selector"):
        return f"{where}spec.selector: Invalid value: {json.dumps(spec.get('selector'))}: field is immutable"
    return ""


def fill_in(found: Json) -> None:
    """The defaults of Services, claims and accounts that a cleaned object must not bear."""
    spec = found.get("spec") or {}
    if found["kind"] == "Service" and spec.get("type") != "ExternalName":
        spec.setdefault("type", "ClusterIP")
        number = uuid.uuid5(uuid.NAMESPACE_DNS, found["metadata"]["uid"]).int
        spec.setdefault("clusterIP", f"10.0.{number % 255}.{number // 255 % 255}")
        spec.setdefault("clusterIPs", [spec["clusterIP"]])
        spec.setdefault("sessionAffinity", "None")
        for port in spec.get("ports") or ():
            port.setdefault("protocol", "TCP")
            port.setdefault("targetPort", port["port"])
            if spec["type"] == "NodePort":
                port.setdefault("nodePort", 30_000 + number % 2768)
    if found["kind"] == "PersistentVolumeClaim":
        spec.setdefault("volumeMode", "Filesystem")
        spec.setdefault("storageClassName", "standard")
        spec.setdefault("volumeName", f"pvc-{found['metadata']['uid']}")
        note = {"pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes"}
        found["metadata"].setdefault("annotations", {}).update(note)
        found["metadata"].setdefault("finalizers", ["kubernetes.io/pvc-protection"])
        found.setdefault("status", {"phase": "Bound"})
    if found["kind"] == "Secret":
        found.setdefault("type", "Opaque")


def _bare(spec: Json) -> Json:
    return {key: value for key, value in spec.items() if key != "resources"}
