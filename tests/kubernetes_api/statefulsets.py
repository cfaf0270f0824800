"""The StatefulSet controller: pods in order, revisions as ControllerRevisions, a rollout that a broken pod holds up."""

import contextlib
import copy
import hashlib
import json

from tests.kubernetes_api.patches import Json
from tests.kubernetes_api.pods import PODS, create_pod, is_active, is_ready, owned, reference
from tests.kubernetes_api.store import Refused, Resource, Store

STATEFUL_SETS, REVISIONS = Resource("apps", "statefulsets"), Resource("apps", "controllerrevisions")
HASH = "controller-revision-hash"


def reconcile_stateful_set(store: Store, found: Json) -> None:
    namespace = found["metadata"]["namespace"]
    update = _revision(store, found)["metadata"]["name"]
    current = (found.get("status") or {}).get("currentRevision") or update
    pods = {int(each["metadata"]["name"].rpartition("-")[2]): each for each in owned(store, PODS, found)}
    with contextlib.suppress(Refused):  # the quota is used up: an event says so
        _one_step(store, found, pods, current, update)
    pods = {int(each["metadata"]["name"].rpartition("-")[2]): each for each in owned(store, PODS, found)}
    live = [each for each in pods.values() if is_active(each)]
    updated = [each for each in live if each["metadata"]["labels"][HASH] == update]
    ready = sum(map(is_ready, live))
    if current != update and len(updated) == len(live) == found["spec"]["replicas"] and ready == len(live):
        current = update
    status = {
        "observedGeneration": found["metadata"]["generation"],
        "replicas": len(live),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "updatedReplicas": len(updated),
        "currentReplicas": sum(1 for each in live if each["metadata"]["labels"][HASH] == current),
        "currentRevision": current,
        "updateRevision": update,
    }
    latest = store.get(STATEFUL_SETS, namespace, found["metadata"]["name"])
    # replicas has no omitempty in a StatefulSet's status, its other numbers do
    kept = {key: value for key, value in status.items() if value != 0 or key == "replicas"}
    store.update(STATEFUL_SETS, {**latest, "status": kept}, status=True)


def _revision(store: Store, found: Json) -> Json:
    template = {**copy.deepcopy(found["spec"]["template"]), "$patch": "replace"}
    data = {"spec": {"template": template}}
    hashed = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:9]
    meta = found["metadata"]
    history = owned(store, REVISIONS, found)
    highest = max((each["revision"] for each in history), default=0)
    for each in history:
        if each["data"] == data:
            return each if each["revision"] == highest else store.update(REVISIONS, {**each, "revision": highest + 1})
    labels = {**found["spec"]["selector"]["matchLabels"], HASH: hashed}
    body = {
        "metadata": {"name": f"{meta['name']}-{hashed}", "labels": labels, "ownerReferences": reference(found)},
        "data": data,
        "revision": highest + 1,
    }
    return store.create(REVISIONS, meta["namespace"], body)


def _one_step(store: Store, found: Json, pods: dict[int, Json], current: str, update: str) -> None:
    """OrderedReady: the first pod that is missing or not ready stops everything behind it."""
    name, namespace, wanted = found["metadata"]["name"], found["metadata"]["namespace"], found["spec"]["replicas"]
    partition = ((found["spec"]["updateStrategy"].get("rollingUpdate") or {}).get("partition")) or 0
    for number in range(wanted):
        if number not in pods:
            revision = update if number >= partition else current
            template = _template(store, found, revision)
            labels = {HASH: revision, "statefulset.kubernetes.io/pod-name": f"{name}-{number}"}
            create_pod(store, found, template, f"{name}-{number}", **labels)
            return
        if not is_ready(pods[number]):
            return
    surplus = sorted((number for number in pods if number >= wanted), reverse=True)
    if surplus:
        if is_active(pods[surplus[0]]):
            store.delete(PODS, namespace, pods[surplus[0]]["metadata"]["name"], {})
        return
    if found["spec"]["updateStrategy"]["type"] != "RollingUpdate":
        return
    for number in range(wanted - 1, partition - 1, -1):
        if pods[number]["metadata"]["labels"][HASH] != update:
            store.delete(PODS, namespace, pods[number]["metadata"]["name"], {})
            return


def _template(store: Store, found: Json, revision: str) -> Json:
    stored = store.get(REVISIONS, found["metadata"]["namespace"], revision)
    template: Json = copy.deepcopy(stored["data"]["spec"]["template"])
    template.pop("$patch", None)
    return template
