"""The application's liveness and readiness, the body of a 503 included."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson

from atomops.errors import AtomOpsError, NotThere
from atomops.facts.health import Component, Endpoint, HealthFacts
from atomops.humane import size
from atomops.inventory import App, Target
from atomops.probes.http import Answer, ask, opened, prepare
from atomops.profiles import candidates
from atomops.verdict import Unseen

_MOST_BYTES = 1024 * 1024
_SHOWN = 120  # characters of an unexpected body
_GOOD_WORDS = frozenset({"alive", "healthy", "live", "ok", "operational", "pass", "passing", "ready", "up"})

Body = dict[str, Any]
Question = Callable[[], Awaitable[str]]


async def look(target: Target) -> HealthFacts:
    """Both endpoints, neither spoiling the other. Raises what the connection raises when neither is answered."""
    app = target.app
    if app is None:
        raise NotThere(f"the target {target.name} has no application", action="add [targets.….app] to the inventory")
    paths = candidates(target.profile)[0].health
    async with opened(app.url, ca_file=app.ca_file, timeout=app.timeout) as client:
        live, ready = await asyncio.gather(_ask(client, app, paths.live), _ask(client, app, paths.ready))
    if isinstance(live, AtomOpsError) and isinstance(ready, AtomOpsError):
        raise live
    return HealthFacts(
        at=dt.datetime.now(dt.UTC),
        url=app.url,
        live=_endpoint(paths.live, live),
        ready=_endpoint(paths.ready, ready),
        components=_components(ready),
        clock_offset=_clock_offset(ready if isinstance(live, AtomOpsError) else live),
        version=_version(ready) or _version(live),
    )


@contextlib.asynccontextmanager
async def asking_ready(target: Target, app: App) -> AsyncIterator[Question]:
    """A question that gives why the application is not ready, or "", as often as it is asked."""
    path = candidates(target.profile)[0].health.ready
    async with opened(app.url, ca_file=app.ca_file, timeout=app.timeout) as client:

        async def ask_ready() -> str:
            return _endpoint(path, await _ask(client, app, path)).problem

        yield ask_ready


async def _ask(client: httpx.AsyncClient, app: App, path: str) -> Answer | AtomOpsError:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}  # nothing that unpacks to gigabytes
    if app.host_header:
        headers["Host"] = app.host_header
    try:
        prepared = prepare(client, "GET", app.url + path, headers=headers)
        return await ask(client, prepared, timeout=app.timeout, most_bytes=_MOST_BYTES)
    except AtomOpsError as error:
        return error


def _endpoint(path: str, answer: Answer | AtomOpsError) -> Endpoint:
    if isinstance(answer, AtomOpsError):
        return Endpoint(path, None, None, answer.what, answer.action)
    good = 200 <= answer.status < 300  # noqa: PLR2004 - the good statuses
    return Endpoint(path, answer.status, answer.latency, *(_doubt(answer) if good else _problem(answer)))


def _doubt(answer: Answer) -> tuple[str, str]:
    """What is wrong with an answer whose status is good, and what to do; both empty when all is well."""
    status, body = answer.status, _json(answer)
    elsewhere = "check app.url: a proxy or another application may answer there"
    if not answer.whole:
        return f"{status}, but more than {size(_MOST_BYTES)}", elsewhere
    if body is None:
        return f"{status}, but not a JSON object: {_shown(answer)}", elsewhere
    if not _is_good(body.get("status", "ok")):
        return f"{status}, but its status is {_cut(body['status'])}", "look at HTTP-COMPONENTS and at the error log"
    return "", ""


def _problem(answer: Answer) -> tuple[str, str]:  # noqa: PLR0911 - a table of statuses reads best as one match
    body, said = _json(answer), f"{answer.status}: {_shown(answer)}"
    match answer.status:
        case 503 if body is not None:
            return f"503, status {_cut(body.get('status', 'unknown'))}", "look at HTTP-COMPONENTS and at the error log"
        case 502 | 503 | 504:
            return said, "a proxy or load balancer answers for it: does the application run behind it?"
        case 400 if b"host" in answer.body.lower():
            return said, "set app.host_header to a host that the application allows"
        case 404:
            return "404", "after a failed start only / and /alive exist: look at the start of the log, or at app.url"
        case 401 | 403:
            return f"{answer.status}: health is behind a login", "let this machine's address pass without one"
        case status if 300 <= status < 400:  # noqa: PLR2004 - the redirects
            place = _cut(answer.headers.get("location", "nowhere"))
            return f"{status}: redirected to {place}", "put the address that answers itself into app.url"
        case _:
            return said, "look at the error log"


def _components(answer: Answer | AtomOpsError) -> tuple[Component, ...] | Unseen:
    if isinstance(answer, AtomOpsError):
        return Unseen(answer.what, answer.action)
    checks = (_json(answer) or {}).get("checks")
    if not isinstance(checks, dict) or not checks:
        return Unseen(f"the readiness answer ({answer.status}) names no components", "look at HTTP-READY first")
    return tuple(_component(name, value) for name, value in checks.items())


def _component(name: str, value: object) -> Component:
    """The guide's shape is the word "healthy"; the application's an object with a boolean."""
    if not isinstance(value, Mapping):
        return Component(_cut(name), _is_good(value), _cut(value))
    verdict = value.get("healthy", value.get("status"))
    latency = value.get("latency_ms")
    return Component(
        name=_cut(name),
        healthy=_is_good(verdict),
        message=_cut(value.get("message", "")) or ("" if verdict is not None else f"no verdict: {_cut(dict(value))}"),
        latency=latency / 1000 if isinstance(latency, int | float) else None,
    )


def _is_good(verdict: object) -> bool:
    """True, or a word that means it. Whatever we do not understand is not good."""
    return verdict is True or (isinstance(verdict, str) and verdict.lower() in _GOOD_WORDS)


def _json(answer: Answer) -> Body | None:
    """The object that was answered; a 503 wraps it in `detail`."""
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
    if isinstance(body, dict) and isinstance(body.get("detail"), dict):
        body = body["detail"]
    return body if isinstance(body, dict) else None


def _version(answer: Answer | AtomOpsError) -> str:
    body = {} if isinstance(answer, AtomOpsError) else _json(answer) or {}
    told = (body.get(key) for key in ("version", "deployed_sha"))
    return " ".join(_cut(value) for value in told if isinstance(value, str) and value)


def _clock_offset(answer: Answer | AtomOpsError) -> float | Unseen:
    """The header was written between our sending and our reading, and its second had begun by then."""
    if isinstance(answer, AtomOpsError) or "date" not in answer.headers:
        return Unseen("no answer carried a Date header", "let the server or its proxy send one")
    try:
        stamped = parsedate_to_datetime(answer.headers["date"])
    except ValueError:
        return Unseen(f"the Date header cannot be read: {_cut(answer.headers['date'])}", "repair what writes it")
    stamped = stamped if stamped.tzinfo else stamped.replace(tzinfo=dt.UTC)
    least = (stamped - answer.at).total_seconds()
    most = least + 1 + answer.latency
    return 0.0 if least <= 0 <= most else min(least, most, key=abs)


def _shown(answer: Answer) -> str:
    return _cut(repr(answer.body[: 2 * _SHOWN].decode(errors="replace").strip())) if answer.body else "nothing"


def _cut(value: object) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
