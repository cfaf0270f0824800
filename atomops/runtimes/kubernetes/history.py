"""Back to an earlier revision, as `kubectl rollout undo` goes there.

Source: kubectl's DeploymentRollbacker and StatefulSetRollbacker (pkg/polymorphichelpers/rollback.go).
"""

from collections.abc import Sequence

from atomops.errors import NotThere, PermanentError
from atomops.runtimes.kubernetes.calls import Json
from atomops.runtimes.kubernetes.reading import REVISION, annotations_of
from atomops.runtimes.kubernetes.workload import REPLICAS, Patch, Workload

_HISTORY = "deployment.kubernetes.io/revision-history"
_HASH = "pod-template-hash"
_KEPT = {  # of the Deployment, which a rollback does not take from the ReplicaSet
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    _HISTORY,
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
    REPLICAS,  # ours: the controller copies it to the ReplicaSet of the moment
}


async def undo(workload: Workload, revision: str, until: float) -> Json:
    """The object as it was; it now asks for the template of `revision`, or of the previous one when that is "".

    Raises NotThere when the history does not have it, and PermanentError for a paused Deployment.
    """
    found = await workload.read(until)
    if workload.kind == "deployment":
        history: Sequence[Json] = await workload.replica_sets(found, until)
    else:
        history = await workload.revisions(found, until)

    def build(now: Json) -> Patch | None:
        if workload.kind == "deployment":
            return _deployment_patch(workload, now, _set_of(workload, history, revision))
        return _stateful_set_patch(workload, now, history, revision)

    before, _ = await workload.change(build, until)
    return before


async def revisions(workload: Workload, until: float) -> tuple[str, ...]:
    """What the history holds, the newest first: "3 (atom:2.1)"."""
    found = await workload.read(until)
    if workload.kind == "deployment":
        sets = await workload.replica_sets(found, until)
        numbered = {
            int(annotations_of(each)[REVISION]): each["spec"]
            for each in sets
            if annotations_of(each).get(REVISION, "").isdecimal()
        }
    else:
        numbered = {int(each["revision"]): each["data"]["spec"] for each in await workload.revisions(found, until)}
    return tuple(f"{number} ({_images(numbered[number])})" for number in sorted(numbered, reverse=True))


def _images(spec: Json) -> str:
    containers = spec["template"].get("spec", {}).get("containers") or ()
    return ", ".join(str(each.get("image", "?")) for each in containers)


def _deployment_patch(workload: Workload, found: Json, source: Json) -> Patch | None:
    if found["spec"].get("paused"):
        raise PermanentError(
            f"{workload.name} is paused: it cannot be rolled back",
            action=f"kubectl rollout resume deployment/{workload.id} -n {workload.settings.namespace}; then again",
        )
    template = _without_hash(source["spec"]["template"])
    if template == _without_hash(found["spec"]["template"]):
        return None
    kept = {key: value for key, value in annotations_of(found).items() if key in _KEPT}
    taken = {key: value for key, value in annotations_of(source).items() if key not in _KEPT}
    return [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": found["metadata"]["resourceVersion"]},
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "add", "path": "/metadata/annotations", "value": taken | kept},
    ]


def _without_hash(template: Json) -> Json:
    metadata = dict(template.get("metadata") or {})
    metadata["labels"] = {key: value for key, value in (metadata.get("labels") or {}).items() if key != _HASH}
    return {**template, "metadata": metadata}


def _set_of(workload: Workload, sets: Sequence[Json], revision: str) -> Json:
    numbered = {
        int(annotations_of(each)[REVISION]): each for each in sets if _is_number(annotations_of(each).get(REVISION))
    }
    if revision:
        # a revision that was rolled back to bears a new number, and the old one in its history
        named = [each for number, each in numbered.items() if str(number) == revision]
        former = [each for each in sets if revision in annotations_of(each).get(_HISTORY, "").split(",")]
        return _first(workload, [*named, *former], revision, sorted(map(str, numbered), key=int))
    earlier = [numbered[number] for number in sorted(numbered, reverse=True)[1:]]
    return _first(workload, earlier, "before this one", sorted(map(str, numbered), key=int))


def _is_number(text: str | None) -> bool:
    return text is not None and text.isdecimal()


def _first(workload: Workload, found: Sequence[Json], revision: str, there: Sequence[str]) -> Json:
    if not found:
        raise NotThere(
            f"{workload.name} has no revision {revision} in its history",
            action=f"it has {', '.join(there) or 'none'}; see revisionHistoryLimit",
        )
    return found[0]


def _stateful_set_patch(workload: Workload, found: Json, history: Sequence[Json], revision: str) -> Patch | None:
    """A ControllerRevision's data is the very patch that leads back to it."""
    ordered = sorted(history, key=lambda each: int(each["revision"]))
    there = [f"{each['revision']} ({each['metadata']['name']})" for each in ordered]
    if revision:
        fitting = [each for each in ordered if revision in {str(each["revision"]), each["metadata"]["name"]}]
        source = _first(workload, fitting, revision, there)
    else:
        source = _first(workload, ordered[-2:-1], "before this one", there)
    status = found.get("status") or {}
    is_seen = (status.get("observedGeneration") or 0) >= found["metadata"]["generation"]
    if is_seen and status.get("updateRevision") == source["metadata"]["name"]:
        return None
    return {**source["data"], "metadata": {"resourceVersion": found["metadata"]["resourceVersion"]}}
