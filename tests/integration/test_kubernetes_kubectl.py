"""Rollouts are judged exactly as a real kubectl judges them: it is asked about the same objects."""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atomops import shell
from atomops.errors import CommandFailed
from atomops.facts.kubernetes import Kind
from atomops.plans.rollout import Stage, judge_rollout
from atomops.runtimes.kubernetes.reading import rollout_of
from tests import servers
from tests.kubernetes_api.objects import deployment, stateful_set
from tests.kubernetes_api.patches import Json
from tests.kubernetes_api.place import Place
from tests.waiting import PATIENCE

LATE = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
BUSY = [{"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}]
DONE = {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}

DEPLOYMENTS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({}, DONE),
    ({}, {**DONE, "observedGeneration": 0}),
    ({}, {**DONE, "conditions": LATE}),
    ({}, {**DONE, "observedGeneration": 0, "conditions": LATE}),
    ({}, {**DONE, "conditions": BUSY, "updatedReplicas": 2}),
    ({}, {**DONE, "replicas": 4}),
    ({}, {**DONE, "replicas": 4, "updatedReplicas": 2}),
    ({}, {**DONE, "availableReplicas": 2}),
    ({}, {**DONE, "readyReplicas": 1}),
    ({"paused": True}, DONE),
    ({"paused": True}, {**DONE, "updatedReplicas": 0}),
    ({"replicas": 0}, {"observedGeneration": 1}),
    ({"replicas": 0}, {"observedGeneration": 1, "replicas": 1}),
    ({"replicas": 2}, DONE),
    ({"strategy": {"type": "Recreate"}}, {**DONE, "availableReplicas": 0}),
]
REVISIONS = {"currentRevision": "atom-a", "updateRevision": "atom-b", "currentReplicas": 3}
ON_DELETE, PART = {"type": "OnDelete"}, {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
STATEFUL_SETS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"replicas": 0}),
    ({}, {**DONE, **REVISIONS}),
    ({}, {**DONE, **REVISIONS, "observedGeneration": 0}),
    ({}, {**DONE, **REVISIONS, "readyReplicas": 2}),
    ({}, {**DONE, **REVISIONS, "updatedReplicas": 2}),
    ({"updateStrategy": PART}, {**DONE, **REVISIONS, "updatedReplicas": 1}),
    ({"updateStrategy": PART}, {**DONE, **REVISIONS, "updatedReplicas": 0}),
    ({"updateStrategy": ON_DELETE}, {**DONE, **REVISIONS}),
    ({"replicas": 0}, {"observedGeneration": 1, "replicas": 0, **REVISIONS}),
]


@pytest.fixture(scope="session")
def kubectl() -> Path:
    return servers.required(servers.kubectl)


async def verdict(kubectl: Path, place: Place, what: str) -> Stage:
    """Of a real one: it exits with 1 for what has failed, and says so of what is done."""
    config = place.cluster.kubeconfig
    flags = (
        "--watch=false",
        f"--namespace={place.namespace}",
        f"--kubeconfig={config}",
        f"--cache-dir={config.parent}",
    )
    try:
        said = (await shell.run((kubectl, "rollout", "status", what, *flags), timeout=PATIENCE)).stdout.decode()
    except CommandFailed:
        return Stage.FAILED
    is_done = any(word in said for word in ("successfully rolled out", "roll out complete", "rolling update complete"))
    return Stage.DONE if is_done else Stage.WAITING


def made(place: Place, plural: str, body: Json, status: dict[str, Any]) -> str:
    """Its name, once an object has this status; no controller changes it."""
    name = str(body["metadata"]["name"])
    place.admin.create("apps", plural, body)
    place.admin.patch("apps", plural, name, {"status": status}, "status")
    return name


def objects() -> Iterator[tuple[Kind, Json, dict[str, Any]]]:
    """Each with a name of its own."""
    numbers = itertools.count(1)
    for spec, status in DEPLOYMENTS:
        yield "deployment", deployment(f"atom-{next(numbers)}", **spec), status
    for spec, status in STATEFUL_SETS:
        yield "statefulset", stateful_set(f"atom-{next(numbers)}", **({"replicas": 3} | spec)), status


def test_every_verdict_is_kubectls(bent: Place, kubectl: Path) -> None:
    bent.cluster.controllers.are_paused = True
    bent.cluster.settings.rules = None  # kubectl lists and watches what we only get
    wanted = [(kind, made(bent, f"{kind}s", body, status)) for kind, body, status in objects()]

    async def judged() -> list[Stage]:
        turns = asyncio.Semaphore(2)

        async def one(kind: str, name: str) -> Stage:
            async with turns:
                return await verdict(kubectl, bent, f"{kind}/{name}")

        return list(await asyncio.gather(*(one(kind, name) for kind, name in wanted)))

    by_kubectl = asyncio.run(judged())
    found = [rollout_of(kind, bent.admin.get("apps", f"{kind}s", name)) for kind, name in wanted]
    ours = [judge_rollout(each).stage for each in found]
    assert list(zip(found, ours, strict=True)) == list(zip(found, by_kubectl, strict=True))
    assert set(by_kubectl) == set(Stage)
