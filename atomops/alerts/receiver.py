"""Alertmanager's webhook: authenticated, validated, bounded, and on disk before it is answered with 200.

An answer of 5xx makes Alertmanager send the same again, one of 4xx does not: so what cannot be kept is 503, and what
never will be understood is 4xx and stands in our log.
"""

import asyncio
import hmac
import logging
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from atomops.alerts import spool
from atomops.errors import AtomOpsError
from atomops.facts.incidents import Signal
from atomops.humane import plural, size
from atomops.inventory import Target
from atomops.plans.signals import TARGET_LABEL as LABEL
from atomops.plans.signals import NotAlertmanagers, read_payload, target_of
from atomops.threads import beside

MOST_BYTES = 8 * 1024 * 1024  # thousands of alerts
PATH, HEALTH = "/alerts", "/healthz"
_AT_ONCE = 8  # payloads that are being written; more wait, which slows the sender down
_SHOWN = 200  # characters of a reason

log = logging.getLogger("atomops.alerts")


def application(targets: Sequence[Target], token: str) -> Starlette:
    """The receiver for all these targets; only whoever brings the token as a bearer is heard."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def alerts(request: Request) -> Response:
        if not _is_known(request, token):
            return _refused(request, 401, "the bearer token is missing or wrong")
        try:
            body = await _read(request)
        except ClientDisconnect:
            return _refused(request, 400, "the connection was closed before the body was whole")
        if body is None:
            return _refused(request, 413, f"more than {size(MOST_BYTES)}")
        try:
            signals = read_payload(body)
        except NotAlertmanagers as error:
            return _refused(request, 400, f"no payload of Alertmanager's webhook, version 4: {error}")
        async with room:
            return await _keep(request, signals, targets)

    routes = [Route(PATH, alerts, methods=["POST"]), Route(HEALTH, _healthy, methods=["GET"])]
    return Starlette(routes=routes)


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok")


def _is_known(request: Request, token: str) -> bool:
    """Compared in constant time, so that nobody can guess it letter by letter."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


async def _read(request: Request) -> bytes | None:
    """The body; None when it is too large, however long it says it is."""
    if int(request.headers.get("content-length", "0") or 0) > MOST_BYTES:
        return None
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)


async def _keep(request: Request, signals: Sequence[Signal], targets: Sequence[Target]) -> Response:
    mine: dict[str, list[Signal]] = {}
    strangers: list[Signal] = []
    for signal in signals:
        name = target_of(signal.every_label, targets)
        if name is None:
            strangers.append(signal)
        else:
            mine.setdefault(name, []).append(signal)
    by_name = {target.name: target for target in targets}
    try:
        for name, own in mine.items():
            await beside(lambda name=name, own=own: spool.keep(by_name[name], own))  # type: ignore[misc]
    except AtomOpsError as error:
        log.error("not kept, and to be sent again: %s", error)  # noqa: TRY400 - the error is told, not its trace
        return JSONResponse({"error": str(error)}, status_code=503)
    if strangers:
        names = ", ".join(dict.fromkeys(each.name for each in strangers))[:_SHOWN]
        log.warning("for no target of the inventory: %s (label %s, or alerts.match)", names, LABEL)
        if not mine:
            return _refused(request, 422, f"for no target of the inventory: {names}")
    kept = {name: len(own) for name, own in mine.items()}
    log.info("kept %s", ", ".join(f"{plural(number, 'alert')} for {name}" for name, number in kept.items()))
    return JSONResponse({"kept": kept, "for no target": len(strangers)})


def _refused(request: Request, status: int, reason: str) -> Response:
    sender = request.client.host if request.client else "somebody"
    log.warning("%s: refused with %d: %s", sender, status, reason[:_SHOWN])
    return JSONResponse({"error": reason[:_SHOWN]}, status_code=status)
