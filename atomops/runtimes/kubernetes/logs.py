"""The last lines of every container of a workload's pods, bounded in number and size."""

import asyncio
import datetime as dt
import math

from atomops.errors import AtomOpsError, NotThere
from atomops.facts.kubernetes import Container, Pod
from atomops.plans.pods import state_of
from atomops.runtimes.kubernetes.calls import Call
from atomops.runtimes.kubernetes.workload import Workload

_MOST_BYTES = 256 * 1024  # of one container
_AT_ONCE = 8
_BAD = 400


async def read_logs(workload: Workload, since: dt.datetime, until: float) -> tuple[str, ...]:
    """Lines since then, each with its pod and container before it; a container without a log says why.

    A container that crashes in a loop also shows the log of its life before this one.
    """
    found = await workload.read(until)
    own = await workload.belongings(found, until)
    turns = asyncio.Semaphore(_AT_ONCE)

    async def read(pod: Pod, container: Container, *, previous: bool) -> list[str]:
        async with turns:
            return await _tail(workload, pod, container, since, until, previous=previous)

    wanted = [(pod, each, previous) for pod in own.pods for each in pod.containers for previous in _lives(each, since)]
    texts = await asyncio.gather(*(read(pod, each, previous=previous) for pod, each, previous in wanted))
    return tuple(line for text in texts for line in text)


def _lives(container: Container, since: dt.datetime) -> tuple[bool, ...]:
    """Whether the log of the previous life is wanted, then that of this one."""
    ended = container.last_ended_at
    has_crashed = container.restarts > 0 and ((ended is not None and ended >= since) or container.state == "waiting")
    return (True, False) if has_crashed else (False,)


async def _tail(  # noqa: PLR0913 - each is a plain property of the request
    workload: Workload, pod: Pod, container: Container, since: dt.datetime, until: float, *, previous: bool
) -> list[str]:
    where = f"{pod.name}/{container.name}{' (previous)' if previous else ''}"
    call = Call("get", "pods", workload.settings.namespace, pod.name, subresource="log")
    query = {
        "container": container.name,
        "tailLines": str(workload.settings.log_lines),
        "limitBytes": str(_MOST_BYTES),
        "sinceSeconds": str(_seconds_since(since)),
    } | ({"previous": "true"} if previous else {})
    try:
        answer = await workload.api.text(call, query, until=until)
    except NotThere:
        return [f"{where}: no log, the pod has gone meanwhile"]
    if answer.status == _BAD:
        return [f"{where}: no log ({state_of(pod)}): {answer.said}"]
    if answer.status > _BAD:
        raise AtomOpsError(answer.said)
    return [f"{where}: {line}" for line in answer.body.decode(errors="replace").split("\n") if line.strip()]


def _seconds_since(since: dt.datetime) -> int:
    """Counted back by the node's own clock, which need not agree with ours; kubectl does the same."""
    return max(1, math.ceil((dt.datetime.now(dt.UTC) - since).total_seconds()))
