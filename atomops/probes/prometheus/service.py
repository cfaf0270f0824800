"""One question to a service of Prometheus's kind, and every way of not answering it told apart."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson

from atomops.errors import AccessDenied, AtomOpsError, BadAnswer, TemporaryError
from atomops.inventory import Prometheus
from atomops.probes.http import Answer, request

_SHOWN = 160  # characters of an unexpected body


@dataclass(frozen=True)
class Service:
    """Who is asked, with whose credentials, and which setting holds the address.

    `is_answer` tells the JSON of a success from any other.
    """

    name: str
    url: str
    setting: str
    api: str
    credentials: Prometheus
    is_answer: Callable[[Any], bool]

    def __str__(self) -> str:
        return f"{self.name} {self.url}"


async def ask(
    service: Service, path: str, seconds: float, *, form: Mapping[str, str] | None = None, mend: str = ""
) -> Any:  # noqa: ANN401 - JSON's own types
    """The JSON of a success within `seconds`; with a `form` the question is sent by POST.

    Raises AccessDenied, BadAnswer, Unreachable, TimedOut or TemporaryError, naming the service. `mend` is what to do
    when the service says that it is the question that is wrong.
    """
    answer = await request(
        "POST" if form else "GET",
        f"{service.url}{service.api}{path}",
        data=form,
        headers=_bearer(service.credentials),
        auth=_basic(service.credentials),
        timeout=seconds,
        ca_file=service.credentials.ca_file,
    )
    body = _json(answer)
    if answer.status == HTTPStatus.OK and service.is_answer(body):
        return body
    asked = form["query"] if form else path
    raise _refusal(service, answer, body, path=path, asked=asked, mend=mend or "look at its version")


def unknown_form(service: Service, error: Exception) -> BadAnswer:
    """What to raise for a success in which something is missing."""
    action = f"look what answers at {service.setting}, and its version"
    return BadAnswer(f"{service} answers a success of an unknown form ({error!r})", action=action)


def _bearer(credentials: Prometheus) -> dict[str, str]:
    return {"Authorization": f"Bearer {credentials.token.reveal()}"} if credentials.token else {}


def _basic(credentials: Prometheus) -> tuple[str, str] | None:
    if credentials.username is None or credentials.password is None:
        return None
    return credentials.username, credentials.password.reveal()


def _json(answer: Answer) -> Any:  # noqa: ANN401 - JSON's own types
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None


def _refusal(  # noqa: PLR0911, PLR0913 - a table of statuses reads best as one match
    service: Service,
    answer: Answer,
    body: Any,  # noqa: ANN401 - JSON's own types
    *,
    path: str,
    asked: str,
    mend: str,
) -> AtomOpsError:
    explained = isinstance(body, dict) and body.get("status") == "error"
    said = f"{body.get('errorType')}: {body.get('error')}" if explained else answer.body.decode(errors="replace")
    shown = _shown(said, service.credentials)
    match answer.status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            action = "check prometheus.username, password or token"
            return AccessDenied(f"{service} refuses us ({answer.status})", action=action)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return TemporaryError(f"{service} is asked too much (429): {shown}", action="look at its load and limits")
        case status if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return TemporaryError(f"{service} answers {status}: {shown}", action="look at its log and its load")
        case _ if explained:
            return BadAnswer(f"{service} cannot evaluate {asked} ({shown})", action=mend)
        case HTTPStatus.NOT_FOUND:
            action = f"check {service.setting}: it is the address before {service.api}, path prefix included"
            return BadAnswer(f"{service} has no {service.api}{path.partition('?')[0]} (404)", action=action)
        case status if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            place = answer.headers.get("location", "?").partition("?")[0]
            action = f"put that address into {service.setting}; a login page wants a token or an address without one"
            return BadAnswer(f"{service} redirects to {place} ({status})", action=action)
        case status:
            action = f"check {service.setting}: a login page, a proxy or another application may answer there"
            return BadAnswer(f"{service} answers {status} and not as {service.name} does: {shown!r}", action=action)


def _shown(said: str, credentials: Prometheus) -> str:
    """The beginning on one line, without our secrets: some proxies answer with the request that they got."""
    for secret in _secrets(credentials):
        said = said.replace(secret, "***")
    return " ".join(said.split())[:_SHOWN]


def _secrets(credentials: Prometheus) -> list[str]:
    basic = _basic(credentials)
    encoded = [b64encode(":".join(basic).encode()).decode(), basic[1]] if basic else []
    return encoded + ([credentials.token.reveal()] if credentials.token else [])
