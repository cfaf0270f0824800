"""What a pod's status means: the word that `kubectl get pods` shows for it, and what keeps it from serving."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from atomops.facts.kubernetes import Container, Pod

_SIGNALLED = 128  # an exit code above is this plus the number of the signal
_PULLING = {"ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed"}
_NEVER_PULLED = {"InvalidImageName", "ErrImageNeverPull"}
_HARMLESS = {"", "ContainerCreating", "PodInitializing", "Completed"}


class Cause(Enum):
    """Why a pod does not serve. UNREADY is the one that waiting may well cure: an application takes its time."""

    IMAGE = "image"
    CRASH = "crash"
    START = "start"
    REFUSED = "refused"
    ROOM = "room"
    ENDED = "ended"
    UNREADY = "unready"


@dataclass(frozen=True)
class Trouble:
    """What keeps `where`, a pod or the workload itself, from serving. `restarts` of the container that is meant."""

    where: str
    cause: Cause
    says: str
    is_certain: bool = False
    restarts: int = 0

    def __str__(self) -> str:
        return f"{self.where}: {self.says}"


def state_of(pod: Pod) -> str:
    """The word that `kubectl get pods` shows as STATUS. Source: printPod (pkg/printers/internalversion/printers.go)."""
    if pod.is_going and pod.reason == "NodeLost":
        return "Unknown"
    if pod.is_going and not pod.has_ended:
        return "Terminating"
    initial = _initial_state(pod)
    if initial:
        return initial
    shown = pod.reason or pod.phase
    main = [each for each in pod.containers if not each.is_init]
    for container in reversed(main):
        shown = _container_state(container) or shown
    if shown == "Completed" and any(each.is_ready and each.state == "running" for each in main):
        return "Running" if pod.is_ready else "NotReady"
    return shown


def _initial_state(pod: Pod) -> str:
    inits = [each for each in pod.containers if each.is_init]
    for number, each in enumerate(inits):
        if (each.state == "terminated" and each.exit_code == 0) or (each.is_sidecar and each.has_started):
            continue
        if each.state == "terminated":
            return f"Init:{_container_state(each)}"
        if each.state == "waiting" and each.reason not in {"", "PodInitializing"}:
            return f"Init:{each.reason}"
        return f"Init:{number}/{len(inits)}"
    return ""


def _container_state(container: Container) -> str:
    if container.reason:
        return container.reason
    if container.state != "terminated":
        return ""
    return _exit(container.exit_code)


def _exit(code: int | None) -> str:
    return f"Signal:{code - _SIGNALLED}" if code is not None and code > _SIGNALLED else f"ExitCode:{code}"


def trouble_of(pod: Pod) -> Trouble | None:
    """What keeps the pod from serving; None while it serves, goes, or is only being made."""
    if pod.is_going or pod.is_ready:
        return None
    if pod.has_ended:
        return Trouble(pod.name, Cause.ENDED, _joined(pod.reason or pod.phase, pod.message))
    if pod.unschedulable is not None:
        return Trouble(pod.name, Cause.ROOM, _joined("no node takes it", pod.unschedulable))
    found = [trouble for each in pod.containers if (trouble := _of_container(pod, each)) is not None]
    if found:
        return max(found, key=lambda trouble: trouble.is_certain)
    if pod.phase == "Running":
        unready = [each.name for each in pod.containers if not each.is_init and not each.is_ready]
        return Trouble(pod.name, Cause.UNREADY, f"runs, but is not ready ({', '.join(unready) or 'a readiness gate'})")
    return None


def _of_container(pod: Pod, container: Container) -> Trouble | None:
    if container.state == "waiting" and container.reason not in _HARMLESS:
        return _waiting(pod, container)
    if container.restarts and not container.is_ready and not (container.is_init and _has_done(container)):
        return _crashing(pod, container)
    if container.state == "terminated" and container.exit_code != 0:
        return _crashing(pod, container)
    return None


def _has_done(container: Container) -> bool:
    return (container.state == "terminated" and container.exit_code == 0) or (
        container.is_sidecar and container.has_started
    )


def _waiting(pod: Pod, container: Container) -> Trouble:
    if container.reason == "CrashLoopBackOff":
        return _crashing(pod, container)
    says = _joined(f"{container.name} {container.reason}", container.message)
    if container.reason in _NEVER_PULLED:
        return Trouble(pod.name, Cause.IMAGE, says, is_certain=True)
    return Trouble(pod.name, Cause.IMAGE if container.reason in _PULLING else Cause.START, says)


def _crashing(pod: Pod, container: Container) -> Trouble:
    code = container.exit_code if container.state == "terminated" else container.last_exit_code
    reason = container.reason if container.state == "terminated" else container.last_reason
    ended = f"ended with {_exit(code)}" if code is not None else "ends"
    why = f" ({reason})" if reason not in {"", "Error", "Completed"} else ""
    says = f"{container.name} {ended}{why} and was restarted {_times(container.restarts)}"
    return Trouble(pod.name, Cause.CRASH, says, restarts=container.restarts)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _joined(short: str, long: str) -> str:
    return f"{short}: {' '.join(long.split())}" if long.strip() else short


def troubles_of(pods: Iterable[Pod]) -> tuple[Trouble, ...]:
    """What keeps these pods from serving, by their names."""
    found = (trouble_of(pod) for pod in sorted(pods, key=lambda pod: pod.name))
    return tuple(trouble for trouble in found if trouble is not None)
