"""A request as the API server understands it, and who may make it."""

from dataclasses import dataclass
from typing import Any

from tests.kubernetes_api.store import Refused, Resource


@dataclass(frozen=True)
class Request:
    verb: str
    resource: Resource
    namespace: str
    name: str
    subresource: str
    query: dict[str, str]
    body: Any
    content_type: str
    user: str
    version: str = ""

    @property
    def allowed_by(self) -> tuple[str, str, str]:
        """Verb, API group and resource of the rule that has to allow it."""
        sub = f"/{self.subresource}" if self.subresource else ""
        return self.verb, self.resource.group, self.resource.plural + sub


def authorize(request: Request, rules: set[tuple[str, str, str]] | None) -> None:
    verb, group, resource = request.allowed_by
    if rules is None or (verb, group, resource) in rules:
        return
    name = f' "{request.name}"' if request.name else ""
    full = Resource(group, request.resource.plural).full_name
    raise Refused(
        403,
        "Forbidden",
        f'{full}{name} is forbidden: User "{request.user}" cannot {verb} resource "{resource}" in API group "{group}" '
        f'in the namespace "{request.namespace}"',
        {"name": request.name, "group": group, "kind": request.resource.plural},
    )
