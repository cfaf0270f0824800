"""Pods that hold up the way back of a StatefulSet, which its controller never replaces by itself."""

from collections.abc import Awaitable, Callable

from atomops.errors import NotThere
from atomops.runtimes.kubernetes.calls import Call, Conflict, Json
from atomops.runtimes.kubernetes.workload import Belongings, Workload


def replace_broken_pods(workload: Workload, until: float) -> Callable[[Json, Belongings], Awaitable[None]] | None:
    """A step that deletes pods of the revision that is left, when they are not ready: in order, each is waited for.

    Known as the forced rollback of StatefulSets in Kubernetes's documentation. None for a Deployment.
    """
    if workload.kind == "deployment":
        return None

    async def step(found: Json, own: Belongings) -> None:
        seen = workload.seen(found)
        if seen.observed < seen.generation or not seen.update_revision:
            return
        for pod in own.pods:
            if pod.revision != seen.update_revision and not pod.is_ready and not pod.is_going:
                call = Call("delete", "pods", workload.settings.namespace, pod.name)
                try:
                    await workload.api.delete(call, _only(pod.uid), until=until)
                except (NotThere, Conflict):
                    continue  # the controller was faster

    return step


def _only(uid: str) -> Json:
    """Not a newer pod of the same name."""
    return {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
