"""What else has a say in how many pods there are: autoscalers and disruption budgets. Looked at, never changed."""

import asyncio

from atomops.errors import AccessDenied, NotThere
from atomops.plans.selectors import matches
from atomops.runtimes.kubernetes.calls import Call, Json
from atomops.runtimes.kubernetes.workload import Workload


async def notes_on_surroundings(workload: Workload, found: Json, until: float) -> tuple[str, ...]:
    """One line each; what may not be looked at is a line too, since it may be there."""
    scalers, budgets = await asyncio.gather(_autoscalers(workload, until), _budgets(workload, found, until))
    return (*scalers, *budgets)


async def _autoscalers(workload: Workload, until: float) -> list[str]:
    call = Call("list", "horizontalpodautoscalers", workload.settings.namespace, group="autoscaling")
    try:
        listed = await workload.api.items(call, {}, until=until)
    except (AccessDenied, NotThere) as error:
        return [f"autoscalers are unknown: {error}"]
    return [_on_autoscaler(each) for each in listed if _is_meant(workload, each["spec"]["scaleTargetRef"])]


def _is_meant(workload: Workload, target: Json) -> bool:
    group = str(target.get("apiVersion") or "apps/v1").split("/")[0]
    return group == "apps" and target["kind"].lower() == workload.kind and target["name"] == workload.id


def _on_autoscaler(scaler: Json) -> str:
    spec, name = scaler["spec"], scaler["metadata"]["name"]
    minimum = spec.get("minReplicas")
    range_ = f"HPA {name} keeps {1 if minimum is None else minimum} to {spec['maxReplicas']} pods"
    owners = scaler["metadata"].get("ownerReferences") or ()
    if any(each.get("kind") == "ScaledObject" for each in owners):
        return f"{range_}, and KEDA may scale up from 0: pause it by the annotation autoscaling.keda.sh/paused-replicas"
    if minimum == 0:
        return f"{range_}, so it may scale up from 0: raise minReplicas to 1 before a stop"
    return f"{range_}; it does nothing while 0 are wanted"


async def _budgets(workload: Workload, found: Json, until: float) -> list[str]:
    call = Call("list", "poddisruptionbudgets", workload.settings.namespace, group="policy")
    try:
        listed = await workload.api.items(call, {}, until=until)
    except (AccessDenied, NotThere) as error:
        return [f"disruption budgets are unknown: {error}"]
    labels = (found["spec"]["template"].get("metadata") or {}).get("labels") or {}
    return [_on_budget(each) for each in listed if matches(each["spec"].get("selector"), labels)]


def _on_budget(budget: Json) -> str:
    spec = budget["spec"]
    key = "minAvailable" if spec.get("minAvailable") is not None else "maxUnavailable"
    allowed = (budget.get("status") or {}).get("disruptionsAllowed", "unknown")
    return (
        f"PDB {budget['metadata']['name']}: {key} {spec.get(key, 'not set')}, {allowed} disruptions allowed; "
        "it stops evictions, but neither a stop nor a rollout"
    )
