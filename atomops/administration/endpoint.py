"""One request to an endpoint of the application that only an administrator may use; each refusal is told for itself."""

import json
from dataclasses import dataclass
from http import HTTPStatus

from atomops.errors import AtomOpsError, NotThere, TimedOut
from atomops.facts.cache import Answered
from atomops.inventory import Target
from atomops.probes import http
from atomops.secret import Secret
from atomops.verdict import Unseen

_SAID = 200  # characters of an answer


@dataclass(frozen=True)
class Endpoint:
    """Where to ask, and with which token. `section` is the inventory's, for the remedies."""

    section: str
    method: str
    url: str
    token: Secret | None
    timeout: float

    @property
    def request(self) -> str:
        """As a person would write it; the token is not part of it."""
        return f"{self.method} {self.url}"


def address_of(target: Target, place: str) -> str:
    """The whole address of a path of the application. Raises NotThere without an application in the inventory."""
    if not place.startswith("/"):
        return place
    if target.app is None:
        action = "add [targets.….app], or write the whole address"
        raise NotThere(f"the inventory does not say where the application of {target.name} answers", action=action)
    return f"{target.app.url}{place}"


async def ask(target: Target, endpoint: Endpoint, body: object = None) -> Answered:
    """What came of it; only a 2xx is without a `problem`. Never raises: who did not answer is told as well.

    The request is sent once: whether it was carried out is not known when no answer comes.
    """
    app = target.app
    headers = {"Host": app.host_header} if app and app.host_header and endpoint.url.startswith(app.url) else {}
    if endpoint.token is not None:
        headers["Authorization"] = f"Bearer {endpoint.token.reveal()}"
    try:
        answer = await http.request(
            endpoint.method,
            endpoint.url,
            timeout=endpoint.timeout,
            headers=headers,
            json=body,
            ca_file=app.ca_file if app else None,
        )
    except AtomOpsError as error:
        was_sent = isinstance(error, TimedOut) or "before its answer" in error.what
        doubt = "; whether it was carried out is not known" if was_sent else ""
        return Answered(endpoint.request, None, "", 0, Unseen(f"{error.what}{doubt}", error.action))
    said = " ".join(answer.body.decode(errors="replace").split())[:_SAID]
    return Answered(endpoint.request, answer.status, said, answer.latency, _problem(endpoint, answer.status, said))


def value_in(said: str, key: str) -> object:
    """What a JSON answer says of a key; None when it says nothing, or is no JSON."""
    try:
        told = json.loads(said)
    except ValueError:
        return None
    return told.get(key) if isinstance(told, dict) else None


def _problem(endpoint: Endpoint, status: int, said: str) -> Unseen | None:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    what, action = _REASONS.get(status) or _REASONS[100 * (status // 100)]
    told = f": {said}" if said else ""
    reason = f"{endpoint.request} answers {status}, {what}{told}"
    return Unseen(reason, action.format(section=endpoint.section))


_REASONS = {
    401: ("it does not know our token", 'set token = "env:NAME" in [targets.….{section}], or renew it'),
    403: ("our token may not do this", "it must be an administrator's: look at the roles of whose token it is"),
    404: (
        "there is no such endpoint (the public Atom has none)",
        "name the application's own one in [targets.….{section}]; or look whether what was named exists",
    ),
    405: ("the endpoint does not take this method", "set method in [targets.….{section}]"),
    300: ("it sends us elsewhere", "write the address that it names into [targets.….{section}]"),
    400: ("it refuses the request", "compare with the application's own API"),
    429: ("it was asked too often", "wait, then run it again"),
    500: ("it failed", "look at the application's log; then run it again"),
    100: ("which is no answer", "look at what answers there"),
}
