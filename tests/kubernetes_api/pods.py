"""Pods as their controllers make and delete them, within the namespace's quota."""

import uuid
from typing import Any

from tests.kubernetes_api.patches import Json
from tests.kubernetes_api.store import Refused, Resource, Store, now

PODS, SETS, EVENTS = Resource("", "pods"), Resource("apps", "replicasets"), Resource("", "events")
QUOTAS = Resource("", "resourcequotas")


def owned(store: Store, resource: Resource, owner: Json) -> list[Json]:
    return store.list(
        resource,
        owner["metadata"]["namespace"],
        lambda each: any(
            ref["uid"] == owner["metadata"]["uid"] for ref in each["metadata"].get("ownerReferences") or ()
        ),
    )


def reference(owner: Json) -> list[Json]:
    meta = owner["metadata"]
    names = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": meta["name"], "uid": meta["uid"]}
    return [{**names, "controller": True, "blockOwnerDeletion": True}]


def is_active(pod: Json) -> bool:
    phase = (pod.get("status") or {}).get("phase")
    return pod["metadata"].get("deletionTimestamp") is None and phase not in {"Succeeded", "Failed"}


def is_ready(pod: Json) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return is_active(pod) and any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def create_pod(store: Store, owner: Json, template: Json, name: str, **labels: str) -> None:
    """Raises Refused when the quota is used up, after an event that says so."""
    meta = template.get("metadata") or {}
    namespace = owner["metadata"]["namespace"]
    pod = {
        "metadata": {
            "name": name,
            "labels": {**(meta.get("labels") or {}), **labels},
            "annotations": dict(meta.get("annotations") or {}),
            "ownerReferences": reference(owner),
        },
        "spec": dict(template["spec"]),
        "status": {"phase": "Pending"},
    }
    try:
        _expect_quota(store, namespace, name)
    except Refused as refused:
        _tell(store, owner, f'Error creating: pods "{name}" is forbidden: {refused.message}')
        raise
    store.create(PODS, namespace, pod)


def _expect_quota(store: Store, namespace: str, name: str) -> None:
    for quota in store.list(QUOTAS, namespace):
        hard = int(quota["spec"]["hard"]["pods"])
        used = sum(1 for each in store.list(PODS, namespace) if (each.get("status") or {}).get("phase") != "Failed")
        if used >= hard:
            which = quota["metadata"]["name"]
            says = f"exceeded quota: {which}, requested: pods=1, used: pods={used}, limited: pods={hard}"
            raise Refused(403, "Forbidden", says, {"name": name})


def _tell(store: Store, owner: Json, message: str) -> None:
    meta = owner["metadata"]
    about = {"kind": owner["kind"], "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]}
    told = store.list(EVENTS, meta["namespace"], lambda each: each["involvedObject"] == about)
    if told:
        store.update(EVENTS, {**told[0], "count": told[0]["count"] + 1, "message": message, "lastTimestamp": now()})
        return
    event: dict[str, Any] = {"metadata": {"name": f"{meta['name']}.{uuid.uuid4().hex[:8]}"}, "involvedObject": about}
    store.create(
        EVENTS,
        meta["namespace"],
        {**event, "type": "Warning", "reason": "FailedCreate", "message": message, "count": 1, "lastTimestamp": now()},
    )


def reconcile_replica_set(store: Store, replica_set: Json) -> None:
    """As many active pods as are wanted; those that are not ready go first."""
    meta, spec = replica_set["metadata"], replica_set["spec"]
    active = [each for each in owned(store, PODS, replica_set) if is_active(each)]
    failure: list[Json] = []
    try:
        for _ in range(spec["replicas"] - len(active)):
            create_pod(store, replica_set, spec["template"], f"{meta['name']}-{uuid.uuid4().hex[:5]}")
    except Refused as refused:
        says = f"pods is forbidden: {refused.message}"
        failure = [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": says}]
    for pod in sorted(active, key=is_ready)[: max(0, len(active) - spec["replicas"])]:
        store.delete(PODS, meta["namespace"], pod["metadata"]["name"], {})
    active = [each for each in owned(store, PODS, replica_set) if is_active(each)]
    ready = sum(map(is_ready, active))
    status = {"replicas": len(active), "readyReplicas": ready, "availableReplicas": ready}
    observed = {"observedGeneration": meta["generation"], "conditions": failure}
    store.update(SETS, {**replica_set, "status": {**status, **observed}}, status=True)
