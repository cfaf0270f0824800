"""What an SRE should know of a workload before changing it."""

from collections import Counter

from atomops.facts.kubernetes import Pod
from atomops.facts.runtime import Instance
from atomops.plans.pods import state_of, trouble_of
from atomops.plans.rollout import Stage, judge_rollout
from atomops.runtimes.kubernetes.calls import Json
from atomops.runtimes.kubernetes.reading import REVISION, annotations_of
from atomops.runtimes.kubernetes.workload import REPLICAS, Belongings, Workload


def remembered(found: Json) -> int | None:
    """How many ran before we stopped them, by the annotation."""
    text = annotations_of(found).get(REPLICAS, "")
    return int(text) if text.isdecimal() else None


def newest_revision(workload: Workload, found: Json) -> str:
    """The one that new pods are made of."""
    if workload.kind == "deployment":
        return annotations_of(found).get(REVISION, "")
    return workload.seen(found).update_revision


def revision_of(workload: Workload, found: Json, own: Belongings) -> str:
    """The newest revision that serves; the newest of all when none does.

    A rollout that is stuck is thus no state to come back to. A Deployment's revision is a number, a StatefulSet's the
    name of its ControllerRevision, which it keeps.
    """
    newest = newest_revision(workload, found)
    if workload.kind == "deployment":
        of_owner = {each["metadata"]["uid"]: annotations_of(each).get(REVISION, "") for each in own.sets}
        serving = Counter(of_owner[pod.owner] for pod in own.pods if pod.is_ready and not pod.is_going)
    else:
        serving = Counter(pod.revision for pod in own.pods if pod.is_ready and not pod.is_going)
    return newest if newest in serving or not serving else serving.most_common(1)[0][0]


def instance_of(pod: Pod) -> Instance:
    """The pod."""
    trouble = trouble_of(pod)
    main = [each for each in pod.containers if not each.is_init]
    return Instance(
        name=pod.name,
        state=state_of(pod),
        is_ready=pod.is_ready and not pod.is_going,
        started_at=pod.started_at,
        version=", ".join(each.image for each in main),
        restarts=sum(each.restarts for each in main),
        problem=trouble.says if trouble else "",
    )


def notes_on(workload: Workload, found: Json, own: Belongings) -> list[str]:
    """One line each: what is out of the ordinary."""
    seen, judged = workload.seen(found), judge_rollout(workload.seen(found))
    notes = []
    if seen.is_paused:
        notes.append("paused: rollouts do not go on until kubectl rollout resume")
    if seen.strategy in {"Recreate", "OnDelete"}:
        notes.append(f"strategy {seen.strategy}")
    if judged.stage is not Stage.DONE and seen.strategy != "OnDelete":
        notes.append(f"its last rollout is not done: {judged.why}")
    if REPLICAS in annotations_of(found) and seen.wanted > 0:
        notes.append(f"{REPLICAS} is left from a stop that was not followed by a start of ours; it is not heeded")
    ended = [pod.name for pod in own.pods if pod.has_ended]
    if ended:
        notes.append(f"pods that have ended are still listed: {', '.join(ended)}")
    return notes
