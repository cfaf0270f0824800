"""The Deployment controller: revisions as ReplicaSets, rolling and recreating updates, conditions, the deadline."""

import hashlib
import json
import math
import time

from tests.kubernetes_api.patches import Json
from tests.kubernetes_api.pods import PODS, owned, reference
from tests.kubernetes_api.store import Resource, Store, now

DEPLOYMENTS, SETS = Resource("apps", "deployments"), Resource("apps", "replicasets")
REVISION, HISTORY = "deployment.kubernetes.io/revision", "deployment.kubernetes.io/revision-history"
HASH = "pod-template-hash"
_NOT_COPIED = {"kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY}
_progress: dict[str, tuple[object, float]] = {}  # by uid: what was last seen to move, and when


def reconcile_deployment(store: Store, found: Json) -> None:
    sets = sorted(owned(store, SETS, found), key=_revision)
    newest = next((each for each in sets if _bare(each["spec"]["template"]) == _bare(found["spec"]["template"])), None)
    if found["spec"].get("paused"):
        _scale_all(store, found, sets)
    else:
        if newest is None:
            newest = _create_set(store, found, sets)
            sets.append(newest)
        found = _number(store, found, newest, sets)
        old = [each for each in sets if each["metadata"]["uid"] != newest["metadata"]["uid"]]
        if found["spec"]["strategy"]["type"] == "Recreate":
            _recreate(store, found, newest, old)
        else:
            _roll(store, found, newest, old)
    _report(store, found)


def _bare(template: Json) -> Json:
    labels = {key: value for key, value in template["metadata"]["labels"].items() if key != HASH}
    return {**template, "metadata": {**template["metadata"], "labels": labels}}


def _revision(replica_set: Json) -> int:
    return int((replica_set["metadata"].get("annotations") or {}).get(REVISION, 0))


def _create_set(store: Store, found: Json, sets: list[Json]) -> Json:
    template = _bare(found["spec"]["template"])
    hashed = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:9]
    template["metadata"]["labels"][HASH] = hashed
    selector = dict(found["spec"]["selector"])
    selector["matchLabels"] = {**selector.get("matchLabels", {}), HASH: hashed}
    copied = {key: value for key, value in _annotations(found).items() if key not in _NOT_COPIED}
    number = max(map(_revision, sets), default=0) + 1
    meta = {
        "name": f"{found['metadata']['name']}-{hashed}",
        "labels": dict(template["metadata"]["labels"]),
        "annotations": {**copied, REVISION: str(number)},
        "ownerReferences": reference(found),
    }
    body = {"metadata": meta, "spec": {"replicas": 0, "selector": selector, "template": template}}
    return store.create(SETS, found["metadata"]["namespace"], body)


def _number(store: Store, found: Json, newest: Json, sets: list[Json]) -> Json:
    """A ReplicaSet that is gone back to gets the next number, and keeps the old one in its history."""
    highest, own = max(map(_revision, sets)), _revision(newest)
    if own < highest:
        annotations = _annotations(newest)
        history = [each for each in annotations.get(HISTORY, "").split(",") if each]
        annotations.update({REVISION: str(highest + 1), HISTORY: ",".join([*history, str(own)])})
        newest["metadata"]["annotations"] = annotations
        newest.update(store.update(SETS, newest))
        own = highest + 1
    if _annotations(found).get(REVISION) != str(own):
        found["metadata"]["annotations"] = {**_annotations(found), REVISION: str(own)}
        return store.update(DEPLOYMENTS, found)
    return found


def _annotations(found: Json) -> dict[str, str]:
    return dict(found["metadata"].get("annotations") or {})


def _scale(store: Store, replica_set: Json, replicas: int) -> None:
    if replica_set["spec"]["replicas"] != replicas:
        replica_set["spec"]["replicas"] = replicas
        replica_set.update(store.update(SETS, replica_set))


def _scale_all(store: Store, found: Json, sets: list[Json]) -> None:
    """Paused: the one that has pods, else the newest, follows the number that is wanted."""
    active = [each for each in sets if each["spec"]["replicas"]] or sets[-1:]
    if len(active) == 1:
        _scale(store, active[0], found["spec"]["replicas"])


