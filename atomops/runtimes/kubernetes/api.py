"""Requests to the API server: each bounded in time, tried again while that may help, refused with words that help."""

import asyncio
import contextlib
import json
import random
import threading
import time
from collections.abc import Mapping
from urllib.parse import urlencode

import urllib3
from kubernetes.client import ApiClient, ApiException
from kubernetes.config import ConfigException

from atomops.errors import AccessDenied, AtomOpsError, BadAnswer, TimedOut, Unreachable
from atomops.humane import span
from atomops.inventory import Kubernetes
from atomops.runtimes.kubernetes.access import open_client
from atomops.runtimes.kubernetes.calls import RETRIED, Answer, Call, Json, refusal
from atomops.threads import beside

MANAGER = "atomops"  # whose change it is, in an object's managedFields
_PAGE = 500  # objects of one answer to a list
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0  # seconds between two tries
_FAULTS = 5  # answers 500 in a row: a webhook that fails will fail again
_UNAUTHORIZED, _GONE, _FAULT, _BAD = 401, 410, 500, 400
_APPLY = "application/apply-patch+yaml"  # of which JSON is a part
_JSON_PATCH, _STRATEGIC = "application/json-patch+json", "application/strategic-merge-patch+json"


class Api:
    """The API server of one cluster. `until` of each call is when (time.monotonic) trying again ends.

    Raises AtomOpsErrors only: Unreachable when nobody answered until then, AccessDenied, NotThere, Conflict, ...
    """

    def __init__(self, settings: Kubernetes) -> None:
        self._settings = settings
        self._client: ApiClient | None = None
        self._opening = threading.Lock()
        self.server = "the API server"  # its address, once it was asked

    async def get(self, call: Call, *, until: float) -> Json:
        """One object."""
        return self._object(call, await self._ask("GET", call, until=until))

    async def patch(self, call: Call, body: Json | list[Json], *, until: float) -> Json:
        """The object after a strategic merge patch, or after a JSON patch when the body is a list."""
        return self._object(call, await self._ask("PATCH", call, {"fieldManager": MANAGER}, until=until, body=body))

    async def apply(self, call: Call, document: Json, *, until: float, force: bool, dry_run: bool) -> Json:
        """The object after a server-side apply, which creates it where it is not there; in a dry run as it would be.

        Raises Conflict, with the fields in its message, where another manager set one to another value; never with
        `force`, which takes such a field over.
        """
        query = {"fieldManager": MANAGER, "force": str(force).lower()} | ({"dryRun": "All"} if dry_run else {})
        return self._object(call, await self._ask("PATCH", call, query, until=until, body=json.dumps(document)))

    async def delete(self, call: Call, body: Json, *, until: float) -> None:
        """The object is on its way out."""
        await self._ask("DELETE", call, until=until, body=body)

    async def items(self, call: Call, query: Mapping[str, str], *, until: float) -> list[Json]:
        """Every object of a list, page by page."""
        found: list[Json] = []
        token = ""
        while True:
            page = {**query, "limit": str(_PAGE)} | ({"continue": token} if token else {})
            answer = await self._ask("GET", call, page, until=until, passed=(_GONE,))
            if answer.status == _GONE and token:  # the list's snapshot is no longer kept: begin again
                found, token = [], ""
                continue
            body = self._object(call, answer)
            found += body.get("items") or []
            token = (body.get("metadata") or {}).get("continue") or ""
            if not token:
                return found

    async def text(self, call: Call, query: Mapping[str, str], *, until: float) -> Answer:
        """The answer to a question for text; one of status 400 is an answer too: a container without a log."""
        return await self._ask("GET", call, query, until=until, passed=(_BAD,))

    def _object(self, call: Call, answer: Answer) -> Json:
        body = answer.json
        if answer.status >= _BAD or not isinstance(body, dict):
            raise refusal(call, answer, self.server)
        return body

    async def _ask(  # noqa: PLR0913 - each is a plain property of the request
        self,
        method: str,
        call: Call,
        query: Mapping[str, str] | None = None,
        *,
        until: float,
        body: Json | list[Json] | str | None = None,
        passed: tuple[int, ...] = (),
    ) -> Answer:
        tries, is_renewed = _Tries(until), False
        while True:
            try:
                answer = await self._once(method, call, query or {}, body)
            except (Unreachable, TimedOut) as error:
                await tries.again(error)
                continue
            if answer.status < _BAD or answer.status in passed:
                return answer
            if answer.status == _UNAUTHORIZED and not is_renewed:
                self._client, is_renewed = None, True  # an exec plugin or a token file may have a newer one
                continue
            await tries.again(refusal(call, answer, self.server), answer)

    async def _once(self, method: str, call: Call, query: Mapping[str, str], body: object) -> Answer:
        limit = 2 * self._settings.timeout + 1  # an answer that drips, or an exec plugin that hangs
        try:
            return await asyncio.wait_for(beside(lambda: self._send(method, call, query, body)), limit)
        except TimeoutError as error:
            raise self._timed_out(call) from error

    def _timed_out(self, call: Call) -> TimedOut:
        return TimedOut(
            f"{self.server} did not answer {call} within {span(self._settings.timeout)}",
            action="look at the API server",
        )

    def _send(self, method: str, call: Call, query: Mapping[str, str], body: object) -> Answer:
        """Blocks."""
        client = self._opened()
        url = client.configuration.host.rstrip("/") + call.path + (f"?{urlencode(query)}" if query else "")
        try:
            response = client.rest_client.request(  # type: ignore[no-untyped-call]
                method,
                url,
                headers=_headers(client, body, method),
                body=body,
                _request_timeout=(self._settings.timeout, self._settings.timeout),  # to connect, and of silence
            )
            data = response.read()
        except (ConnectionError, urllib3.exceptions.HTTPError, ApiException) as error:
            raise self._explained(error, call) from error
        except ConfigException as error:  # a token that has expired, and cannot be renewed
            raise AccessDenied(f"no credentials for {self.server}: {error}", action="log in again") from error
        return Answer(response.status, data or b"", _seconds(response.getheader("Retry-After")))

    def _opened(self) -> ApiClient:
        with self._opening:
            if self._client is None:
                self._client = open_client(self._settings)
                self.server = str(self._client.configuration.host)
            return self._client

    def _explained(self, error: Exception, call: Call) -> AtomOpsError:
        said = " ".join(str(error).split())
        is_refused = isinstance(error, urllib3.exceptions.NewConnectionError)  # which is a time-out, to urllib3
        if isinstance(error, urllib3.exceptions.TimeoutError) and not is_refused:
            return self._timed_out(call)
        if "CERTIFICATE_VERIFY_FAILED" in said or "doesn't match" in said:
            return BadAnswer(
                f"{self.server} shows a certificate that is not trusted: {said}",
                action="check certificate-authority and server in the kubeconfig",
            )
        return Unreachable(
            f"{self.server} does not answer: {said}", action="is the API server up, and the address right?"
        )


