"""What etcd and the registry of an API server do: versions, generations, conflicts, owners, grace."""

import copy
import datetime as dt
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from tests.kubernetes_api.apply import Owners, leaves
from tests.kubernetes_api.patches import Json
from tests.kubernetes_api.validation import fill_in, refusal
from tests.kubernetes_api.versions import converted

API_VERSIONS = {
    "": "v1",
    "apps": "apps/v1",
    "autoscaling": "autoscaling/v1",
    "policy": "policy/v1",
    "batch": "batch/v1",
    "networking.k8s.io": "networking.k8s.io/v1",
    "rbac.authorization.k8s.io": "rbac.authorization.k8s.io/v1",
}
ALSO_SERVED = {"autoscaling": ("autoscaling/v2",)}
KINDS = {
    ("", "configmaps"): "ConfigMap",
    ("", "secrets"): "Secret",
    ("", "services"): "Service",
    ("", "serviceaccounts"): "ServiceAccount",
    ("", "persistentvolumeclaims"): "PersistentVolumeClaim",
    ("batch", "cronjobs"): "CronJob",
    ("networking.k8s.io", "ingresses"): "Ingress",
    ("rbac.authorization.k8s.io", "roles"): "Role",
    ("rbac.authorization.k8s.io", "rolebindings"): "RoleBinding",
    ("", "pods"): "Pod",
    ("", "events"): "Event",
    ("", "resourcequotas"): "ResourceQuota",
    ("apps", "deployments"): "Deployment",
    ("apps", "statefulsets"): "StatefulSet",
    ("apps", "replicasets"): "ReplicaSet",
    ("apps", "controllerrevisions"): "ControllerRevision",
    ("autoscaling", "horizontalpodautoscalers"): "HorizontalPodAutoscaler",
    ("policy", "poddisruptionbudgets"): "PodDisruptionBudget",
}
GRACE_SECONDS = 30


class Refused(Exception):
    """What the API server says no with."""

    def __init__(self, code: int, reason: str, message: str, details: Json | None = None, *, wait: int = 0) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details, self.wait = code, reason, message, details or {}, wait

    @property
    def body(self) -> Json:
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.code,
        }


