"""What kube-controller-manager does for Deployments, ReplicaSets and StatefulSets: a turn a moment, over them all."""

import contextlib
import threading

from tests.kubernetes_api.deployments import reconcile_deployment
from tests.kubernetes_api.pods import reconcile_replica_set
from tests.kubernetes_api.statefulsets import reconcile_stateful_set
from tests.kubernetes_api.store import Refused, Resource, Store

DEPLOYMENTS, SETS = Resource("apps", "deployments"), Resource("apps", "replicasets")
STATEFUL_SETS, SCALERS = Resource("apps", "statefulsets"), Resource("autoscaling", "horizontalpodautoscalers")
_TURN_SECONDS = 0.03
_HPA = "kube-controller-manager"


class Controllers:
    """Turn until `stop`, unless `are_paused`. An HPA does nothing at 0 replicas, but when it `hpa_scales_back`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ended = threading.Event()
        self.are_paused = False
        self.hpa_scales_back = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._ended.wait(_TURN_SECONDS):
            if not self.are_paused:
                self._turn()

    def _turn(self) -> None:
        store = self._store
        with store.lock:
            for each in store.list(SCALERS, "") if self.hpa_scales_back else ():
                self._scale(each["spec"]["scaleTargetRef"], each["metadata"]["namespace"])
            for resource, reconcile in (
                (DEPLOYMENTS, reconcile_deployment),
                (SETS, reconcile_replica_set),
                (STATEFUL_SETS, reconcile_stateful_set),
            ):
                for each in store.list(resource, ""):
                    with contextlib.suppress(Refused):  # a conflict: the next turn sees what there is
                        reconcile(store, each)

    def _scale(self, target: dict[str, str], namespace: str) -> None:
        resource = Resource("apps", f"{target['kind'].lower()}s")
        found = self._store.get(resource, namespace, target["name"])
        if found["spec"]["replicas"] == 0:
            found["spec"]["replicas"] = self.hpa_scales_back
            self._store.update(resource, found, manager=_HPA)
