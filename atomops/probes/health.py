"""The application's liveness and readiness, the body of a 503 included."""

import asyncio
import datetime as dt
import time
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from atomops.errors import AtomOpsError, NotThere
from atomops.facts.health import Component, Endpoint, HealthFacts
from atomops.inventory import App, Target
from atomops.probes.http import Answer, request
from atomops.profiles import candidates
from atomops.verdict import Unseen

_SHOWN = 120  # characters of an unexpected body


async def look(target: Target) -> HealthFacts:
    """Both endpoints, neither spoiling the other. Raises what the connection raises when neither is answered."""
    app = target.app
    if app is None:
        raise NotThere(f"the target {target.name} has no application", action="add [targets.….app] to the inventory")
    paths = candidates(target.profile)[0].health
    live, ready = await asyncio.gather(_ask(app, paths.live), _ask(app, paths.ready))
    if isinstance(live, AtomOpsError) and isinstance(ready, AtomOpsError):
        raise live
    return HealthFacts(
        at=dt.datetime.now(dt.UTC),
        url=app.url,
        live=_endpoint(paths.live, live, app),
        ready=_endpoint(paths.ready, ready, app),
        components=_components(ready),
        clock_offset=_clock_offset(live if isinstance(live, Answer) else ready),
    )


async def _ask(app: App, path: str) -> Answer | AtomOpsError:
    headers = {"Accept": "application/json"} | ({"Host": app.host_header} if app.host_header else {})
    try:
        return await request("GET", app.url + path, timeout=app.timeout, headers=headers, ca_file=app.ca_file)
    except AtomOpsError as error:
        return error


def _endpoint(path: str, answer: Answer | AtomOpsError, app: App) -> Endpoint:
    if isinstance(answer, AtomOpsError):
        return Endpoint(path, None, app.timeout, answer.what, answer.action)
    problem, action = _problem(answer)
    return Endpoint(path, answer.status, answer.latency, problem, action)


def _problem(answer: Answer) -> tuple[str, str]:  # noqa: PLR0911 - a table of statuses reads best as one match
    body = _json(answer)
    shown = answer.body[:_SHOWN].decode(errors="replace").strip()
    match answer.status:
        case 200 if body is not None:
            return "", ""
        case 200:
            return f"200, but not JSON: {shown!r}", "check app.url: a proxy or another application may answer there"
        case 503 if body is not None:
            return f"503, status {body.get('status', 'unknown')}", "look at the components below and at the error log"
        case 400 if "host" in shown.lower():
            return f"400: {shown}", "set app.host_header to a host that the application allows"
        case 404:
            return "404", "after a failed start only / and /alive exist: look at the start of the log"
        case 401 | 403:
            return f"{answer.status}: health is behind a login", "let the probe's address pass without one"
        case status if 300 <= status < 400:  # noqa: PLR2004 - the redirects
            return f"{status}: redirected to {answer.headers.get('location', '?')}", "put that address into app.url"
        case status:
            return f"{status}: {shown!r}", "look at the error log"


def _components(answer: Answer | AtomOpsError) -> tuple[Component, ...] | Unseen:
    if isinstance(answer, AtomOpsError):
        return Unseen(answer.what, answer.action)
    body = _json(answer)
    checks = body.get("checks") if body else None
    if not isinstance(checks, dict) or not checks:
        return Unseen(f"the readiness answer ({answer.status}) names no components")
    return tuple(_component(name, value) for name, value in checks.items())


def _component(name: str, value: object) -> Component:
    """The guide's shape is the word "healthy"; the application's an object with a boolean."""
    if isinstance(value, dict):
        return Component(str(name), value.get("healthy") is True, str(value.get("message", "")))
    return Component(str(name), value is True or value == "healthy", str(value))


def _json(answer: Answer) -> dict[str, Any] | None:
    """The object that was answered; a 503 wraps it in `detail`."""
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
    if isinstance(body, dict) and isinstance(body.get("detail"), dict):
        body = body["detail"]
    return body if isinstance(body, dict) else None


def _clock_offset(answer: Answer | AtomOpsError) -> float | Unseen:
    if isinstance(answer, AtomOpsError) or "date" not in answer.headers:
        return Unseen("no answer carried a Date header")
    try:
        stamped = parsedate_to_datetime(answer.headers["date"])
    except ValueError:
        return Unseen(f"the Date header cannot be read: {answer.headers['date']!r}")
    offset = stamped.timestamp() - (time.time() - answer.latency / 2)
    return 0.0 if -1 < offset < 1 else offset
