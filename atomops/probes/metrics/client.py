"""One query to Prometheus's HTTP API, and every way of not answering it."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson

from atomops.errors import AccessDenied, AtomOpsError, BadAnswer, TemporaryError
from atomops.inventory import Prometheus
from atomops.probes.http import Answer, request

_SHOWN = 160  # characters of an unexpected body


@dataclass(frozen=True)
class Result:
    """What one query brought: series as label sets with a value each, and what Prometheus remarked."""

    series: tuple[tuple[Mapping[str, str], float], ...]
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


async def query(settings: Prometheus, text: str, seconds: float) -> Result:
    """One instant query, answered within `seconds`; values may be NaN or infinite, and there may be none.

    Raises AccessDenied, BadAnswer, Unreachable, TimedOut or TemporaryError, naming the server and, where it is to
    blame, the query.
    """
    answer = await request(
        "POST",
        f"{settings.url}/api/v1/query",
        data={"query": text},
        headers=_bearer(settings),
        auth=_basic(settings),
        timeout=seconds,
        ca_file=settings.ca_file,
    )
    return _result(_body(answer, settings, text), settings.url)


def _bearer(settings: Prometheus) -> dict[str, str]:
    return {"Authorization": f"Bearer {settings.token.reveal()}"} if settings.token else {}


def _basic(settings: Prometheus) -> tuple[str, str] | None:
    if settings.username is None or settings.password is None:
        return None
    return settings.username, settings.password.reveal()


def _body(answer: Answer, settings: Prometheus, text: str) -> Mapping[str, Any]:
    """The JSON object of a success."""
    body = _json(answer)
    if answer.status == HTTPStatus.OK and body.get("status") == "success":
        return body
    raise _refusal(answer, body, settings, text)


def _json(answer: Answer) -> dict[str, Any]:
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _refusal(  # noqa: PLR0911 - a table of statuses reads best as one match
    answer: Answer, body: Mapping[str, Any], settings: Prometheus, text: str
) -> AtomOpsError:
    where = f"Prometheus {settings.url}"
    explained = body.get("status") == "error"
    said = f"{body.get('errorType')}: {body.get('error')}" if explained else answer.body.decode(errors="replace")
    shown = _shown(said, settings)
    match answer.status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            action = "check prometheus.username, password or token"
            return AccessDenied(f"{where} refuses us ({answer.status})", action=action)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return TemporaryError(f"{where} is asked too much (429): {shown}", action="look at its load and limits")
        case status if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return TemporaryError(f"{where} answers {status}: {shown}", action="look at its log and its load")
        case _ if explained:
            action = "mend the profile's metrics, prometheus.window or prometheus.selector"
            return BadAnswer(f"{where} cannot evaluate {text} ({shown})", action=action)
        case HTTPStatus.NOT_FOUND:
            action = "check prometheus.url: it is the address before /api/v1, path prefix included"
            return BadAnswer(f"{where} has no /api/v1/query (404)", action=action)
        case status if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            place = answer.headers.get("location", "?").partition("?")[0]
            action = "put that address into prometheus.url; a login page wants a token or an address without one"
            return BadAnswer(f"{where} redirects to {place} ({status})", action=action)
        case status:
            action = "check prometheus.url: a login page, a proxy or another application may answer there"
            return BadAnswer(f"{where} answers {status} and not as Prometheus does: {shown!r}", action=action)


def _shown(said: str, settings: Prometheus) -> str:
    """The beginning on one line, without our secrets: some proxies answer with the request that they got."""
    for secret in _secrets(settings):
        said = said.replace(secret, "***")
    return " ".join(said.split())[:_SHOWN]


def _secrets(settings: Prometheus) -> list[str]:
    basic = _basic(settings)
    encoded = [b64encode(":".join(basic).encode()).decode(), basic[1]] if basic else []
    return encoded + ([settings.token.reveal()] if settings.token else [])


def _result(body: Mapping[str, Any], url: str) -> Result:
    warnings, infos = (tuple(str(remark) for remark in body.get(kind) or ()) for kind in ("warnings", "infos"))
    try:
        return Result(_series(body["data"]), warnings, infos)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        action = "look what answers at prometheus.url, and its version"
        raise BadAnswer(f"Prometheus {url} answers a success of an unknown form ({error!r})", action=action) from error


def _series(data: Mapping[str, Any]) -> tuple[tuple[Mapping[str, str], float], ...]:
    if data["resultType"] == "scalar":
        return (({}, float(data["result"][1])),)
    return tuple((dict(each["metric"]), float(each["value"][1])) for each in data["result"])
