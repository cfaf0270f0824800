"""What an SRE wants to see when a rollout fails: what its pods and their events say, and what still runs."""

import asyncio
from collections.abc import Iterable, Sequence

from atomops.errors import AtomOpsError
from atomops.facts.kubernetes import Pod
from atomops.humane import plural
from atomops.plans.pods import Trouble, state_of
from atomops.plans.rollout import Judgement
from atomops.runtimes.kubernetes.calls import Call, Json
from atomops.runtimes.kubernetes.workload import Belongings, Workload

_MOST_PODS, _MOST_EVENTS = 5, 5
_SECONDS = 10  # for reading events: evidence is no reason to wait


async def gather_evidence(
    workload: Workload, judged: Judgement, troubles: Sequence[Trouble], found: Json, own: Belongings
) -> tuple[str, ...]:
    """Lines to read from top to bottom. What could not be looked at is said in its place."""
    newest = own.newest(found)
    unready = [pod for pod in newest if not pod.is_ready and not pod.is_going]
    silent = [pod for pod in unready if all(trouble.where != pod.name for trouble in troubles)]
    lines = [f"{workload.name}: {judged.why}", *map(str, troubles), *(f"{pod.name}: {state_of(pod)}" for pod in silent)]
    asked = [
        (workload.name, str(found["metadata"]["uid"])),
        *_sets(own),
        *((pod.name, pod.uid) for pod in unready[:_MOST_PODS]),
    ]
    for said in await asyncio.gather(*(_events(workload, name, uid) for name, uid in asked)):
        lines += said
    return (*lines, *_running(workload, found, own.pods, newest))


def _sets(own: Belongings) -> list[tuple[str, str]]:
    """ReplicaSets that ought to have pods: their events tell why they have none."""
    wanted = [each for each in own.sets if each["spec"].get("replicas")]
    return [(f"replicaset {each['metadata']['name']}", str(each["metadata"]["uid"])) for each in wanted[:_MOST_PODS]]


async def _events(workload: Workload, name: str, uid: str) -> list[str]:
    call = Call("list", "events", workload.settings.namespace)
    query = {"fieldSelector": f"involvedObject.uid={uid},type=Warning"}
    try:
        found = await asyncio.wait_for(workload.api.items(call, query, until=0), _SECONDS)
    except (AtomOpsError, TimeoutError) as error:
        return [f"{name}: its events could not be read: {error or 'no answer'}"]
    newest = sorted(found, key=_last_seen, reverse=True)[:_MOST_EVENTS]
    return [f"{name}: event {each.get('reason')}: {' '.join(str(each.get('message')).split())}" for each in newest]


def _last_seen(event: Json) -> str:
    series = event.get("series") or {}
    times = (
        series.get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        event.get("firstTimestamp"),
    )
    return next((str(time) for time in times if time), "")


def _running(workload: Workload, found: Json, pods: Iterable[Pod], newest: Sequence[Pod]) -> list[str]:
    """Which pods of before still serve."""
    revision = workload.seen(found).update_revision
    new = {pod.uid for pod in newest if workload.kind == "deployment" or pod.revision == revision}
    old = [pod for pod in pods if pod.uid not in new and not pod.has_ended]
    if not old:
        return ["no pod of an earlier revision runs"]
    ready = [pod for pod in old if pod.is_ready and not pod.is_going]
    listed = ", ".join(f"{pod.name} ({state_of(pod)})" for pod in old)
    return [
        f"of the earlier revision {plural(len(ready), 'pod')} still serve{'s' if len(ready) == 1 else ''}: {listed}"
    ]
