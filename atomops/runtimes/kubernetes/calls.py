"""One request to the API, and what a person would say of the ways in which it fails."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args
from urllib.parse import quote

from atomops.errors import AccessDenied, AtomOpsError, BadAnswer, NotThere, PermanentError, TemporaryError, Unreachable

Json = dict[str, Any]
Verb = Literal["get", "list", "create", "patch", "delete"]
_REFUSED = re.compile(r"cannot (\w+) resource")
_MOST = 300  # characters of a page that is no answer of the API
RETRIED = {429, 500, 502, 503, 504}


class Conflict(TemporaryError):
    """The object was changed by somebody else between our look and our change."""


@dataclass(frozen=True)
class Call:
    """What is asked for, in the words of a Role's rules. `group` is "" for the core API."""

    verb: Verb
    resource: str
    namespace: str
    name: str = ""
    group: str = ""
    version: str = "v1"
    subresource: str = ""

    @property
    def path(self) -> str:
        """The path on the API server."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = ("namespaces", self.namespace, self.resource, self.name, self.subresource)
        return "/".join([root, *(quote(each, safe="") for each in parts if each)])

    @property
    def full_resource(self) -> str:
        """As rules have it: "deployments", "pods/log"."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    @property
    def rule(self) -> str:
        """The rule of a Role that allows it."""
        return f'{{apiGroups: ["{self.group}"], resources: ["{self.full_resource}"], verbs: ["{self.verb}"]}}'

    def __str__(self) -> str:
        one = f" {self.name}" if self.name else ""
        return f"{self.verb} {self.full_resource}{one} in namespace {self.namespace}"


@dataclass(frozen=True)
class Answer:
    """What the server answered."""

    status: int
    body: bytes
    retry_after: float | None = None

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the server sent
        """The body; None when it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def said(self) -> str:
        """The message of a Status, else the begin of the body."""
        status = self.json
        if isinstance(status, dict) and status.get("kind") == "Status" and status.get("message"):
            return " ".join(str(status["message"]).split())
        return " ".join(self.body[:_MOST].decode(errors="replace").split())

    @property
    def reason(self) -> str:
        """The reason of a Status: NotFound, Conflict, ..."""
        status = self.json
        return str(status.get("reason") or "") if isinstance(status, dict) else ""

    @property
    def details(self) -> Mapping[str, Any]:
        """What a Status is about."""
        status = self.json
        return (status.get("details") or {}) if isinstance(status, dict) else {}


def refusal(call: Call, answer: Answer, server: str) -> AtomOpsError:  # noqa: PLR0911 - one a kind of answer
    """The answer as one of our errors: what was asked, what the server says, what to do."""
    match answer.status:
        case 401:
            return AccessDenied(
                f"{server} does not accept our credentials (401): {answer.said}",
                action="the token or certificate has expired, or is for another cluster: log in again",
            )
        case 403:
            return _forbidden(call, answer, server)
        case 404:
            return _not_found(call, answer, server)
        case 409:
            return Conflict(f"{call}: changed by somebody else meanwhile ({answer.said})", action="run it again")
        case status if status in RETRIED:
            return Unreachable(
                f"{server} answers {status} to {call}: {answer.said}",
                action="look at the API server, then run it again",
            )
        case 400 | 422:
            return PermanentError(f"{server} refuses {call}: {answer.said}", action="look at the object")
        case status:
            return BadAnswer(f"{server} answers {status} to {call}: {answer.said}", action="is this a Kubernetes API?")


def _forbidden(call: Call, answer: Answer, server: str) -> AtomOpsError:
    if "system:anonymous" in answer.said:
        return AccessDenied(
            f"{server} takes us for nobody (system:anonymous): {answer.said}",
            action="the kubeconfig's user has no credentials: renew it, log in again",
        )
    refused = _REFUSED.search(answer.said)
    if refused and refused[1] in get_args(Verb):  # what is applied is created where it is not there
        call = replace(call, verb=cast("Verb", refused[1]))
        return AccessDenied(
            f"we may not {call}",
            action=f"add to a Role there that our account is bound to: {call.rule}. The server says: {answer.said}",
        )
    return AccessDenied(f"{call} is refused: {answer.said}", action="look at admission policies and webhooks")


def _not_found(call: Call, answer: Answer, server: str) -> AtomOpsError:
    if answer.reason == "NotFound" and answer.details.get("name"):
        return NotThere(
            f"{call.resource.removesuffix('s')} {call.namespace}/{call.name} does not exist on {server}",
            action=f"check the name, namespace and context: kubectl get {call.resource} -n {call.namespace}",
        )
    group = f"{call.group}/{call.version}" if call.group else call.version
    return NotThere(f"{server} does not serve {call.resource} of {group}", action="is this a Kubernetes API?")