def _recreate(store: Store, found: Json, newest: Json, old: list[Json]) -> None:
    for each in old:
        _scale(store, each, 0)
    if not any(owned(store, PODS, each) for each in old):
        _scale(store, newest, found["spec"]["replicas"])


def _roll(store: Store, found: Json, newest: Json, old: list[Json]) -> None:
    wanted, rolling = found["spec"]["replicas"], found["spec"]["strategy"]["rollingUpdate"]
    surge = _part(rolling["maxSurge"], wanted, math.ceil)
    missing = _part(rolling["maxUnavailable"], wanted, math.floor)
    if surge == 0 and missing == 0:
        missing = 1
    total = newest["spec"]["replicas"] + sum(each["spec"]["replicas"] for each in old)
    if newest["spec"]["replicas"] > wanted or not any(each["spec"]["replicas"] for each in old):
        _scale(store, newest, wanted)
    else:
        room = max(0, wanted + surge - total)
        _scale(store, newest, min(wanted, newest["spec"]["replicas"] + room))
    available = {
        each["metadata"]["name"]: (each.get("status") or {}).get("availableReplicas", 0) for each in [newest, *old]
    }
    spare = sum(available.values()) - (wanted - missing)
    for each in old:
        name, replicas = each["metadata"]["name"], each["spec"]["replicas"]
        unhealthy = replicas - min(replicas, available[name])
        going = min(replicas, unhealthy + max(0, min(spare, available[name])))
        spare -= max(0, going - unhealthy)
        _scale(store, each, replicas - going)


def _part(value: int | str, of: int, rounded: object) -> int:
    if isinstance(value, int):
        return value
    share = of * int(value.rstrip("%")) / 100
    return math.ceil(share) if rounded is math.ceil else math.floor(share)


def _report(store: Store, found: Json) -> None:
    sets = owned(store, SETS, found)
    now_wanted = _bare(found["spec"]["template"])
    newest = [each for each in sets if _bare(each["spec"]["template"]) == now_wanted]

    def total(of: list[Json], key: str) -> int:
        return sum((each.get("status") or {}).get(key, 0) for each in of)

    status: Json = {
        "observedGeneration": found["metadata"]["generation"],
        "replicas": total(sets, "replicas"),
        "updatedReplicas": total(newest, "replicas"),
        "readyReplicas": total(sets, "readyReplicas"),
        "availableReplicas": total(sets, "availableReplicas"),
    }
    status["conditions"] = [_progressing(found, status), *_failures(newest)]
    # zeros are left out, as Go's omitempty does
    kept = {key: value for key, value in status.items() if value != 0}
    store.update(DEPLOYMENTS, {**found, "status": kept}, status=True)


def _failures(sets: list[Json]) -> list[Json]:
    return [each for found in sets for each in (found.get("status") or {}).get("conditions") or ()]


def _progressing(found: Json, status: Json) -> Json:
    uid, wanted = found["metadata"]["uid"], found["spec"]["replicas"]
    is_done = status["updatedReplicas"] == status["replicas"] == status["availableReplicas"] == wanted
    moving = (
        found["metadata"]["generation"],
        *(status[key] for key in ("replicas", "updatedReplicas", "availableReplicas")),
    )
    last, since = _progress.get(uid, (None, 0.0))
    if last != moving:
        _progress[uid] = moving, time.monotonic()
        since = time.monotonic()
    conditions = (found.get("status") or {}).get("conditions") or ()
    before: Json = next((each for each in conditions if each["type"] == "Progressing"), {})
    name = found["metadata"]["name"]
    if is_done:
        reason, says = "NewReplicaSetAvailable", f'ReplicaSet for "{name}" has successfully progressed.'
    elif time.monotonic() - since >= found["spec"]["progressDeadlineSeconds"] and not found["spec"].get("paused"):
        reason, says = "ProgressDeadlineExceeded", f'ReplicaSet for "{name}" has timed out progressing.'
    else:
        reason, says = "ReplicaSetUpdated", f'ReplicaSet for "{name}" is progressing.'
    if before.get("reason") == reason:
        return dict(before)
    condition = {"type": "Progressing", "status": "False" if "Exceeded" in reason else "True", "lastUpdateTime": now()}
    return {**condition, "reason": reason, "message": says}
