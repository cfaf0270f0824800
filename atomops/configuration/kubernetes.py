"""The objects of a workload: itself, what it refers to, and what points to it. Read alone, nothing is changed."""

import asyncio
import time
from collections.abc import Iterable

from atomops.errors import AtomOpsError, NotThere
from atomops.facts.configuration import NotTaken, Why
from atomops.inventory import Configuration, Kubernetes
from atomops.plans.configuration.found import Found, found_object
from atomops.plans.configuration.kinds import BY_NAME, KINDS, Kind, full_name
from atomops.plans.configuration.references import Reference, points_to, references_of, why_left_out
from atomops.runtimes.kubernetes.api import Api
from atomops.runtimes.kubernetes.calls import Call, Json, Verb
from atomops.runtimes.kubernetes.workload import Workload

_POINTING = ("Service", "RoleBinding", "CronJob", "HorizontalPodAutoscaler", "PodDisruptionBudget", "Ingress")
_WHOLE = ("Deployment", "StatefulSet")


def call_of(kind: Kind, verb: Verb, namespace: str, name: str = "") -> Call:
    """A request for objects of that kind."""
    return Call(verb, kind.resource, namespace, name, group=kind.group, version=kind.version)


async def collect_objects(
    runtime: Kubernetes, settings: Configuration
) -> tuple[str, tuple[Found, ...], tuple[NotTaken, ...]]:
    """Every object, cleaned, in the order in which they are restored. Raises what reading the workload raises."""
    collector = _Collector(runtime, settings)
    await collector.collect()
    return collector.workload.name, tuple(collector.found()), tuple(collector.not_taken.values())


class _Collector:
    def __init__(self, runtime: Kubernetes, settings: Configuration) -> None:
        self.runtime, self.settings = runtime, settings
        self.api = Api(runtime)
        self.workload = Workload(runtime, self.api)
        self.until = time.monotonic() + settings.deadline
        self.objects: dict[str, Json] = {}
        self.not_taken: dict[str, NotTaken] = {}
        self.asked: set[str] = set()

    async def collect(self) -> None:
        kind = "Deployment" if self.workload.kind == "deployment" else "StatefulSet"
        main = _whole(kind, await self.workload.read(self.until))
        for left in self.settings.leave_out:
            self._not(left, Why.BY_INTENTION, "configuration.leave_out names this kind")
        listed = await asyncio.gather(*(self._list(kind, {}) for kind in _POINTING))
        await self._take(main)
        named = frozenset(each.kind + "/" + each.name for each in references_of(main)) | {*self.objects}
        for found in (each for of_kind in listed for each in of_kind):
            if points_to(found, main, named | {*self.objects}):
                await self._take(found)
        await self._take_selected()
        included = (each.partition("/") for each in self.settings.include)
        await self._follow([Reference(kind, name, "configuration.include") for kind, _, name in included])
        await self._follow_all()

    def found(self) -> Iterable[Found]:
        scaled = {
            full_name(each["spec"]["scaleTargetRef"]["kind"], each["spec"]["scaleTargetRef"]["name"])
            for each in self.objects.values()
            if each["kind"] == "HorizontalPodAutoscaler"
        }
        for kind in KINDS:
            for name, each in sorted(self.objects.items()):
                if each["kind"] == kind.name:
                    yield found_object(kind.name, each, is_scaled=name in scaled, node_ports=self.settings.node_ports)

    async def _take(self, found: Json) -> None:
        name = full_name(found["kind"], found["metadata"]["name"])
        self.asked.add(name)
        if found["kind"] in self.settings.leave_out:
            return
        why = "configuration.exclude names it" if name in self.settings.exclude else why_left_out(found)
        if why:
            self._not(name, Why.BY_INTENTION, why)
        else:
            self.objects.setdefault(name, found)

    async def _take_selected(self) -> None:
        if self.settings.selector:
            query = {"labelSelector": self.settings.selector}
            for of_kind in await asyncio.gather(*(self._list(kind.name, query) for kind in KINDS)):
                for found in of_kind:
                    await self._take(found)

    async def _follow_all(self) -> None:
        """What the objects name, and what that names in turn."""
        while wanted := [
            reference
            for each in list(self.objects.values())
            for reference in references_of(each)
            if full_name(reference.kind, reference.name) not in self.asked
        ]:
            await self._follow(wanted)

    async def _follow(self, references: list[Reference]) -> None:
        wanted = {full_name(each.kind, each.name): each for each in references}
        unasked = [each for name, each in wanted.items() if name not in self.asked]
        self.asked |= {*wanted}
        for found in await asyncio.gather(*map(self._get, unasked)):
            if found is not None:
                await self._take(found)

    async def _get(self, reference: Reference) -> Json | None:
        kind, name = BY_NAME.get(reference.kind), full_name(reference.kind, reference.name)
        if kind is None:
            self._not(name, Why.UNKNOWN, f"no kind {reference.kind} is backed up", f"one of {', '.join(BY_NAME)}")
            return None
        if kind.name in self.settings.leave_out or name in self.settings.exclude:
            self._not(name, Why.BY_INTENTION, f"configuration leaves it out; {reference.by} names it")
            return None
        try:
            call = call_of(kind, "get", self.runtime.namespace, reference.name)
            return _whole(kind.name, await self.api.get(call, until=self.until))
        except NotThere as error:
            if reference.is_optional:
                self._not(name, Why.BY_INTENTION, f"{reference.by} names it as optional, and it is not there")
            else:
                self._not(name, Why.MISSING, f"{reference.by} names it, and it does not exist", error.action)
        except AtomOpsError as error:
            self._not(name, Why.UNKNOWN, error.what, error.action)
        return None

    async def _list(self, name: str, query: dict[str, str]) -> list[Json]:
        """All of a kind; what may not be listed is told by the name of the kind."""
        if name in self.settings.leave_out:
            return []
        try:
            call = call_of(BY_NAME[name], "list", self.runtime.namespace)
            return [_whole(name, each) for each in await self.api.items(call, query, until=self.until)]
        except AtomOpsError as error:
            action = f"{error.action}; or leave the kind out: configuration.leave_out"
            self._not(name, Why.UNKNOWN, error.what, action)
            return []

    def _not(self, name: str, why: Why, reason: str, action: str = "") -> None:
        self.not_taken.setdefault(name, NotTaken(name, why, reason, action))


def _whole(kind: str, found: Json) -> Json:
    """With its kind, which the items of a list do not bear."""
    return {**found, "kind": kind, "apiVersion": BY_NAME[kind].api_version}
