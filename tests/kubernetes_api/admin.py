"""Requests of a cluster's administrator, for tests: through the API alone, so that any API server will do."""

import ssl
from pathlib import Path
from typing import Any

import httpx

from tests.kubernetes_api.patches import Json
from tests.kubernetes_api.store import API_VERSIONS

STRATEGIC = "application/strategic-merge-patch+json"


class Admin:
    """Reads and writes objects of one namespace. Raises httpx.HTTPStatusError."""

    def __init__(self, client: httpx.Client, namespace: str = "default") -> None:
        self._client = client
        self.namespace = namespace

    @classmethod
    def of(cls, url: str, token: str, ca_file: Path) -> "Admin":
        context = ssl.create_default_context(cafile=str(ca_file))
        headers = {"Authorization": f"Bearer {token}"}
        return cls(httpx.Client(base_url=url, headers=headers, verify=context, timeout=20, trust_env=False))

    def at(self, namespace: str) -> "Admin":
        """The same in another namespace."""
        return Admin(self._client, namespace)

    def close(self) -> None:
        self._client.close()

    def every_pod(self) -> list[Json]:
        """Of all namespaces."""
        found: list[Json] = self.ask("GET", "/api/v1/pods")["items"]
        return found

    def _path(self, group: str, plural: str, *rest: str) -> str:
        root = f"/apis/{API_VERSIONS[group]}" if group else "/api/v1"
        return "/".join([root, "namespaces", self.namespace, plural, *rest])

    def ask(self, method: str, path: str, **how: Any) -> Json:  # noqa: ANN401 - as httpx has it
        """A request to any path."""
        answer = self._client.request(method, path, **how)
        answer.raise_for_status()
        body: Json = answer.json()
        return body

    def create(self, group: str, plural: str, body: Json) -> Json:
        return self.ask("POST", self._path(group, plural), json=body)

    def get(self, group: str, plural: str, name: str) -> Json:
        return self.ask("GET", self._path(group, plural, name))

    def items(self, group: str, plural: str, **query: str) -> list[Json]:
        found: list[Json] = self.ask("GET", self._path(group, plural), params=query)["items"]
        return found

    def patch(  # noqa: PLR0913, PLR0917 - each is a plain part of the request
        self, group: str, plural: str, name: str, body: Json, subresource: str = "", manager: str = ""
    ) -> Json:
        parts = [name, subresource] if subresource else [name]
        query = {"fieldManager": manager} if manager else {}
        headers = {"Content-Type": STRATEGIC}
        return self.ask("PATCH", self._path(group, plural, *parts), json=body, headers=headers, params=query)

    def delete(self, group: str, plural: str, name: str, **options: Any) -> None:  # noqa: ANN401 - as the API has them
        body = {"kind": "DeleteOptions", "apiVersion": "v1", **options}
        self.ask("DELETE", self._path(group, plural, name), json=body)

    def bind(self, pod: str, node: str) -> None:
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": pod},
            "target": {"kind": "Node", "name": node},
        }
        self.ask("POST", self._path("", "pods", pod, "binding"), json=body)
