"""Killed by SIGKILL at each step of a stop and of a start: the next run brings back as many pods as ran."""

import asyncio
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from atomops.facts.runtime import Running
from atomops.runtimes.kubernetes.workload import REPLICAS
from tests.kubernetes_api.objects import deployment
from tests.kubernetes_api.place import Place, run
from tests.kubernetes_api.request import Request
from tests.waiting import PATIENCE

ROOT = Path(__file__).parent.parent.parent
Moment = Callable[[Request, int], bool]  # of a request and how many patches were before it, whether to kill now


class Killer:
    """Kills the process when the moment has come, and lets the server answer nobody."""

    def __init__(self, moment: Moment) -> None:
        self._moment, self._patches = moment, 0
        self.process: asyncio.subprocess.Process | None = None
        self.has_killed = threading.Event()

    def __call__(self, request: Request) -> None:
        if self._moment(request, self._patches) and self.process is not None and not self.has_killed.is_set():
            os.kill(self.process.pid, signal.SIGKILL)
            self.has_killed.set()
        self._patches += request.verb == "patch"


async def killed(place: Place, what: str, killer: Killer) -> None:
    argv = ("-m", "tests.kubernetes_api.stopping", what, str(place.cluster.kubeconfig), place.namespace)
    with tempfile.TemporaryDirectory() as temporary:  # where its client of Kubernetes leaves the certificates
        env = {**os.environ, "TMPDIR": temporary}
        killer.process = await asyncio.create_subprocess_exec(sys.executable, *argv, cwd=ROOT, env=env)
        assert await asyncio.wait_for(killer.process.wait(), PATIENCE) == -signal.SIGKILL


def is_patch(number: int) -> Moment:
    return lambda request, patches: request.verb == "patch" and patches == number


def is_waiting(number: int) -> Moment:
    return lambda request, patches: request.verb == "list" and patches == number


def prepared(place: Place) -> None:
    place.deploy(deployment(replicas=2))


@pytest.mark.parametrize(
    ("hook", "moment"),
    [("before", is_patch(0)), ("after", is_patch(0)), ("before", is_waiting(1))],
    ids=["before it is scaled", "when it is scaled", "while pods go"],
)
def test_a_stop_that_is_killed(bent: Place, hook: str, moment: Moment) -> None:
    prepared(bent)
    killer = Killer(moment)
    setattr(bent.cluster.settings, hook, killer)
    run(killed(bent, "stop", killer))
    run(bent.runtime().start(Running(runtime="", wanted=0)))
    assert_as_before(bent)


@pytest.mark.parametrize(
    ("hook", "moment"),
    [
        pytest.param("before", is_patch(0), id="before it is scaled"),
        pytest.param("after", is_patch(0), id="when it is scaled"),
        pytest.param("before", is_waiting(1), id="while pods come"),
        pytest.param("before", is_patch(1), id="before it is forgotten"),
        pytest.param("after", is_patch(1), id="when it is forgotten"),
    ],
)
def test_a_start_that_is_killed(bent: Place, hook: str, moment: Moment) -> None:
    prepared(bent)
    run(bent.runtime().stop(run(bent.runtime().describe())))
    killer = Killer(moment)
    setattr(bent.cluster.settings, hook, killer)
    run(killed(bent, "start", killer))
    run(bent.runtime().start(Running(runtime="", wanted=0)))
    assert_as_before(bent)


def assert_as_before(place: Place) -> None:
    runs = run(place.runtime().describe())
    assert (runs.wanted, runs.ready, runs.remembered) == (2, 2, None)
    assert REPLICAS not in place.found()["metadata"].get("annotations", {})
