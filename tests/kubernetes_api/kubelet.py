"""A node: runs the pods that are bound to it, and fails as their images say. Works through the API alone.

Tags: "missing" is never pulled, "unmounted" lacks a volume, "crash" ends at once again and again, "unready" never gets
ready, "slow-stop" does not go before `let_go`. A pod with a nodeSelector finds no node.
"""

import contextlib
import datetime as dt
import threading
import time
from typing import Any

import httpx

from tests.kubernetes_api.admin import Admin
from tests.kubernetes_api.patches import Json
from tests.kubernetes_api.store import now

NODE = "node-1"
_TURN_SECONDS = 0.05
_CRASH_SECONDS = 0.4  # between two restarts; a real one waits 10 s, then twice as long


class Kubelet:
    """Turns until `stop`. `logs` are the lines of containers by image."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        self._ended = threading.Event()
        self._holding = True
        self._crashes: dict[str, tuple[int, float]] = {}
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(10)

    def let_go(self) -> None:
        """Pods of the image slow-stop may end now."""
        self._holding = False

    def _run(self) -> None:
        while not self._ended.wait(_TURN_SECONDS):
            with contextlib.suppress(httpx.HTTPError):
                for pod in self._admin.every_pod():
                    self._care(pod, self._admin.at(pod["metadata"]["namespace"]))

    def _care(self, pod: Json, admin: Admin) -> None:
        name = pod["metadata"]["name"]
        with contextlib.suppress(httpx.HTTPStatusError):  # gone or changed meanwhile: the next turn sees it
            if pod["metadata"].get("deletionTimestamp") or not pod["spec"].get("nodeName"):
                self._end_or_bind(pod, name, admin)
                return
            if (pod.get("status") or {}).get("phase") == "Failed":  # evicted by a test
                return
            status = self._status(pod)
            if status != {key: (pod.get("status") or {}).get(key) for key in status}:
                seen = {"resourceVersion": pod["metadata"]["resourceVersion"]}  # a test may have evicted it meanwhile
                admin.patch("", "pods", name, {"metadata": seen, "status": status}, "status")

    def _end_or_bind(self, pod: Json, name: str, admin: Admin) -> None:
        if pod["metadata"].get("deletionTimestamp"):
            images = [each["image"] for each in pod["spec"]["containers"]]
            if not (self._holding and any(image.endswith(":slow-stop") for image in images)):
                admin.delete("", "pods", name, gracePeriodSeconds=0)
        elif not pod["spec"].get("nodeSelector"):
            admin.bind(name, NODE)
        elif not (pod.get("status") or {}).get("conditions"):
            says = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
            condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": says}
            admin.patch("", "pods", name, {"status": {"phase": "Pending", "conditions": [condition]}}, "status")

    def _status(self, pod: Json) -> Json:
        before = {each["name"]: each for each in (pod.get("status") or {}).get("containerStatuses") or ()}
        inits = [self._init(pod, each) for each in pod["spec"].get("initContainers") or ()]
        is_begun = all((each["state"].get("terminated") or {}).get("exitCode") == 0 for each in inits)
        main = [self._container(pod, each, before, is_begun=is_begun) for each in pod["spec"]["containers"]]
        ready = "True" if all(each["ready"] for each in main) else "False"
        conditions = [{"type": kind, "status": status} for kind, status in (("PodScheduled", "True"), ("Ready", ready))]
        runs = any("running" in each["state"] or each["restartCount"] for each in main)
        if ready != (_condition(pod, "Ready") or {}).get("status"):
            conditions[1]["lastTransitionTime"] = now()
        elif (stamp := (_condition(pod, "Ready") or {}).get("lastTransitionTime")) is not None:
            conditions[1]["lastTransitionTime"] = stamp
        status: Json = {
            "phase": "Running" if runs else "Pending",
            "conditions": conditions,
            "containerStatuses": main,
            "startTime": (pod.get("status") or {}).get("startTime") or now(),
        }
        return {**status, "initContainerStatuses": inits} if inits else status

    def _init(self, pod: Json, container: Json) -> Json:
        if container["image"].endswith((":missing", ":crash")):
            return {**self._container(pod, container, {}, is_begun=True), "ready": False}
        return _reported(container, {"terminated": {"exitCode": 0, "reason": "Completed"}}, ready=True)

    def _container(self, pod: Json, container: Json, before: Json, *, is_begun: bool) -> Json:
        tag, name = container["image"].rpartition(":")[2], container["name"]
        if not is_begun:
            return _reported(container, {"waiting": {"reason": "PodInitializing"}})
        if tag == "missing":
            says = f'Back-off pulling image "{container["image"]}"'
            self._tell(pod, "Failed", f'Failed to pull image "{container["image"]}": not found')
            return _reported(container, {"waiting": {"reason": "ImagePullBackOff", "message": says}})
        if tag == "unmounted":
            self._tell(pod, "FailedMount", 'MountVolume.SetUp failed for volume "config": secret "atom" not found')
            return _reported(container, {"waiting": {"reason": "ContainerCreating"}})
        if tag == "crash":
            return self._crashed(pod, container)
        begun = ((before.get(name) or {}).get("state") or {}).get("running") or {"startedAt": now()}
        if tag == "unready":
            self._tell(pod, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
        return _reported(container, {"running": begun}, ready=tag != "unready")

    def _crashed(self, pod: Json, container: Json) -> Json:
        restarts, since = self._crashes.get(pod["metadata"]["uid"], (0, 0.0))
        if time.monotonic() - since >= _CRASH_SECONDS:
            restarts, since = restarts + 1, time.monotonic()
            self._crashes[pod["metadata"]["uid"]] = restarts, since
        self._tell(pod, "BackOff", f"Back-off restarting failed container {container['name']}")
        says = f"back-off 10s restarting failed container={container['name']}"
        report = _reported(container, {"waiting": {"reason": "CrashLoopBackOff", "message": says}}, restarts=restarts)
        ended = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:00Z")
        report["lastState"] = {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": ended}}
        return report

    def _tell(self, pod: Json, reason: str, message: str) -> None:
        """An event, once a pod."""
        meta = pod["metadata"]
        event = {
            "metadata": {"name": f"{meta['name']}.{reason.lower()}"},
            "involvedObject": {"kind": "Pod", "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
            "type": "Warning",
            "reason": reason,
            "message": message,
            "count": 1,
            "lastTimestamp": now(),
        }
        with contextlib.suppress(httpx.HTTPStatusError):
            self._admin.at(meta["namespace"]).create("", "events", event)


def _reported(container: Json, state: Json, *, ready: bool = False, restarts: int = 0) -> Json:
    report: dict[str, Any] = {"name": container["name"], "image": container["image"], "imageID": "", "state": state}
    return {**report, "lastState": {}, "ready": ready, "started": ready, "restartCount": restarts}


def _condition(pod: Json, kind: str) -> Json | None:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each["type"] == kind), None)


def log_of(pod: Json, query: dict[str, str]) -> tuple[int, str]:
    """Status and text of a container's log, as a kubelet answers it: no container, no log."""
    status = pod.get("status") or {}
    reports = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
    report = next((each for each in reports if each["name"] == query["container"]), None)
    if report is None or ("waiting" in report["state"] and not report["restartCount"]):
        reason = report["state"]["waiting"]["reason"] if report else "ContainerCreating"
        where = f'container "{query["container"]}" in pod "{pod["metadata"]["name"]}"'
        return (
            400,
            f"{where} is waiting to start: {'trying and failing to pull image' if 'Image' in reason else reason}",
        )
    life = "previous" if query.get("previous") == "true" else "this"
    lines = [f"{report['image']} line {number} of {life} life" for number in range(1, 301)]
    return 200, "\n".join(lines[-int(query.get("tailLines") or 300) :]) + "\n"
