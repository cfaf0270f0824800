"""A restart, as `kubectl rollout restart` makes it: a new annotation on the pod template."""

import datetime as dt
from collections.abc import Callable

from atomops.errors import PermanentError
from atomops.runtimes.kubernetes.calls import Json
from atomops.runtimes.kubernetes.describing import remembered
from atomops.runtimes.kubernetes.waiting import last_manager
from atomops.runtimes.kubernetes.workload import Workload

RESTARTED = "kubectl.kubernetes.io/restartedAt"


def restart_patch(stamp: str) -> Json:
    """What kubectl sends."""
    return {"spec": {"template": {"metadata": {"annotations": {RESTARTED: stamp}}}}}


def new_stamp(found: Json) -> str:
    """Now, in seconds; a second later when that is what is there already, since nothing would be restarted then."""
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    times = (now, now + dt.timedelta(seconds=1))
    return next(text for each in times if (text := each.strftime("%Y-%m-%dT%H:%M:%SZ")) != _stamp_of(found))


def _stamp_of(found: Json) -> str:
    annotations = (found["spec"]["template"].get("metadata") or {}).get("annotations") or {}
    return str(annotations.get(RESTARTED) or "")


def expect_restartable(workload: Workload, found: Json) -> None:
    """Raises PermanentError for what kubectl refuses to restart, and for what would not be restarted wholly."""
    seen, where = workload.seen(found), f"-n {workload.settings.namespace}"
    if seen.is_paused:
        raise _paused(workload)
    if seen.kind == "statefulset" and seen.strategy != "RollingUpdate":
        raise PermanentError(
            f"{workload.name} has the update strategy {seen.strategy}: a restart would replace no pod",
            action=f"delete its pods one by one: kubectl delete pod {workload.id}-0 {where}",
        )
    if seen.partition:
        raise PermanentError(
            f"{workload.name} is rolled out from pod {workload.id}-{seen.partition} on: those before it would stay",
            action="set spec.updateStrategy.rollingUpdate.partition to 0, then run it again",
        )
    if seen.wanted == 0:
        before = remembered(found)
        raise PermanentError(
            f"{workload.name} is stopped: there is nothing to restart",
            action=f"start it: {before} pods ran before" if before else "scale it up first",
        )


def still_stamped(workload: Workload, stamp: str) -> Callable[[Json], None]:
    """A check that raises PermanentError once the restart was taken back, or does not go on."""

    def check(found: Json) -> None:
        if workload.seen(found).is_paused:
            raise _paused(workload)
        if _stamp_of(found) < stamp:
            who = last_manager(found, "template")
            raise PermanentError(
                f"the restart of {workload.name} was taken back by {who} before it was done",
                action=f"whoever it is (GitOps?) has to leave the annotation {RESTARTED} alone",
            )

    return check


def _paused(workload: Workload) -> PermanentError:
    return PermanentError(
        f"{workload.name} is paused: its rollouts do not go on",
        action=f"kubectl rollout resume deployment/{workload.id} -n {workload.settings.namespace}, then run it again",
    )