class _Tries:
    """The tries of one request; time.monotonic() tells when `until` is."""

    def __init__(self, until: float) -> None:
        self._until, self._begun = until, time.monotonic()
        self._pause, self._faults, self._number = _FIRST_PAUSE, 0, 0

    async def again(self, problem: AtomOpsError, answer: Answer | None = None) -> None:
        """Returns when the next try is due. Raises the problem when there is no use in one, or no time left."""
        status = answer.status if answer else 0
        self._number += 1
        self._faults = self._faults + 1 if status == _FAULT else 0
        if (answer and status not in RETRIED) or self._faults >= _FAULTS:
            raise problem
        wait = self._pause * random.uniform(0.75, 1.25)  # noqa: S311 - so that several of us do not ask in step
        wait = max(wait, answer.retry_after or 0) if answer else wait
        now = time.monotonic()
        if now + wait >= self._until:
            raise problem if self._number == 1 else _given_up(problem, now - self._begun)
        await asyncio.sleep(wait)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)


def _given_up(problem: AtomOpsError, seconds: float) -> Unreachable:
    return Unreachable(f"{problem.what}, and so for {span(seconds)}", action=problem.action)


def _headers(client: ApiClient, body: object, method: str) -> dict[str, str]:
    headers = {"Accept": "application/json, */*", "User-Agent": MANAGER}
    for setting in client.configuration.auth_settings().values():
        if setting["value"]:
            headers[setting["key"]] = setting["value"].strip()
    if body is not None:
        patch_type = _JSON_PATCH if isinstance(body, list) else _APPLY if isinstance(body, str) else _STRATEGIC
        headers["Content-Type"] = patch_type if method == "PATCH" else "application/json"
    return headers


def _seconds(retry_after: str | None) -> float | None:
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, float(retry_after or ""))
    return None
