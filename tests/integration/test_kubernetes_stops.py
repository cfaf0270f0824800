"""Stopped and started as before, whatever else has a say in it."""

import asyncio
import datetime as dt

import pytest

from atomops.errors import NotThere, PermanentError, TimedOut
from atomops.facts.runtime import Running
from atomops.runtimes.kubernetes.workload import REPLICAS
from atomops.runtimes.runtime import NotComingUp
from tests.kubernetes_api.objects import budget, deployment, scaler, stateful_set
from tests.kubernetes_api.place import Place, run
from tests.waiting import wait_until

pytestmark = pytest.mark.slow(30)

UNKNOWN = Running(runtime="", wanted=0)


def test_pods_of_another_workload_with_the_same_label_are_not_counted(place: Place) -> None:
    place.deploy(deployment(replicas=2))
    place.deploy(deployment("atom-frontend", replicas=1))
    runs = run(place.runtime().describe())
    assert len(place.pods()) == 3
    assert (runs.wanted, runs.ready, len(runs.instances)) == (2, 2, 2)
    assert {each.version for each in runs.instances} == {"atom:1"}
    assert place.runtime().name == f"deployment {place.namespace}/atom"


def test_what_scales_and_protects_it_is_noted(bent: Place) -> None:
    bent.deploy(deployment())
    bent.admin.create("autoscaling", "horizontalpodautoscalers", scaler())
    bent.admin.create("autoscaling", "horizontalpodautoscalers", scaler("atom-frontend"))
    bent.admin.create("policy", "poddisruptionbudgets", budget())
    notes = "\n".join(run(bent.runtime().describe()).notes)
    assert "HPA atom-hpa keeps 3 to 10 pods; it does nothing while 0 are wanted" in notes
    assert "PDB atom-pdb: minAvailable 2" in notes
    assert "frontend" not in notes


def test_a_stopped_one_has_no_pod_and_remembers_how_many_it_had(place: Place) -> None:
    place.deploy(deployment())
    before = run(place.runtime().describe())
    run(place.runtime().stop(before))
    assert place.pods() == {}
    stopped = run(place.runtime().describe())
    assert stopped.is_stopped
    assert stopped.remembered == 3
    assert place.found()["metadata"]["annotations"][REPLICAS] == "3"

    run(place.runtime().start(before))
    started = run(place.runtime().describe())
    assert (started.wanted, started.ready, started.remembered) == (3, 3, None)
    assert REPLICAS not in place.found()["metadata"]["annotations"]


def test_a_stateful_set_is_stopped_and_started_too(place: Place) -> None:
    place.deploy(stateful_set())
    runtime = place.runtime(statefulset="atom")
    before = run(runtime.describe())
    run(runtime.stop(before))
    assert place.pods() == {}
    run(runtime.start(before))
    assert run(runtime.describe()).ready == 2


@pytest.mark.parametrize("kind", ["paused", "OnDelete"])
def test_what_kubectl_would_not_follow_is_stopped_and_started_too(place: Place, kind: str) -> None:
    if kind == "paused":
        place.deploy(deployment())
        place.admin.patch("apps", "deployments", "atom", {"spec": {"paused": True}})
        runtime = place.runtime()
    else:
        place.deploy(stateful_set(updateStrategy={"type": "OnDelete"}))
        runtime = place.runtime(statefulset="atom")
    before = run(runtime.describe())
    run(runtime.stop(before))
    run(runtime.start(before))
    assert run(runtime.describe()).ready == before.wanted


def test_how_many_ran_is_known_to_a_run_that_knows_nothing_of_before(place: Place) -> None:
    place.deploy(deployment())
    run(place.runtime().stop(UNKNOWN))
    run(place.runtime().stop(UNKNOWN))  # a second one remembers no 0
    run(place.runtime().start(UNKNOWN))
    assert run(place.runtime().describe()).ready == 3


def test_starting_what_runs_changes_nothing(place: Place) -> None:
    place.deploy(deployment())
    before, pods = place.found()["metadata"]["generation"], set(place.pods())
    run(place.runtime().start(run(place.runtime().describe())))
    assert place.found()["metadata"]["generation"] == before
    assert set(place.pods()) == pods