@dataclass(frozen=True)
class Resource:
    group: str
    plural: str

    @property
    def full_name(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


def now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Store:
    """Every object, by resource, namespace and name. Whoever reads or writes several of them holds `lock`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.history: list[tuple[int, str, Resource, Json]] = []  # for watches
        self._objects: dict[tuple[Resource, str, str], Json] = {}
        self.owners: dict[str, Owners] = {}  # by uid: which manager set which field
        self._version = 100

    @property
    def version(self) -> int:
        return self._version

    def trial(self) -> "Store":
        """A copy of everything, for what is only tried."""
        copied = Store()
        copied._objects, copied.owners, copied._version = (
            copy.deepcopy(self._objects),
            copy.deepcopy(self.owners),
            self._version,
        )
        return copied

    def get(self, resource: Resource, namespace: str, name: str) -> Json:
        with self.lock:
            found = self._objects.get((resource, namespace, name))
            if found is None:
                details = {"name": name, "kind": resource.plural} | (
                    {"group": resource.group} if resource.group else {}
                )
                raise Refused(404, "NotFound", f'{resource.full_name} "{name}" not found', details)
            return copy.deepcopy(found)

    def list(self, resource: Resource, namespace: str, keep: Callable[[Json], bool] = lambda _: True) -> list[Json]:
        with self.lock:
            return [
                copy.deepcopy(found)
                for (kind, space, _), found in sorted(self._objects.items(), key=lambda item: item[0][2])
                if kind == resource and namespace in {"", space} and keep(found)
            ]

    def create(self, resource: Resource, namespace: str, body: Json, manager: str = "test") -> Json:
        with self.lock:
            found = copy.deepcopy(body)
            meta = found.setdefault("metadata", {})
            meta.setdefault("name", f"{meta.get('generateName', '')}{uuid.uuid4().hex[:5]}")
            if (resource, namespace, meta["name"]) in self._objects:
                raise Refused(409, "AlreadyExists", f'{resource.full_name} "{meta["name"]}" already exists')
            meta.update(namespace=namespace, uid=str(uuid.uuid4()), creationTimestamp=now(), generation=1)
            found["kind"] = KINDS[resource.group, resource.plural]
            found = converted(found, API_VERSIONS[resource.group])
            found["apiVersion"] = API_VERSIONS[resource.group]
            if told := refusal(found, None):
                raise Refused(422, "Invalid", told)
            self.owners[meta["uid"]] = dict.fromkeys((path for path, _ in leaves(owned(found))), manager)
            default(found)
            fill_in(found)
            self._manage(found, {}, manager)
            return self._put("ADDED", resource, found)

    def update(self, resource: Resource, found: Json, *, manager: str = "test", status: bool = False) -> Json:
        """A resourceVersion that is not the stored one is a conflict; without one the last write wins."""
        with self.lock:
            meta = found["metadata"]
            stored = self.get(resource, meta["namespace"], meta["name"])
            if meta.get("resourceVersion") not in {None, "", stored["metadata"]["resourceVersion"]}:
                raise Refused(
                    409,
                    "Conflict",
                    f'Operation cannot be fulfilled on {resource.full_name} "{meta["name"]}": the object has been '
                    "modified; please apply your changes to the latest version and try again",
                    {"name": meta["name"], "group": resource.group, "kind": resource.plural},
                )
            fresh = copy.deepcopy(stored if status else found)
            if status:
                fresh["status"] = copy.deepcopy(found.get("status") or {})
            else:
                if told := refusal(fresh, stored):
                    raise Refused(422, "Invalid", told)
                self._own(fresh, stored, manager)
                if "status" in stored:
                    fresh["status"] = copy.deepcopy(stored["status"])
                if fresh.get("spec") != stored.get("spec"):
                    fresh["metadata"]["generation"] = stored["metadata"]["generation"] + 1
                self._manage(fresh, stored, manager)
            if _same(fresh, stored):
                return stored
            return self._put("MODIFIED", resource, fresh)

    def delete(self, resource: Resource, namespace: str, name: str, options: Json) -> Json:
        with self.lock:
            found = self.get(resource, namespace, name)
            wanted = (options.get("preconditions") or {}).get("uid")
            if wanted not in {None, found["metadata"]["uid"]}:
                raise Refused(409, "Conflict", f"Precondition failed: UID in precondition: {wanted}")
            grace = options.get("gracePeriodSeconds", GRACE_SECONDS)
            if resource.plural == "pods" and grace and found["spec"].get("nodeName"):
                found["metadata"].update(deletionTimestamp=now(), deletionGracePeriodSeconds=grace)
                return self._put("MODIFIED", resource, found)
            del self._objects[resource, namespace, name]
            self._log("DELETED", resource, found)
            for owned, space, child in [key for key, each in self._objects.items() if _owned_by(each, found)]:
                self.delete(owned, space, child, {})
            return found

    def _put(self, event: str, resource: Resource, found: Json) -> Json:
        meta = found["metadata"]
        self._objects[resource, meta["namespace"], meta["name"]] = found
        self._log(event, resource, found)
        return copy.deepcopy(found)

    def _log(self, event: str, resource: Resource, found: Json) -> None:
        self._version += 1
        found["metadata"]["resourceVersion"] = str(self._version)
        self.history.append((self._version, event, resource, copy.deepcopy(found)))
        self.changed.notify_all()

    def _own(self, fresh: Json, stored: Json, manager: str) -> None:
        """Who changes a field owns it."""
        before = dict(leaves(owned(stored)))
        now_there = dict(leaves(owned(fresh)))
        owners = self.owners.setdefault(stored["metadata"]["uid"], {})
        for path in set(owners) - set(now_there):
            del owners[path]
        owners.update({path: manager for path, value in now_there.items() if before.get(path) != value})

    @staticmethod
    def _manage(found: Json, stored: Json, manager: str) -> None:
        """managedFields, as far as the members of spec."""
        spec, before = found.get("spec") or {}, stored.get("spec") or {}
        fields: Json = {f"f:{key}": {} for key in spec if spec[key] != before.get(key)}
        kept = [
            {**each, "fieldsV1": {"f:spec": {key: {} for key in each["fieldsV1"]["f:spec"] if key not in fields}}}
            for each in stored.get("metadata", {}).get("managedFields") or ()
        ]
        if fields:
            kept.append({"manager": manager, "operation": "Update", "time": now(), "fieldsV1": {"f:spec": fields}})
        found["metadata"]["managedFields"] = kept


def owned(found: Json) -> Json:
    """The part of an object that people and controllers write, and not the server."""
    meta = {key: found["metadata"][key] for key in ("labels", "annotations") if found["metadata"].get(key)}
    server_side = {"apiVersion", "kind", "metadata", "status"}
    written = {key: value for key, value in found.items() if key not in server_side}
    return {"metadata": meta, **written} if meta else written


def _same(one: Json, other: Json) -> bool:
    def bare(found: Json) -> Json:
        ignored = {"resourceVersion", "managedFields"}
        return {**found, "metadata": {key: value for key, value in found["metadata"].items() if key not in ignored}}

    return bare(one) == bare(other)


def _owned_by(found: Json, owner: Json) -> bool:
    return any(each["uid"] == owner["metadata"]["uid"] for each in found["metadata"].get("ownerReferences") or ())


def default(found: Json) -> None:
    """The defaults of apps/v1 that matter here."""
    spec = found.get("spec") or {}
    if found["kind"] == "Deployment":
        spec.setdefault("replicas", 1)
        spec.setdefault("progressDeadlineSeconds", 600)
        strategy = spec.setdefault("strategy", {})
        if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxSurge", "25%")
            rolling.setdefault("maxUnavailable", "25%")
    if found["kind"] == "StatefulSet":
        spec.setdefault("replicas", 1)
        strategy = spec.setdefault("updateStrategy", {})
        if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
            strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
