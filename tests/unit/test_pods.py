"""What a pod's status means."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.facts.kubernetes import Container, Pod
from atomops.plans.pods import Cause, Trouble, state_of, trouble_of, troubles_of
from atomops.plans.stalling import Patience, Watched

RUNS = Container("web", image="atom:1", state="running", is_ready=True, has_started=True)
INIT = Container("migrate", is_init=True, state="terminated", reason="Completed", exit_code=0, is_ready=True)
PATIENCE = Patience(trouble=60, room=180)


def pod(*containers: Container, **changes: Any) -> Pod:  # noqa: ANN401 - members of a pod
    return Pod(**{"name": "atom-1", "uid": "1", "phase": "Running", "containers": containers, **changes})


def waits(reason: str, message: str = "", **changes: Any) -> Container:  # noqa: ANN401 - members of a container
    return dataclasses.replace(RUNS, state="waiting", reason=reason, message=message, is_ready=False, **changes)


def ended(code: int | None, reason: str = "", **changes: Any) -> Container:  # noqa: ANN401 - members of a container
    return dataclasses.replace(RUNS, state="terminated", reason=reason, exit_code=code, is_ready=False, **changes)


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (pod(RUNS, is_ready=True), "Running"),
        (pod(RUNS, is_going=True), "Terminating"),
        (pod(RUNS, is_going=True, phase="Failed", reason="Evicted"), "Evicted"),
        (pod(RUNS, is_going=True, reason="NodeLost"), "Unknown"),
        (pod(phase="Pending"), "Pending"),
        (pod(waits("ContainerCreating"), phase="Pending"), "ContainerCreating"),
        (pod(waits("ImagePullBackOff"), phase="Pending"), "ImagePullBackOff"),
        (pod(ended(1, "Error")), "Error"),
        (pod(ended(137)), "Signal:9"),
        (pod(ended(2)), "ExitCode:2"),
        (pod(ended(0, "Completed"), RUNS, is_ready=True), "Running"),
        (pod(ended(0, "Completed"), RUNS), "NotReady"),
        (pod(ended(0, "Completed"), phase="Succeeded"), "Completed"),
        (pod(INIT, RUNS), "Running"),
        (pod(dataclasses.replace(INIT, state="running", exit_code=None, reason=""), RUNS), "Init:0/1"),
        (
            pod(dataclasses.replace(INIT, is_sidecar=True, state="running", has_started=True, reason=""), RUNS),
            "Running",
        ),
        (pod(dataclasses.replace(INIT, exit_code=1, reason="Error"), RUNS), "Init:Error"),
        (pod(dataclasses.replace(INIT, state="waiting", reason="ErrImagePull"), RUNS), "Init:ErrImagePull"),
        (pod(dataclasses.replace(INIT, state="waiting", reason="PodInitializing"), RUNS), "Init:0/1"),
    ],
)
def test_the_state_is_the_word_that_kubectl_shows(seen: Pod, state: str) -> None:
    assert state_of(seen) == state


@pytest.mark.parametrize(
    ("seen", "cause", "says"),
    [
        (pod(RUNS, is_ready=True), None, ""),
        (pod(waits("CrashLoopBackOff"), is_going=True), None, ""),
        (pod(phase="Pending"), None, ""),
        (pod(waits("ContainerCreating"), phase="Pending"), None, ""),
        (pod(phase="Failed", reason="Evicted", message="low on\n memory"), Cause.ENDED, "Evicted: low on memory"),
        (pod(phase="Failed"), Cause.ENDED, "Failed"),
        (pod(unschedulable="0/1 nodes", phase="Pending"), Cause.ROOM, "no node takes it: 0/1 nodes"),
        (pod(waits("ErrImagePull", "not found")), Cause.IMAGE, "web ErrImagePull: not found"),
        (pod(waits("CreateContainerConfigError", "no secret")), Cause.START, "ConfigError: no secret"),
        (pod(waits("CrashLoopBackOff", last_exit_code=1, last_reason="Error", restarts=1)), Cause.CRASH, "once"),
        (pod(waits("CrashLoopBackOff", last_exit_code=137, last_reason="OOMKilled", restarts=2)), Cause.CRASH,
         "web ended with Signal:9 (OOMKilled) and was restarted 2 times"),
        (pod(waits("CrashLoopBackOff")), Cause.CRASH, "web ends and was restarted 0 times"),
        (pod(ended(3, "Error")), Cause.CRASH, "web ended with ExitCode:3"),
        (pod(dataclasses.replace(RUNS, is_ready=False, restarts=2, last_exit_code=1)), Cause.CRASH, "2 times"),
        (pod(dataclasses.replace(RUNS, is_ready=False)), Cause.UNREADY, "not ready (web)"),
        (pod(RUNS), Cause.UNREADY, "a readiness gate"),
        (pod(dataclasses.replace(INIT, restarts=1, is_ready=False), dataclasses.replace(RUNS, is_ready=False)),
         Cause.UNREADY, "web"),
        (pod(dataclasses.replace(INIT, is_sidecar=True, state="running", has_started=True, restarts=1, is_ready=False),
             dataclasses.replace(RUNS, is_ready=False)), Cause.UNREADY, "web"),
        (pod(dataclasses.replace(INIT, exit_code=1, reason="Error", is_ready=False), RUNS), Cause.CRASH, "migrate"),
    ],
)  # fmt: skip
def test_what_keeps_a_pod_from_serving(seen: Pod, cause: Cause | None, says: str) -> None:
    trouble = trouble_of(seen)
    assert (trouble.cause if trouble else None) is cause
    assert says in str(trouble or "")


def test_an_image_name_that_is_none_is_certain_and_comes_first() -> None:
    trouble = trouble_of(pod(waits("ErrImagePull"), waits("InvalidImageName")))
    assert trouble is not None
    assert trouble.is_certain
    assert "InvalidImageName" in trouble.says


def test_troubles_come_by_name() -> None:
    two = (
        dataclasses.replace(pod(waits("ErrImagePull")), name="b"),
        dataclasses.replace(pod(waits("ErrImagePull")), name="a"),
    )
    assert [each.where for each in troubles_of([*two, pod(RUNS, is_ready=True)])] == ["a", "b"]


def test_a_trouble_that_lasts_is_given_up_and_one_that_is_cured_begins_anew() -> None:
    image = [Trouble("a", Cause.IMAGE, "")]
    watched = Watched().saw(image, 0)
    assert not watched.saw(image, 59).lost(image, 59, PATIENCE)
    assert watched.saw(image, 60).lost(image, 60, PATIENCE) == (image[0],)
    cured = watched.saw([], 50).saw(image, 55)
    assert not cured.lost(image, 100, PATIENCE)


@pytest.mark.parametrize(
    ("trouble", "after"),
    [
        (Trouble("a", Cause.IMAGE, "", is_certain=True), 0),
        (Trouble("a", Cause.CRASH, "", restarts=3), 0),
        (Trouble("a", Cause.CRASH, "", restarts=2), 60),
        (Trouble("a", Cause.START, "", restarts=9), 60),
        (Trouble("a", Cause.REFUSED, ""), 60),
        (Trouble("a", Cause.ROOM, ""), 180),
    ],
)
def test_how_long_a_trouble_may_last(trouble: Trouble, after: float) -> None:
    watched = Watched().saw([trouble], 0)
    assert watched.lost([trouble], after, PATIENCE)
    assert after == 0 or not watched.lost([trouble], after - 0.1, PATIENCE)


@given(st.sampled_from([Cause.UNREADY, Cause.ENDED]), st.floats(0, 1e9))
def test_what_time_may_cure_is_never_given_up(cause: Cause, now: float) -> None:
    trouble = Trouble("a", cause, "")
    assert not Watched().saw([trouble], 0).lost([trouble], now, PATIENCE)


def test_a_trouble_that_was_not_watched_yet_has_just_begun() -> None:
    trouble = Trouble("a", Cause.IMAGE, "")
    assert not Watched().lost([trouble], 1000, PATIENCE)
