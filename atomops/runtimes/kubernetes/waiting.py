"""Waiting until a workload is up, or gone; and giving up when its pods say that it will not be."""

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from atomops.errors import PermanentError, TimedOut
from atomops.facts.kubernetes import Pod, Rollout
from atomops.humane import plural, span
from atomops.plans.pods import Cause, Trouble, state_of, troubles_of
from atomops.plans.rollout import Judgement, Stage
from atomops.plans.stalling import Patience, Watched
from atomops.runtimes.kubernetes.calls import Json
from atomops.runtimes.kubernetes.creation import Creations
from atomops.runtimes.kubernetes.evidence import gather_evidence
from atomops.runtimes.kubernetes.reading import replicas_of
from atomops.runtimes.kubernetes.workload import Belongings, Workload
from atomops.runtimes.runtime import NotComingUp

_FIRST_POLL, _LONGEST_POLL = 0.2, 2.0  # seconds between two looks: short ones first, for what is quick
_SHOWN_PODS = 5


@dataclass(frozen=True)
class Goal:
    """What is waited for: `judge` says whether it is reached, `check` raises once it cannot be any more.

    `before` is the object as it was before our change. `replaced` are uids of pods that must not serve any more.
    `step` is awaited after each look that found the goal not reached. With `heeds_old` pods of a StatefulSet's earlier
    revision are a reason to give up, since its controller waits for them.
    """

    before: Json
    judge: Callable[[Rollout], Judgement]
    check: Callable[[Json], None] = lambda _found: None
    replaced: frozenset[str] = frozenset()
    step: Callable[[Json, Belongings], Awaitable[None]] | None = None
    heeds_old: bool = True


@dataclass(frozen=True)
class _Look:
    found: Json
    own: Belongings
    judged: Judgement
    troubles: tuple[Trouble, ...]
    is_done: bool


class _Watch:
    """Looks again and again, and remembers since when each pod has been in trouble."""

    def __init__(self, workload: Workload, goal: Goal, until: float) -> None:
        self._workload, self._goal, self._until = workload, goal, until
        self._creations, self._watched = Creations(workload), Watched()
        self._had_deadline = workload.seen(goal.before).deadline is not None

    async def look(self) -> _Look:
        workload, goal = self._workload, self._goal
        found = await workload.read(self._until)
        goal.check(found)
        seen, own = self._seen(found), await workload.belongings(found, self._until)
        refused = await self._creations.refused(seen, found, own.pods, self._until)
        newest = [each for each in own.newest(found) if goal.heeds_old or each.revision == seen.update_revision]
        judged = goal.judge(seen)
        old = [pod for pod in own.pods if pod.uid in goal.replaced and not pod.is_going and not pod.has_ended]
        is_done = judged.stage is Stage.DONE and not old
        return _Look(found, own, judged, _troubles(workload, seen, refused, newest), is_done)

    def _seen(self, found: Json) -> Rollout:
        """A deadline that was there before us is of an earlier rollout, until the controller has taken it away."""
        seen = self._workload.seen(found)
        self._had_deadline = self._had_deadline and seen.deadline is not None
        return dataclasses.replace(seen, deadline=None) if self._had_deadline else seen

    async def expect_hope(self, look: _Look) -> None:
        """Raises NotComingUp when no more waiting is due."""
        settings, now = self._workload.settings, time.monotonic()
        self._watched = self._watched.saw(look.troubles, now)
        lost = self._watched.lost(look.troubles, now, Patience(settings.stalled_after, settings.no_room_after))
        has_failed = look.judged.stage is Stage.FAILED or lost
        if has_failed or now >= self._until:
            late = "" if has_failed else f" after {span(settings.within)}"
            raise NotComingUp(
                f"{self._workload.name} does not come up{late}: {(lost or [look.judged.why])[0]}",
                action="look at what its pods say; undo, or mend it and run again",
                evidence=await gather_evidence(self._workload, look.judged, look.troubles, look.found, look.own),
            )


async def until_up(workload: Workload, goal: Goal, until: float) -> None:
    """The goal is reached. Raises NotComingUp with what the pods say, as soon as no more waiting is due."""
    watch = _Watch(workload, goal, until)
    for pause in _pauses():
        look = await watch.look()
        if look.is_done:
            return
        await watch.expect_hope(look)
        if goal.step is not None:
            await goal.step(look.found, look.own)
        await asyncio.sleep(pause)


def _pauses() -> Iterator[float]:
    pause = _FIRST_POLL
    while True:
        yield pause
        pause = min(_LONGEST_POLL, 1.3 * pause)


def _troubles(workload: Workload, seen: Rollout, refused: str | None, newest: list[Pod]) -> tuple[Trouble, ...]:
    troubles = troubles_of(newest) if seen.observed >= seen.generation else ()
    if refused is None:
        return troubles
    cause = Cause.ROOM if "exceeded quota" in refused else Cause.REFUSED
    return (Trouble(workload.name, cause, f"its pods are refused: {refused}"), *troubles)


async def until_gone(workload: Workload, until: float) -> None:
    """No pod of it is left, and none can come, when this returns.

    Raises TimedOut naming those that are left, and PermanentError when somebody scales it up again.
    """
    for pause in _pauses():
        found = await workload.read(until)
        _expect_no_replicas(workload, found)
        seen, own = workload.seen(found), await workload.belongings(found, until)
        left = [pod for pod in own.pods if not pod.has_ended]
        is_settled = seen.observed >= seen.generation and seen.current == 0 and not any(map(_may_make_pods, own.sets))
        if not left and is_settled:
            return
        if time.monotonic() >= until:
            raise _still_there(workload, left)
        await asyncio.sleep(pause)


def _may_make_pods(replica_set: Json) -> bool:
    """Whether its controller has not heard yet that no pods are wanted."""
    observed = (replica_set.get("status") or {}).get("observedGeneration") or 0
    return replicas_of(replica_set) > 0 or observed < (replica_set["metadata"].get("generation") or 0)


def _expect_no_replicas(workload: Workload, found: Json) -> None:
    replicas = replicas_of(found)
    if replicas > 0:
        who = last_manager(found, "replicas")
        raise PermanentError(
            f"{workload.name} was scaled back to {replicas} by {who} while it was stopped",
            action="pause what scales it (an autoscaler, KEDA, GitOps), then run it again",
        )


def last_manager(found: Json, field: str) -> str:
    """Who changed this member of the spec last, as the object's managedFields have it."""
    entries = [
        each
        for each in found["metadata"].get("managedFields") or ()
        if f"f:{field}" in ((each.get("fieldsV1") or {}).get("f:spec") or {})
    ]
    ordered: list[Json] = sorted(entries, key=lambda each: str(each.get("time") or ""))
    return str(ordered[-1].get("manager") or "somebody") if ordered else "somebody"


def _still_there(workload: Workload, left: list[Pod]) -> TimedOut:
    if not left:
        return TimedOut(
            f"{workload.name} was not seen by its controller within {span(workload.settings.within)}",
            action="look at kube-controller-manager; pods may still come or go",
        )
    shown = ", ".join(f"{pod.name} ({state_of(pod)} on {pod.node or 'no node'})" for pod in left[:_SHOWN_PODS])
    return TimedOut(
        f"{workload.name} still has {plural(len(left), 'pod')} after {span(workload.settings.within)}: {shown}",
        action="is its node up? Only on a node that is off: kubectl delete pod NAME --force",
    )
