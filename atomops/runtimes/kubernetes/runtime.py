"""The application as a Deployment or a StatefulSet."""

import asyncio
import contextlib
import datetime as dt
import time

from atomops.errors import PermanentError, TemporaryError
from atomops.facts.runtime import Running
from atomops.inventory import Kubernetes
from atomops.plans.rollout import judge_availability, judge_rollout
from atomops.runtimes.kubernetes.api import Api
from atomops.runtimes.kubernetes.calls import Json
from atomops.runtimes.kubernetes.describing import instance_of, newest_revision, notes_on, remembered, revision_of
from atomops.runtimes.kubernetes.history import revisions, undo
from atomops.runtimes.kubernetes.logs import read_logs
from atomops.runtimes.kubernetes.mending import replace_broken_pods
from atomops.runtimes.kubernetes.reading import annotations_of, replicas_of
from atomops.runtimes.kubernetes.restarting import expect_restartable, new_stamp, restart_patch, still_stamped
from atomops.runtimes.kubernetes.surroundings import notes_on_surroundings
from atomops.runtimes.kubernetes.waiting import Goal, until_gone, until_up
from atomops.runtimes.kubernetes.workload import REPLICAS, Belongings, Patch, Workload

_LOOK_SECONDS = 30  # that an API which does not answer is asked again, when nothing is under way


class KubernetesRuntime:
    """What a Runtime promises, by the API server alone. A second run finishes what a killed one began."""

    def __init__(self, settings: Kubernetes) -> None:
        self._workload = Workload(settings, Api(settings))

    @property
    def name(self) -> str:
        """Such as "deployment default/atom"."""
        return self._workload.name

    async def describe(self) -> Running:
        """What runs now, by ownership: pods of another workload with the same labels are not counted."""
        until = time.monotonic() + _LOOK_SECONDS
        workload = self._workload
        found = await workload.read(until)
        own, surroundings = await asyncio.gather(
            workload.belongings(found, until), notes_on_surroundings(workload, found, until)
        )
        return Running(
            runtime="kubernetes",
            wanted=replicas_of(found),
            instances=tuple(instance_of(pod) for pod in own.pods if not pod.has_ended),
            revision=revision_of(workload, found, own),
            remembered=remembered(found) if replicas_of(found) == 0 else None,
            notes=(f"cluster {workload.api.server}", *notes_on(workload, found, own), *surroundings),
        )

    async def stop(self, before: Running) -> None:  # noqa: ARG002 - the patch itself remembers, and what ran just then
        """No pod of it is left. How many ran is kept in an annotation by the very patch that stops them.

        Raises PermanentError, with everything as it was, when the pods that serve could not be started again.
        """
        workload, until = self._workload, self._workload.within()
        found = await workload.read(until)
        _expect_to_come_back(workload, found, await workload.belongings(found, until))

        def build(found: Json) -> Patch | None:
            replicas = replicas_of(found)
            if replicas == 0:  # what a killed run remembered stays remembered
                return None
            return _scaling(found, 0, {REPLICAS: str(replicas)})

        await workload.change(build, until)
        await until_gone(workload, until)

    async def start(self, before: Running) -> None:
        """As many pods are available as before, or as the annotation remembers; only then it is taken away."""
        workload, until = self._workload, self._workload.within()

        def build(found: Json) -> Patch | None:
            wanted = before.wanted or before.remembered or remembered(found) or 0
            return _scaling(found, wanted, {}) if replicas_of(found) < wanted else None

        found, _ = await workload.change(build, until)
        is_followed = not _unfollowed(workload, found)
        await until_up(workload, Goal(found, judge_rollout if is_followed else judge_availability), until)
        # It serves; should the API go now, the annotation stays, which does no harm while pods are wanted.
        with contextlib.suppress(TemporaryError):
            await workload.change(_forget, until)

    async def restart(self) -> None:
        """Every pod is a new one, and available. What kubectl refuses to restart, or could not follow, is refused."""
        workload, until = self._workload, self._workload.within()
        found = await workload.read(until)
        expect_restartable(workload, found)
        own = await workload.belongings(found, until)
        stamp = new_stamp(found)
        await workload.api.patch(workload.call("patch"), restart_patch(stamp), until=until)
        goal = Goal(found, judge_rollout, still_stamped(workload, stamp), frozenset(pod.uid for pod in own.pods))
        await until_up(workload, goal, until)

    async def undo(self, before: Running) -> None:
        """The revision of `before` runs again, or the one before this when it names none. Safe to call twice."""
        await self.undo_to(before.revision)

    async def undo_to(self, revision: str = "") -> None:
        """A revision as `kubectl rollout history` numbers them, or by its name, runs again; "" is the previous one."""
        workload, until = self._workload, self._workload.within()
        found = await undo(workload, revision, until)
        judge = judge_availability if _unfollowed(workload, found) else judge_rollout
        goal = Goal(found, judge, step=replace_broken_pods(workload, until), heeds_old=workload.kind == "deployment")
        await until_up(workload, goal, until)

    async def revisions(self) -> tuple[str, ...]:
        """As `kubectl rollout history` numbers them, the newest first, with the images of each."""
        return await revisions(self._workload, time.monotonic() + _LOOK_SECONDS)

    async def logs(self, since: dt.datetime) -> tuple[str, ...]:
        """The last lines of every container, init containers too."""
        return await read_logs(self._workload, since, time.monotonic() + _LOOK_SECONDS)


def _expect_to_come_back(workload: Workload, found: Json, own: Belongings) -> None:
    """What is started anew is of the newest revision: one that is stuck leaves nothing that serves."""
    serving, newest = revision_of(workload, found, own), newest_revision(workload, found)
    if serving != newest:
        raise PermanentError(
            f"{workload.name} would not come back: its pods that serve are of revision {serving}, and of the newest, "
            f"{newest}, none does",
            action=f"kubectl rollout undo {workload.kind}/{workload.id} -n {workload.settings.namespace}, or mend it",
        )


def _scaling(found: Json, replicas: int, annotations: dict[str, str]) -> Json:
    """Fails when the object was changed since we read it."""
    metadata = {"resourceVersion": found["metadata"]["resourceVersion"]} | (
        {"annotations": annotations} if annotations else {}
    )
    return {"metadata": metadata, "spec": {"replicas": replicas}}


def _forget(found: Json) -> Patch | None:
    if REPLICAS not in annotations_of(found):
        return None
    version = found["metadata"]["resourceVersion"]
    return {"metadata": {"resourceVersion": version, "annotations": {REPLICAS: None}}}


def _unfollowed(workload: Workload, found: Json) -> bool:
    """Whether kubectl would not follow its rollout to an end: only what serves can be waited for."""
    seen = workload.seen(found)
    return seen.is_paused or (seen.kind == "statefulset" and seen.strategy != "RollingUpdate")
