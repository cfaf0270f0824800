"""Writes that are more than putting an object down: patches by content type, server-side apply, bindings."""

import json
from collections.abc import Callable
from typing import Any

from tests.kubernetes_api import apply, patches
from tests.kubernetes_api.patches import Json
from tests.kubernetes_api.request import Request
from tests.kubernetes_api.store import API_VERSIONS, KINDS, Refused, Store
from tests.kubernetes_api.versions import converted

_PATCHES: dict[str, Callable[[Json, Any], Json]] = {
    "application/strategic-merge-patch+json": patches.strategic,
    "application/merge-patch+json": patches.merge,
    "application/json-patch+json": patches.operations,
}


def patch(store: Store, request: Request) -> Json:
    if request.content_type not in _PATCHES:
        raise Refused(
            415, "UnsupportedMediaType", f"the body of the request was in an unknown format: {request.content_type}"
        )
    manager = request.query.get("fieldManager", "unknown")
    with store.lock:
        stored = store.get(request.resource, request.namespace, request.name)
        try:
            patched = _PATCHES[request.content_type](stored, request.body)
        except (patches.PatchError, AttributeError, TypeError) as error:
            raise Refused(
                422, "Invalid", f"the server rejected our request due to an error in our request: {error}"
            ) from error
        if request.subresource == "status":
            return store.update(request.resource, patched, status=True)
        if patched.get("status") != stored.get("status"):
            patched["status"] = stored.get("status")
        if "resourceVersion" not in json.dumps(request.body):
            patched["metadata"].pop("resourceVersion", None)
        return store.update(request.resource, patched, manager=manager)


def applied(store: Store, request: Request, stored: Json | None) -> Json:
    manager, is_dry = request.query["fieldManager"], request.query.get("dryRun") == "All"
    wanted = converted(request.body, API_VERSIONS[request.resource.group])
    if wanted.get("kind") != KINDS[request.resource.group, request.resource.plural]:
        raise Refused(400, "BadRequest", f"the object provided is unrecognized: {wanted.get('kind')}")
    owners = dict(store.owners.get(stored["metadata"]["uid"], {})) if stored else {}
    try:
        merged, owners = apply.apply(stored, wanted, owners, manager, force=request.query.get("force") == "true")
    except apply.Conflicts as conflicts:
        raise _conflict(conflicts, request) from conflicts
    if is_dry:
        store = store.trial()
    if stored is None:
        done = store.create(request.resource, request.namespace, merged, manager)
    else:
        merged["metadata"].pop("resourceVersion", None)
        done = store.update(request.resource, merged, manager=manager)
        store.owners[done["metadata"]["uid"]] = owners
    return done


def _conflict(conflicts: apply.Conflicts, request: Request) -> Refused:
    each = [
        (f'conflict with "{manager}" using {request.version}', apply.shown(path)) for manager, path in conflicts.found
    ]
    told = f"{each[0][0]}: {each[0][1]}" if len(each) == 1 else "".join(f"\n- {field}" for _, field in each)
    number = f"{len(each)} conflict{'s' if len(each) > 1 else ''}"
    causes = [{"reason": "FieldManagerConflict", "message": who, "field": field} for who, field in each]
    if len(each) > 1:
        told = f'conflicts with "{conflicts.found[0][0]}" using {request.version}:{told}'
    return Refused(409, "Conflict", f"Apply failed with {number}: {told}", {"causes": causes})


def bind(store: Store, request: Request) -> Json:
    with store.lock:
        pod = store.get(request.resource, request.namespace, request.name)
        pod["spec"]["nodeName"] = request.body["target"]["name"]
        return store.update(request.resource, pod)
