"""Restarts that come up, and restarts that do not: with the reason, and what still runs."""

import re
from typing import Any

import pytest

from atomops.errors import PermanentError
from atomops.runtimes.kubernetes.restarting import RESTARTED
from atomops.runtimes.runtime import NotComingUp
from tests.kubernetes_api.objects import deployment, quota, stateful_set, template
from tests.kubernetes_api.place import Place, run

GENTLE: dict[str, Any] = {"strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}


def failure(place: Place, **settings: Any) -> NotComingUp:  # noqa: ANN401 - as in an inventory
    with pytest.raises(NotComingUp) as caught:
        run(place.runtime(**settings).restart())
    return caught.value


def test_a_restart_replaces_every_pod(place: Place) -> None:
    place.deploy(deployment(**GENTLE))
    before = place.pods()
    run(place.runtime().restart())
    runs = run(place.runtime().describe())
    assert runs.ready == 3
    assert not before.keys() & {uid for uid, pod in place.pods().items() if "deletionTimestamp" not in pod["metadata"]}
    annotations = place.found()["spec"]["template"]["metadata"]["annotations"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", annotations[RESTARTED])
    assert runs.revision == "2"
    revisions = run(place.runtime().revisions())
    assert [each.partition(" ")[0] for each in revisions] == ["2", "1"]
    assert "atom:" in revisions[0]


def test_a_second_restart_in_the_same_second_is_one_too(place: Place) -> None:
    place.deploy(deployment(replicas=1))
    run(place.runtime().restart())
    once = set(place.pods())
    run(place.runtime().restart())
    assert not once & {uid for uid, pod in place.pods().items() if "deletionTimestamp" not in pod["metadata"]}


def test_a_stateful_set_restarts_pod_by_pod(place: Place) -> None:
    place.deploy(stateful_set())
    before = place.pods()
    run(place.runtime(statefulset="atom").restart())
    assert not before.keys() & place.pods().keys()
    assert [each.name for each in run(place.runtime(statefulset="atom").describe()).instances] == ["atom-0", "atom-1"]
    assert len(run(place.runtime(statefulset="atom").revisions())) == 2


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (deployment(paused=True), "is paused"),
        (deployment(replicas=0), "is stopped"),
        (stateful_set(updateStrategy={"type": "OnDelete"}), "OnDelete"),
        (
            stateful_set(updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}),
            "from pod atom-1 on",
        ),
    ],
    ids=["paused", "stopped", "OnDelete", "partition"],
)
def test_what_could_not_be_restarted_or_followed_is_refused(place: Place, body: dict[str, Any], why: str) -> None:
    place.deploy(body, ready=0)
    kind = body["kind"].lower()
    with pytest.raises(PermanentError, match=why):
        run(place.runtime(**({kind: "atom"} if kind == "statefulset" else {})).restart())
    assert "annotations" not in place.found(f"{kind}s")["spec"]["template"]["metadata"]


def test_an_image_that_cannot_be_pulled_ends_the_rollout_early_and_the_old_pods_go_on(place: Place) -> None:
    place.deploy(deployment(**GENTLE))
    place.image("atom:missing")
    error = failure(place)
    assert "web ImagePullBackOff" in str(error)
    assert any("event Failed: Failed to pull image" in line for line in error.evidence)
    assert any(line.startswith("of the earlier revision 3 pods still serve") for line in error.evidence)
    assert "after" not in error.what.split(":")[0]


def test_a_crash_loop_ends_the_rollout_early(place: Place) -> None:
    place.deploy(deployment(**GENTLE))
    place.image("atom:crash")
    error = failure(place)
    assert re.search(r"web ended with ExitCode:1 and was restarted", str(error))
    assert any("event BackOff" in line for line in error.evidence)


def test_an_init_container_without_its_image_ends_the_rollout_early(place: Place) -> None:
    place.deploy(deployment(**GENTLE))
    inits = [{"name": "migrate", "image": "atom:missing"}]
    spec = template("atom:2", initContainers=inits)["spec"]
    place.admin.patch("apps", "deployments", "atom", {"spec": {"template": {"spec": spec}}})
    assert "migrate ImagePullBackOff" in str(failure(place))


def test_pods_that_never_become_ready_end_the_rollout_at_its_deadline(place: Place) -> None:
    place.deploy(deployment(progressDeadlineSeconds=3, **GENTLE))
    place.image("atom:unready")
    error = failure(place)
    assert "progress deadline" in str(error)
    assert any("runs, but is not ready (web)" in line for line in error.evidence)
    assert any("event Unhealthy: Readiness probe failed" in line for line in error.evidence)


def test_pods_that_never_become_ready_end_a_stateful_set_when_the_time_is_over(place: Place) -> None:
    place.deploy(stateful_set())
    place.image("atom:unready", "statefulsets")
    error = failure(place, statefulset="atom", within=3)
    assert "does not come up after 3.0 s" in str(error)
    assert any(line.startswith("of the earlier revision 1 pod still serves: atom-0") for line in error.evidence)


def test_pods_that_are_only_being_made_show_their_events_when_the_time_is_over(place: Place) -> None:
    place.deploy(deployment(**GENTLE))
    place.image("atom:unmounted")
    error = failure(place, within=2)
    assert any(line.endswith(": ContainerCreating") for line in error.evidence)
    assert any('event FailedMount: MountVolume.SetUp failed for volume "config"' in line for line in error.evidence)


def test_a_quota_that_is_used_up_is_named(place: Place) -> None:
    place.deploy(deployment(**GENTLE))
    place.admin.create("", "resourcequotas", quota(3))
    error = failure(place)
    assert "its pods are refused" in str(error)
    assert "exceeded quota: few" in str(error)
    assert any("event FailedCreate" in line for line in error.evidence)
    assert run(place.runtime().describe()).ready == 3


def test_a_quota_that_is_used_up_is_named_for_a_stateful_set_by_its_events(place: Place) -> None:
    place.deploy(stateful_set())
    place.admin.create("", "resourcequotas", quota(1))
    assert "exceeded quota: few" in str(failure(place, statefulset="atom"))


def test_pods_that_no_node_takes_are_named(place: Place) -> None:
    place.deploy(deployment(**GENTLE))
    spec = template("atom:2", nodeSelector={"disk": "fast"})["spec"]
    place.admin.patch("apps", "deployments", "atom", {"spec": {"template": {"spec": spec}}})
    assert "no node takes it: 0/1 nodes are available" in str(failure(place))


def test_a_restart_that_somebody_takes_back_is_no_restart(bent: Place) -> None:
    bent.deploy(deployment(**GENTLE))
    gone_back = {"spec": {"template": {"metadata": {"annotations": {RESTARTED: None}}}}}

    def take_back(request: Any) -> None:  # noqa: ANN401 - a request
        if request.verb == "patch":
            bent.admin.patch("apps", "deployments", "atom", gone_back, manager="argocd")

    bent.cluster.settings.after = take_back
    with pytest.raises(PermanentError, match="taken back by argocd"):
        run(bent.runtime().restart())
