"""What belongs to a workload: the objects that it names, and those that point to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from atomops.plans.selectors import matches

Json = Mapping[str, Any]
_WORKLOADS = frozenset({"Deployment", "StatefulSet"})
_TOKENS = {
    "kubernetes.io/service-account-token": "a token of a service account, which the cluster makes anew",
    "bootstrap.kubernetes.io/token": "a token for new nodes, which is none of the application's",
    "helm.sh/release.v1": "Helm's own record of a release: helm brings it with the release",
}


@dataclass(frozen=True)
class Reference:
    """An object that another one names. An optional one may be missing."""

    kind: str
    name: str
    by: str
    is_optional: bool = False


def references_of(document: Json) -> tuple[Reference, ...]:
    """Every object that this one names, each once."""
    kind = document["kind"]
    by = f"{kind}/{document['metadata']['name']}"
    if kind in _WORKLOADS or kind == "CronJob":
        found = list(_of_pod(pod_of(document), by))
    elif kind == "ServiceAccount":
        found = [Reference("Secret", each["name"], by) for each in document.get("imagePullSecrets") or ()]
    elif kind == "Ingress":
        names = [each.get("secretName") for each in document["spec"].get("tls") or ()]
        found = [Reference("Secret", name, by) for name in names if name]
    elif kind == "RoleBinding" and document["roleRef"]["kind"] == "Role":
        found = [Reference("Role", document["roleRef"]["name"], by)]
    else:
        found = []
    return tuple(_each_once(found))


def pod_of(document: Json) -> Json:
    """The spec of the pods that it makes."""
    spec = document["spec"]
    if document["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return spec["template"].get("spec") or {}


def labels_of(document: Json) -> Mapping[str, str]:
    """The labels of the pods that it makes."""
    return (document["spec"]["template"].get("metadata") or {}).get("labels") or {}


def images_of(document: Json) -> dict[str, str]:
    """The image of each container of its pods."""
    return {each["name"]: each.get("image") or "" for each in _containers(pod_of(document))}


def points_to(document: Json, workload: Json, taken: frozenset[str]) -> bool:  # noqa: PLR0911 - one a kind
    """Whether the object is there for that workload; `taken` are the names of what is known to belong to it."""
    name, spec = workload["metadata"]["name"], document.get("spec") or {}
    match document["kind"]:
        case "Service":
            return bool(spec.get("selector")) and matches({"matchLabels": spec["selector"]}, labels_of(workload))
        case "PodDisruptionBudget":
            return matches(spec.get("selector"), labels_of(workload))
        case "HorizontalPodAutoscaler":
            target = spec["scaleTargetRef"]
            return (target["kind"], target["name"]) == (workload["kind"], name)
        case "Ingress":
            return any(f"Service/{each}" in taken for each in _backends(spec))
        case "CronJob":
            return _works_for(document, workload, taken)
        case "RoleBinding":
            return any(_account(each) in taken for each in document.get("subjects") or ())
        case _:
            return False


def why_left_out(document: Json) -> str:
    """Why the object is none that a backup should hold, or ""."""
    name = document["metadata"]["name"]
    match document["kind"]:
        case "Secret":
            return _TOKENS.get(document.get("type") or "", "")
        case "ConfigMap" if name == "kube-root-ca.crt":
            return "the cluster's own certificate, which every namespace gets by itself"
        case "ServiceAccount" if name == "default" and not document.get("imagePullSecrets"):
            return "every namespace has it by itself"
        case _:
            return ""


def _works_for(job: Json, workload: Json, taken: frozenset[str]) -> bool:
    """It runs the same image, or reads what the workload reads."""
    shared = {f"{each.kind}/{each.name}" for each in references_of(job) if each.kind != "ServiceAccount"} & taken
    return bool(shared) or bool(set(images_of(job).values()) & set(images_of(workload).values()))


def _account(subject: Json) -> str:
    return f"{subject['kind']}/{subject['name']}"


def _backends(spec: Json) -> Iterator[str]:
    paths = [path for rule in spec.get("rules") or () for path in (rule.get("http") or {}).get("paths") or ()]
    for backend in [spec.get("defaultBackend"), *(path.get("backend") for path in paths)]:
        service = (backend or {}).get("service") or {}
        if service.get("name"):
            yield service["name"]


def _containers(pod: Json) -> Iterator[Json]:
    yield from pod.get("initContainers") or ()
    yield from pod.get("containers") or ()


def _of_pod(pod: Json, by: str) -> Iterator[Reference]:
    account = pod.get("serviceAccountName")
    yield Reference("ServiceAccount", account or "default", by, is_optional=not account)
    yield from (Reference("Secret", each["name"], by) for each in pod.get("imagePullSecrets") or ())
    for container in _containers(pod):
        yield from _of_environment(container, by)
    for volume in pod.get("volumes") or ():
        yield from _of_volume(volume, by)


def _of_environment(container: Json, by: str) -> Iterator[Reference]:
    for each in container.get("envFrom") or ():
        yield from _named(each, {"configMapRef": "ConfigMap", "secretRef": "Secret"}, by)
    for each in container.get("env") or ():
        yield from _named(each.get("valueFrom") or {}, {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}, by)


def _named(holder: Json, kinds: Mapping[str, str], by: str) -> Iterator[Reference]:
    for key, kind in kinds.items():
        if (holder.get(key) or {}).get("name"):
            yield Reference(kind, holder[key]["name"], by, is_optional=bool(holder[key].get("optional")))


def _of_volume(volume: Json, by: str) -> Iterator[Reference]:
    yield from _named(volume, {"configMap": "ConfigMap"}, by)
    secret = volume.get("secret") or {}
    if secret.get("secretName"):
        yield Reference("Secret", secret["secretName"], by, is_optional=bool(secret.get("optional")))
    claim = volume.get("persistentVolumeClaim") or {}
    if claim.get("claimName"):
        yield Reference("PersistentVolumeClaim", claim["claimName"], by)
    for source in (volume.get("projected") or {}).get("sources") or ():
        yield from _named(source, {"configMap": "ConfigMap", "secret": "Secret"}, by)


def _each_once(found: list[Reference]) -> Iterator[Reference]:
    """What somebody needs is not optional because somebody else can do without it."""
    wanted = {(each.kind, each.name) for each in found if not each.is_optional}
    known: set[tuple[str, str]] = set()
    for each in found:
        key = (each.kind, each.name)
        if key in known or (each.is_optional and key in wanted):
            continue
        known.add(key)
        yield each
