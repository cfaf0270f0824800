"""Why a StatefulSet gets no pod: unlike a Deployment it has no condition for that, only events."""

from collections.abc import Sequence

from atomops.facts.kubernetes import Pod, Rollout
from atomops.runtimes.kubernetes.calls import Call, Json
from atomops.runtimes.kubernetes.workload import Workload


class Creations:
    """Remembers which refusals there were before us, so that an old one is not taken for the reason of today's."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._before: dict[str, int] | None = None

    async def refused(self, seen: Rollout, found: Json, pods: Sequence[Pod], until: float) -> str | None:
        """Why pods are not made, by what the workload or its events say; None while none is missing."""
        if self._workload.kind == "deployment":
            return seen.failure
        is_missing = len(pods) < seen.wanted  # the status's number stays as it was while pods are refused
        if self._before is not None and not is_missing:
            return None
        events = await self._events(found, until)
        times = {str(each["metadata"]["uid"]): int(each.get("count") or 1) for each in events}
        if self._before is None:
            self._before = times
        newer = [
            each for each in events if times[each["metadata"]["uid"]] > self._before.get(each["metadata"]["uid"], 0)
        ]
        return str(newer[-1].get("message")) if newer else None

    async def _events(self, found: Json, until: float) -> list[Json]:
        selector = f"involvedObject.uid={found['metadata']['uid']},reason=FailedCreate"
        call = Call("list", "events", self._workload.settings.namespace)
        return await self._workload.api.items(call, {"fieldSelector": selector}, until=until)
