"""One Deployment or StatefulSet: read, changed against whoever else changes it, and told which pods are its own."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from atomops.facts.kubernetes import Kind, Pod, Rollout
from atomops.inventory import Kubernetes
from atomops.plans.selectors import as_query
from atomops.runtimes.kubernetes.api import Api
from atomops.runtimes.kubernetes.calls import Call, Conflict, Json, Verb
from atomops.runtimes.kubernetes.reading import REVISION, annotations_of, controller_of, pod_of, rollout_of

REPLICAS = "atomops.io/replicas"  # the annotation that remembers how many ran before we stopped them
_TRIES = 8
_CONFLICT_PAUSE = 0.1  # seconds; grows with each conflict
Patch = Json | list[Json]


@dataclass(frozen=True)
class Belongings:
    """The pods of a workload by name, those that are going and those that have ended too, and its ReplicaSets."""

    pods: tuple[Pod, ...]
    sets: tuple[Json, ...]

    def newest(self, found: Json) -> tuple[Pod, ...]:
        """Pods of the newest revision; every one of a StatefulSet, whose rollout any pod can hold up."""
        if found["kind"] == "StatefulSet":
            return self.pods
        revision = annotations_of(found).get(REVISION)
        owners = {each["metadata"]["uid"] for each in self.sets if annotations_of(each).get(REVISION) == revision}
        return tuple(pod for pod in self.pods if pod.owner in owners)


@dataclass(frozen=True)
class Workload:
    """The workload that the inventory names, on an API server."""

    settings: Kubernetes
    api: Api

    @property
    def kind(self) -> Kind:
        """Which of the two."""
        return "deployment" if self.settings.deployment else "statefulset"

    @property
    def id(self) -> str:
        """Its name in the namespace."""
        return self.settings.deployment or self.settings.statefulset or ""

    @property
    def name(self) -> str:
        """As a person would name it."""
        return f"{self.kind} {self.settings.namespace}/{self.id}"

    def call(self, verb: Verb) -> Call:
        """A request for the workload itself."""
        return Call(verb, f"{self.kind}s", self.settings.namespace, self.id, group="apps")

    def within(self) -> float:
        """When (time.monotonic) what begins now has to be done."""
        return time.monotonic() + self.settings.within

    async def read(self, until: float) -> Json:
        """As it is now. Raises NotThere."""
        return await self.api.get(self.call("get"), until=until)

    async def change(self, build: Callable[[Json], Patch | None], until: float) -> tuple[Json, Json]:
        """Before and after the patch that `build` made of the object as it then was; None leaves it as it is.

        A patch with the object's resourceVersion in it fails when somebody else was faster, and is built anew.
        """
        for attempt in range(1, _TRIES + 1):
            found = await self.read(until)
            patch = build(found)
            if patch is None:
                return found, found
            try:
                return found, await self.api.patch(self.call("patch"), patch, until=until)
            except Conflict as conflict:
                if attempt == _TRIES:
                    raise Conflict(
                        f"{self.name} is changed by somebody else all the time: {_TRIES} tries in vain",
                        action="look who else manages it: kubectl get -o yaml --show-managed-fields",
                    ) from conflict
            await asyncio.sleep(_CONFLICT_PAUSE * attempt)
        raise AssertionError  # the last attempt returned or raised

    def seen(self, found: Json) -> Rollout:
        """The numbers of its rollout."""
        return rollout_of(self.kind, found)

    async def belongings(self, found: Json, until: float) -> "Belongings":
        """What is of this workload alone, by ownership and not by labels: another's pods may bear the same ones."""
        listing = self.api.items(Call("list", "pods", self.settings.namespace), _selected(found), until=until)
        if self.kind == "statefulset":
            owners, listed = {str(found["metadata"]["uid"])}, await listing
            sets: list[Json] = []
        else:
            listed, sets = await asyncio.gather(listing, self.replica_sets(found, until))
            owners = {str(each["metadata"]["uid"]) for each in sets}
        pods = (pod_of(each) for each in listed if controller_of(each) in owners)
        return Belongings(tuple(sorted(pods, key=lambda pod: pod.name)), tuple(sets))

    async def replica_sets(self, found: Json, until: float) -> list[Json]:
        """The ReplicaSets of this Deployment."""
        return await self._owned("replicasets", found, until)

    async def revisions(self, found: Json, until: float) -> list[Json]:
        """The ControllerRevisions of this StatefulSet."""
        return await self._owned("controllerrevisions", found, until)

    async def _owned(self, resource: str, found: Json, until: float) -> list[Json]:
        call = Call("list", resource, self.settings.namespace, group="apps")
        listed = await self.api.items(call, _selected(found), until=until)
        return [each for each in listed if controller_of(each) == found["metadata"]["uid"]]


def _selected(found: Json) -> dict[str, str]:
    return {"labelSelector": as_query(found["spec"].get("selector") or {})}
