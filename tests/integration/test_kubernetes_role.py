"""The documented Role allows every request that is sent, and no other; what it lacks is named."""

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from atomops.errors import AccessDenied, AtomOpsError
from atomops.runtimes.runtime import NotComingUp
from tests.kubernetes_api.objects import deployment, stateful_set
from tests.kubernetes_api.place import Place, run
from tests.kubernetes_api.role import documented_rules
from tests.waiting import wait_until


def test_the_documented_role_is_exactly_what_is_used(bent: Place) -> None:
    bent.deploy(deployment(replicas=1, strategy={"rollingUpdate": {"maxUnavailable": 0}}))
    bent.deploy(stateful_set(replicas=1))
    for settings in ({"deployment": "atom"}, {"statefulset": "atom"}):
        (kind,) = settings
        runtime = bent.runtime(**settings, stalled_after=0.1)
        before = run(runtime.describe())
        run(runtime.stop(before))
        run(runtime.start(before))
        bent.image("atom:missing", f"{kind}s")
        with pytest.raises(AtomOpsError):
            run(runtime.restart())
        run(runtime.logs(dt.datetime.now(dt.UTC)))
        run(runtime.undo(before))
    assert {each.allowed_by for each in bent.cluster.settings.requests} == documented_rules()


async def described(place: Place) -> str:
    return "\n".join((await place.runtime().describe()).notes)


async def restarted(place: Place) -> str:
    await place.runtime().restart()
    return ""


async def stalled(place: Place) -> str:
    place.image("atom:missing")
    with pytest.raises(NotComingUp) as caught:
        await place.runtime(stalled_after=0.1).restart()
    return "\n".join(caught.value.evidence)


async def logged(place: Place) -> str:
    return "\n".join(await place.runtime().logs(dt.datetime.now(dt.UTC)))


async def undone(place: Place) -> str:
    place.deploy(stateful_set(replicas=1))
    place.image("atom:missing", "statefulsets")
    wait_until(lambda: not place.found("statefulsets")["status"].get("readyReplicas"), "the pods to break")
    await place.runtime(statefulset="atom").undo_to("1")
    return ""


@pytest.mark.parametrize(
    ("verb", "group", "resource", "work"),
    [
        ("get", "apps", "deployments", described),
        ("patch", "apps", "deployments", restarted),
        ("list", "apps", "replicasets", described),
        ("list", "apps", "controllerrevisions", undone),
        ("list", "", "pods", described),
        ("list", "", "events", stalled),
        ("get", "", "pods/log", logged),
        ("list", "autoscaling", "horizontalpodautoscalers", described),
        ("list", "policy", "poddisruptionbudgets", described),
        ("delete", "", "pods", undone),
    ],
)
def test_a_right_that_is_missing_is_named_with_the_rule_to_add(
    bent: Place, verb: str, group: str, resource: str, work: Callable[[Place], Coroutine[Any, Any, str]]
) -> None:
    bent.deploy(deployment(replicas=1, strategy={"rollingUpdate": {"maxUnavailable": 0}}))
    bent.cluster.settings.rules = documented_rules() - {(verb, group, resource)}

    async def said() -> str:
        try:
            return await work(bent)
        except AccessDenied as error:
            return str(error)

    text = asyncio.run(said())
    assert f"we may not {verb} {resource}" in text
    assert f"in namespace {bent.namespace}" in text
    assert f'{{apiGroups: ["{group}"], resources: ["{resource}"], verbs: ["{verb}"]}}' in text
