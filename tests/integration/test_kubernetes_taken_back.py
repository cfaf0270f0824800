"""A restart on Kubernetes whose new pods never serve is taken back to the revision that ran before."""

from pathlib import Path
from typing import Any

from atomops.change.journal import unfinished
from atomops.change.restarting import WHAT, restart, runs_afterwards, take_back
from atomops.facts.runtime import Running
from atomops.inventory import Target
from tests.kubernetes_api.objects import deployment
from tests.kubernetes_api.place import Place, run
from tests.targets import target


async def restarted(at: Target, place: Place, before: Running) -> tuple[str, tuple[str, ...], str]:
    """What went wrong, what the pods said, and what taking it back came to."""
    runtime = place.runtime()
    async with runs_afterwards(at, runtime, before, WHAT, "run") as guard:
        failed = await restart(at, runtime)
        taken = await take_back(at, runtime, before, undo=True)
        guard.runs = taken.runs
    return failed.problem.reason if failed.problem else "", failed.said, taken.told


def test_a_rollout_that_stalls_is_taken_back_and_as_many_pods_serve_as_before(place: Place, tmp_path: Path) -> None:
    gentle: dict[str, Any] = {"strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}
    place.deploy(deployment(**gentle))
    at = target(history=str(tmp_path))
    before = run(place.runtime().describe())
    place.image("atom:missing")

    problem, said, told = run(restarted(at, place, before))

    assert "ImagePullBackOff" in problem
    assert any("3 pods still serve" in line for line in said)
    assert told == "taken back; its instances are up, whether they are ready nobody could ask"
    after = run(place.runtime().describe())
    assert (after.ready, after.wanted) == (3, 3)
    assert {instance.version for instance in after.instances} == {instance.version for instance in before.instances}
    assert unfinished(at) is None
