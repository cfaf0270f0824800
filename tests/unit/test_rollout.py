"""Rollouts are judged as kubectl judges them; the same is compared with a real kubectl in the integration tests."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.facts.kubernetes import Rollout
from atomops.plans.rollout import Judgement, Stage, judge_availability, judge_rollout

DONE = Rollout("deployment", "atom", 2, 2, wanted=3, current=3, updated=3, ready=3, available=3)
SET = dataclasses.replace(DONE, kind="statefulset", partition=0, current_revision="a", update_revision="a")

COUNTS = st.integers(0, 5)
ROLLOUTS = st.builds(
    Rollout,
    kind=st.sampled_from(["deployment", "statefulset"]),
    name=st.just("atom"),
    generation=st.integers(1, 3),
    observed=st.integers(0, 3),
    wanted=COUNTS,
    current=COUNTS,
    updated=COUNTS,
    ready=COUNTS,
    available=COUNTS,
    partition=st.none() | st.integers(0, 5),
    current_revision=st.sampled_from("ab"),
    update_revision=st.sampled_from("ab"),
    deadline=st.none() | st.just("has timed out progressing"),
)


@pytest.mark.parametrize(
    ("change", "stage", "why"),
    [
        ({}, Stage.DONE, "successfully"),
        ({"observed": 1, "deadline": "late"}, Stage.WAITING, "not seen the change"),
        ({"deadline": "late", "updated": 0}, Stage.FAILED, "exceeded its progress deadline"),
        ({"updated": 1, "current": 4}, Stage.WAITING, "1 out of 3 new pods"),
        ({"current": 4, "available": 2}, Stage.WAITING, "1 old pods are pending termination"),
        ({"available": 2}, Stage.WAITING, "2 of 3 new pods are available"),
        ({"wanted": 0, "current": 0, "updated": 0, "ready": 0, "available": 0}, Stage.DONE, ""),
    ],
)
def test_a_deployment_is_judged_in_the_order_of_kubectl(change: dict[str, Any], stage: Stage, why: str) -> None:
    judged = judge_rollout(dataclasses.replace(DONE, **change))
    assert judged.stage is stage
    assert why in judged.why


@pytest.mark.parametrize(
    ("change", "stage", "why"),
    [
        ({}, Stage.DONE, "new pods have been made"),
        ({"strategy": "OnDelete", "observed": 0}, Stage.FAILED, "not OnDelete"),
        ({"generation": 0, "observed": 0}, Stage.WAITING, "not seen the change"),
        ({"observed": 1, "ready": 0}, Stage.WAITING, "not seen the change"),
        ({"ready": 1, "updated": 0}, Stage.WAITING, "2 pods are not ready yet"),
        ({"updated": 1}, Stage.WAITING, "1 out of 3 new pods"),
        ({"updated": 1, "partition": 2}, Stage.DONE, ""),
        ({"partition": None, "update_revision": "b"}, Stage.WAITING, "3 pods are at revision b"),
        ({"partition": None}, Stage.DONE, "every pod is at revision a"),
        ({"update_revision": "b"}, Stage.DONE, ""),
    ],
)
def test_a_stateful_set_is_judged_in_the_order_of_kubectl(change: dict[str, Any], stage: Stage, why: str) -> None:
    judged = judge_rollout(dataclasses.replace(SET, **change))
    assert judged.stage is stage
    assert why in judged.why


@pytest.mark.parametrize("seen", [DONE, SET], ids=["deployment", "statefulset"])
@pytest.mark.parametrize(
    ("change", "stage"),
    [
        ({"is_paused": True, "updated": 0, "strategy": "OnDelete"}, Stage.DONE),
        ({"observed": 1}, Stage.WAITING),
        ({"ready": 2}, Stage.WAITING),
        ({"current": 2}, Stage.WAITING),
    ],
)
def test_availability_asks_for_no_revision(seen: Rollout, change: dict[str, Any], stage: Stage) -> None:
    assert judge_availability(dataclasses.replace(seen, **change)).stage is stage


@given(ROLLOUTS)
def test_nothing_is_done_before_its_controller_has_seen_it(seen: Rollout) -> None:
    if seen.observed < seen.generation:
        assert judge_rollout(seen).stage is Stage.WAITING
        assert judge_availability(seen).stage is Stage.WAITING


@given(ROLLOUTS)
def test_a_deployment_that_is_done_has_only_new_and_available_pods(seen: Rollout) -> None:
    if seen.kind == "deployment" and judge_rollout(seen).stage is Stage.DONE:
        assert seen.available >= seen.updated >= max(seen.wanted, seen.current)


@given(ROLLOUTS)
def test_a_stateful_set_that_is_done_has_every_pod_ready(seen: Rollout) -> None:
    if seen.kind == "statefulset" and judge_rollout(seen).stage is Stage.DONE:
        assert seen.ready >= seen.wanted


@given(ROLLOUTS, st.sampled_from(["updated", "ready", "available"]))
def test_one_more_good_pod_never_makes_a_done_rollout_fail(seen: Rollout, which: str) -> None:
    before = judge_rollout(seen)
    after: Judgement = judge_rollout(dataclasses.replace(seen, **{which: getattr(seen, which) + 1}))
    if before.stage is not Stage.FAILED:
        assert after.stage is not Stage.FAILED
