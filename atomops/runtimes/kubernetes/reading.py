"""The API's JSON as facts. What the API leaves out reads as Go reads it: 0, false, ""."""

import datetime as dt
from typing import Any

from atomops.facts.kubernetes import Container, Kind, Pod, Rollout
from atomops.runtimes.kubernetes.calls import Json

REVISION = "deployment.kubernetes.io/revision"
_TEMPLATE_HASHES = ("pod-template-hash", "controller-revision-hash")
_DEADLINE = "ProgressDeadlineExceeded"


def rollout_of(kind: Kind, found: Json) -> Rollout:
    """The numbers of a Deployment or a StatefulSet."""
    spec, status = found["spec"], found.get("status") or {}
    strategy: Json = (spec.get("strategy") if kind == "deployment" else spec.get("updateStrategy")) or {}
    rolling = strategy.get("rollingUpdate")
    return Rollout(
        kind=kind,
        name=found["metadata"]["name"],
        generation=found["metadata"].get("generation") or 0,
        observed=status.get("observedGeneration") or 0,
        wanted=replicas_of(found),
        current=status.get("replicas") or 0,
        updated=status.get("updatedReplicas") or 0,
        ready=status.get("readyReplicas") or 0,
        available=status.get("availableReplicas") or 0,
        is_paused=bool(spec.get("paused")),
        strategy=strategy.get("type") or "RollingUpdate",
        partition=None if kind == "deployment" or rolling is None else rolling.get("partition") or 0,
        current_revision=status.get("currentRevision") or "",
        update_revision=status.get("updateRevision") or "",
        deadline=_message(status, "Progressing", reason=_DEADLINE),
        failure=_message(status, "ReplicaFailure", status="True"),
    )


def replicas_of(found: Json) -> int:
    """How many pods are wanted; 1 where nobody said."""
    replicas = found["spec"].get("replicas")
    return 1 if replicas is None else int(replicas)


def _message(of: Json, kind: str, **wanted: str) -> str | None:
    """The message of the condition when it is as wanted."""
    for each in of.get("conditions") or ():
        if each.get("type") == kind and all(each.get(key) == value for key, value in wanted.items()):
            return str(each.get("message") or each.get("reason") or kind)
    return None


def annotations_of(found: Json) -> dict[str, str]:
    """Its annotations."""
    return found["metadata"].get("annotations") or {}


def controller_of(found: Json) -> str:
    """The uid of what made it and cares for it; "" when nothing does."""
    owners = found["metadata"].get("ownerReferences") or ()
    return next((str(each["uid"]) for each in owners if each.get("controller")), "")


def pod_of(found: Json) -> Pod:
    """A pod."""
    meta, spec, status = found["metadata"], found.get("spec") or {}, found.get("status") or {}
    labels = meta.get("labels") or {}
    conditions = {each["type"]: each for each in status.get("conditions") or ()}
    return Pod(
        name=meta["name"],
        uid=meta["uid"],
        owner=controller_of(found),
        revision=next((labels[key] for key in _TEMPLATE_HASHES if key in labels), ""),
        phase=status.get("phase") or "Pending",
        reason=status.get("reason") or "",
        message=status.get("message") or "",
        node=spec.get("nodeName") or "",
        is_ready=conditions.get("Ready", {}).get("status") == "True",
        is_going=meta.get("deletionTimestamp") is not None,
        unschedulable=_unschedulable(conditions.get("PodScheduled") or {}),
        created_at=moment(meta.get("creationTimestamp")),
        started_at=moment(status.get("startTime")),
        containers=(*_containers(spec, status, init=True), *_containers(spec, status, init=False)),
        labels=labels,
    )


def _unschedulable(condition: Json) -> str | None:
    if condition.get("status") != "False":
        return None
    return str(condition.get("message") or condition.get("reason") or "not scheduled")


def _containers(spec: Json, status: Json, *, init: bool) -> list[Container]:
    reported = status.get("initContainerStatuses" if init else "containerStatuses") or ()
    by_name = {each["name"]: each for each in reported}
    wanted = spec.get("initContainers" if init else "containers") or ()
    return [_container(each, by_name.get(each["name"]) or {}, init=init) for each in wanted]


def _container(wanted: Json, reported: Json, *, init: bool) -> Container:
    kind, state = _only(reported.get("state"))
    _, last = _only(reported.get("lastState"))
    return Container(
        name=wanted["name"],
        is_init=init,
        is_sidecar=init and wanted.get("restartPolicy") == "Always",
        image=wanted.get("image") or "",
        state=kind,
        reason=state.get("reason") or "",
        message=state.get("message") or "",
        exit_code=state.get("exitCode"),
        is_ready=bool(reported.get("ready")),
        has_started=bool(reported.get("started")),
        restarts=reported.get("restartCount") or 0,
        last_reason=last.get("reason") or "",
        last_exit_code=last.get("exitCode"),
        last_ended_at=moment(last.get("finishedAt")),
    )


def _only(state: Json | None) -> tuple[str, Json]:
    """A container's state has one key, which says which state it is."""
    for kind, details in (state or {}).items():
        return kind, details or {}
    return "", {}


def moment(text: Any) -> dt.datetime | None:  # noqa: ANN401 - a string, or nothing
    """A time of the API."""
    return dt.datetime.fromisoformat(str(text)) if text else None