def test_what_was_stopped_before_stays_stopped(place: Place) -> None:
    place.deploy(deployment(replicas=0), ready=0)
    before = run(place.runtime().describe())
    run(place.runtime().stop(before))
    run(place.runtime().start(before))
    assert run(place.runtime().describe()).is_stopped


def test_a_start_that_fails_keeps_the_annotation(place: Place) -> None:
    place.deploy(deployment())
    before = run(place.runtime().describe())
    run(place.runtime().stop(before))
    place.image("atom:crash")
    with pytest.raises(NotComingUp, match="ended with ExitCode:1"):
        run(place.runtime().start(before))
    assert place.found()["metadata"]["annotations"][REPLICAS] == "3"


def test_a_deadline_of_the_rollout_before_is_not_held_against_a_start(place: Place) -> None:
    place.deploy(deployment(progressDeadlineSeconds=1, replicas=1, image="atom:unready"), ready=0)
    wait_until(
        lambda: any(each.get("reason") == "ProgressDeadlineExceeded" for each in place.found()["status"]["conditions"]),
        "the end of its deadline",
    )
    before = run(place.runtime().describe())
    run(place.runtime().stop(before))
    place.image("atom:1")
    run(place.runtime().start(before))
    assert run(place.runtime().describe()).ready == 1


def test_a_pod_that_does_not_end_is_named_and_the_next_run_finishes(bent: Place) -> None:
    bent.deploy(deployment(image="atom:slow-stop", replicas=2))
    before = run(bent.runtime().describe())
    with pytest.raises(TimedOut, match=r"still has 2 pods after 1.0 s: atom-\S+ \(Terminating on node-1\)"):
        run(bent.runtime(within=1).stop(before))

    async def both() -> None:
        stopping = asyncio.create_task(bent.runtime().stop(before))
        await asyncio.sleep(0.1)
        assert not stopping.done()
        bent.cluster.kubelet.let_go()
        await stopping

    run(both())
    assert bent.pods() == {}


def test_an_evicted_pod_holds_up_no_stop(place: Place) -> None:
    place.deploy(deployment(replicas=1))
    (pod,) = place.pods().values()
    status = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}
    place.admin.patch("", "pods", pod["metadata"]["name"], {"status": status}, "status")
    wait_until(lambda: len(place.pods()) == 2, "another pod")
    before = run(place.runtime().describe())
    assert any(pod["metadata"]["name"] in note for note in before.notes)
    run(place.runtime().stop(before))
    assert run(place.runtime().describe()).is_stopped


def test_an_autoscaler_that_scales_back_is_noticed_and_named(bent: Place) -> None:
    bent.deploy(deployment())
    bent.admin.create("autoscaling", "horizontalpodautoscalers", scaler(minReplicas=0))
    before = run(bent.runtime().describe())
    assert any("may scale up from 0" in note for note in before.notes)
    bent.cluster.controllers.hpa_scales_back = 2
    with pytest.raises(PermanentError, match="scaled back to 2 by kube-controller-manager while it was stopped"):
        run(bent.runtime().stop(before))
    run(bent.runtime().start(before))
    assert run(bent.runtime().describe()).ready == 3


def test_a_controller_that_does_not_look_is_told_of(bent: Place) -> None:
    bent.deploy(deployment(replicas=0), ready=0)
    wait_until(lambda: bent.found().get("status"), "a status")
    bent.cluster.controllers.are_paused = True
    bent.admin.patch("apps", "deployments", "atom", {"spec": {"minReadySeconds": 1}})
    with pytest.raises(TimedOut, match="was not seen by its controller"):
        run(bent.runtime(within=1).stop(UNKNOWN))


def test_undo_goes_back_to_the_revision_of_before_and_a_second_undo_changes_nothing(place: Place) -> None:
    place.deploy(deployment())
    before = run(place.runtime().describe())
    run(place.runtime().restart())
    place.image("atom:missing")
    run(place.runtime().undo(before))
    spec = place.found()["spec"]["template"]
    assert spec["spec"]["containers"][0]["image"] == "atom:1"
    assert "pod-template-hash" not in spec["metadata"]["labels"]
    after = run(place.runtime().describe())
    assert (after.revision, after.ready) == ("4", 3)

    generation = place.found()["metadata"]["generation"]
    run(place.runtime().undo(before))
    assert place.found()["metadata"]["generation"] == generation


