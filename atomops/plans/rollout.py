"""Whether a rollout is done: judged as `kubectl rollout status` does, in its order and by the same numbers."""

from dataclasses import dataclass
from enum import Enum

from atomops.facts.kubernetes import Rollout


class Stage(Enum):
    """How far a rollout is. FAILED means that no waiting helps."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Judgement:
    """The stage, and why, in words close to kubectl's."""

    stage: Stage
    why: str


def judge_rollout(seen: Rollout) -> Judgement:
    """What `kubectl rollout status` says of these numbers.

    Source: kubectl's DeploymentStatusViewer and StatefulSetStatusViewer (pkg/polymorphichelpers/rollout_status.go).
    """
    return _deployment(seen) if seen.kind == "deployment" else _stateful_set(seen)


def judge_availability(seen: Rollout) -> Judgement:
    """Whether as many pods serve as are wanted, of whatever revision.

    Where `kubectl rollout status` waits for ever (a paused Deployment) or refuses (OnDelete), this still tells.
    """
    if seen.observed < seen.generation:
        return _waiting("its controller has not seen the change yet")
    serving = min(seen.ready, seen.available) if seen.kind == "deployment" else seen.ready
    if serving < seen.wanted or seen.current < seen.wanted:
        return _waiting(f"{serving} of {seen.wanted} pods are available")
    return _done(f"{serving} of {seen.wanted} pods are available")


def _deployment(seen: Rollout) -> Judgement:
    if seen.observed < seen.generation:
        return _waiting("its controller has not seen the change yet")
    if seen.deadline is not None:
        return Judgement(Stage.FAILED, f"it exceeded its progress deadline ({seen.deadline})")
    if seen.updated < seen.wanted:
        return _waiting(f"{seen.updated} out of {seen.wanted} new pods have been made")
    if seen.current > seen.updated:
        return _waiting(f"{seen.current - seen.updated} old pods are pending termination")
    if seen.available < seen.updated:
        return _waiting(f"{seen.available} of {seen.updated} new pods are available")
    return _done("successfully rolled out")


def _stateful_set(seen: Rollout) -> Judgement:
    if seen.strategy != "RollingUpdate":
        return Judgement(Stage.FAILED, f"a rollout is only followed with strategy RollingUpdate, not {seen.strategy}")
    if seen.observed == 0 or seen.observed < seen.generation:
        return _waiting("its controller has not seen the change yet")
    if seen.ready < seen.wanted:
        return _waiting(f"{seen.wanted - seen.ready} pods are not ready yet")
    if seen.partition is not None:
        return _partitioned(seen, seen.wanted - seen.partition)
    if seen.update_revision != seen.current_revision:
        return _waiting(f"{seen.updated} pods are at revision {seen.update_revision}")
    return _done(f"every pod is at revision {seen.current_revision}")


def _partitioned(seen: Rollout, due: int) -> Judgement:
    if seen.updated < due:
        return _waiting(f"{seen.updated} out of {due} new pods have been made")
    return _done(f"{seen.updated} new pods have been made")


def _waiting(why: str) -> Judgement:
    return Judgement(Stage.WAITING, why)


def _done(why: str) -> Judgement:
    return Judgement(Stage.DONE, why)