@pytest.mark.parametrize("kind", ["deployment", "statefulset"])
def test_a_rollout_that_is_stuck_is_no_state_to_come_back_to(place: Place, kind: str) -> None:
    place.deploy(deployment() if kind == "deployment" else stateful_set())
    runtime = place.runtime(**({"statefulset": "atom"} if kind == "statefulset" else {}))
    good = run(runtime.describe())
    place.image("atom:missing", f"{kind}s")
    with pytest.raises(NotComingUp):
        run(runtime.start(good))
    stuck = run(runtime.describe())
    assert stuck.revision == good.revision
    assert any("its last rollout is not done" in note for note in stuck.notes)
    with pytest.raises(PermanentError, match="would not come back: its pods that serve are of revision"):
        run(runtime.stop(stuck))
    run(runtime.undo(stuck))
    assert run(runtime.describe()).ready == good.wanted


def test_undo_without_a_revision_goes_to_the_previous_one(place: Place) -> None:
    place.deploy(deployment())
    place.image("atom:2")
    wait_until(lambda: run(place.runtime().describe()).revision == "2", "the second revision")
    run(place.runtime().undo_to())
    assert {each.version for each in run(place.runtime().describe()).instances if each.is_ready} == {"atom:1"}


def test_a_revision_that_is_not_kept_is_named_with_those_that_are(place: Place) -> None:
    place.deploy(deployment())
    with pytest.raises(NotThere, match=r"has no revision 7 in its history: it has 1; see revisionHistoryLimit"):
        run(place.runtime().undo_to("7"))
    with pytest.raises(NotThere, match="no revision before this one"):
        run(place.runtime().undo_to())


def test_a_paused_deployment_is_not_rolled_back(place: Place) -> None:
    place.deploy(deployment())
    place.admin.patch("apps", "deployments", "atom", {"spec": {"paused": True}})
    with pytest.raises(PermanentError, match="paused: it cannot be rolled back"):
        run(place.runtime().undo_to("1"))


@pytest.mark.parametrize("image", ["atom:missing", "atom:crash"])
def test_an_undo_replaces_the_broken_pod_that_a_stateful_set_waits_for(place: Place, image: str) -> None:
    place.deploy(stateful_set())
    runtime = place.runtime(statefulset="atom")
    before = run(runtime.describe())
    place.image(image, "statefulsets")
    with pytest.raises(NotComingUp):
        run(runtime.restart())
    run(runtime.undo(before))
    after = run(runtime.describe())
    assert (after.revision, after.ready) == (before.revision, 2)
    run(runtime.undo(before))
    assert {each.version for each in run(runtime.describe()).instances} == {"atom:1"}


def test_logs_are_the_last_lines_of_every_container(place: Place) -> None:
    body = deployment(replicas=1)
    body["spec"]["template"]["spec"]["initContainers"] = [{"name": "migrate", "image": "atom:tool"}]
    place.deploy(body)
    lines = run(place.runtime(log_lines=2).logs(dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)))
    (pod,) = [each["metadata"]["name"] for each in place.pods().values()]
    assert lines == (
        f"{pod}/migrate: atom:tool line 299 of this life",
        f"{pod}/migrate: atom:tool line 300 of this life",
        f"{pod}/web: atom:1 line 299 of this life",
        f"{pod}/web: atom:1 line 300 of this life",
    )


def test_a_crash_loop_shows_the_log_of_the_life_before(place: Place) -> None:
    place.deploy(deployment(replicas=1, image="atom:crash"), ready=0)
    wait_until(lambda: run(place.runtime().describe()).instances[0].restarts >= 1, "a crash")
    lines = run(place.runtime(log_lines=1).logs(dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)))
    assert any("/web (previous): atom:crash line 300 of previous life" in line for line in lines)


def test_a_container_that_waits_says_why_it_has_no_log(place: Place) -> None:
    place.deploy(deployment(replicas=1, image="atom:missing"), ready=0)
    wait_until(
        lambda: run(place.runtime().describe()).instances[0].state == "ImagePullBackOff", "a pod without its image"
    )
    (line,) = run(place.runtime().logs(dt.datetime.now(dt.UTC)))
    assert "/web: no log (ImagePullBackOff): " in line
    assert "trying and failing to pull image" in line
