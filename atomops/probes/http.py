"""One bounded GET or POST: nobody's proxy, no redirects, a body of limited size, and errors that say what to do."""

import asyncio
import datetime as dt
import errno
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from atomops.errors import AtomOpsError, BadAnswer, PermanentError, TimedOut, Unreachable
from atomops.probes.names import resolve
from atomops.probes.trust import trusting

MOST_BYTES = 16 * 1024 * 1024  # a metrics page of a large application has a few
_CHECK_SETTINGS = "check the address and host_header"


@dataclass(frozen=True)
class Answer:
    """What a server answered. `latency` is the wall time in seconds until the whole body had come.

    `at` is our clock (UTC) when the headers came. `whole` is false when the body was longer than we cared to read.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    latency: float
    at: dt.datetime
    whole: bool


async def request(  # noqa: PLR0913 - each is a plain property of the request
    method: str,
    url: str,
    *,
    timeout: float,  # noqa: ASYNC109 - the bound of the whole request, which httpx has not
    headers: Mapping[str, str] | None = None,
    data: Mapping[str, str] | None = None,
    json: object = None,
    auth: tuple[str, str] | None = None,
    ca_file: Path | None = None,
) -> Answer:
    """The whole answer, whatever its status. Raises TimedOut, Unreachable or PermanentError, naming the server."""
    async with opened(url, ca_file=ca_file, timeout=timeout) as client:
        prepared = prepare(client, method, url, headers=headers, data=data, json=json)
        answer = await ask(client, prepared, timeout=timeout, auth=auth)
    if not answer.whole:
        raise BadAnswer(f"{_server(prepared.url)} answered more than {MOST_BYTES:,} bytes", action="check the path")
    return answer


@asynccontextmanager
async def opened(url: str, *, ca_file: Path | None, timeout: float) -> AsyncIterator[httpx.AsyncClient]:  # noqa: ASYNC109 - passed on
    """A client for requests to one server. Trusted certificates are read for https only: they take their time."""
    verify = trusting(ca_file) if url.startswith("https:") else False
    async with httpx.AsyncClient(verify=verify, timeout=timeout, trust_env=False, follow_redirects=False) as client:
        yield client


def prepare(  # noqa: PLR0913 - each is a plain property of the request
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    data: Mapping[str, str] | None = None,
    json: object = None,
) -> httpx.Request:
    """A request that has not been sent yet. Raises PermanentError when the address or a header cannot be sent."""
    try:
        return client.build_request(method, url, headers=headers, data=data, json=json)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise PermanentError(f"{url} cannot be asked: {error}", action=_CHECK_SETTINGS) from error


async def ask(
    client: httpx.AsyncClient,
    prepared: httpx.Request,
    *,
    timeout: float,  # noqa: ASYNC109 - the bound of the whole request, which httpx has not
    auth: tuple[str, str] | None = None,
    most_bytes: int = MOST_BYTES,
) -> Answer:
    """The answer, with as much of its body as `most_bytes` allows. Raises as `request` does."""
    where = _server(prepared.url)
    try:
        async with asyncio.timeout(timeout):
            await resolve(prepared.url.host)
            return await _exchange(client, prepared, auth, most_bytes)
    except (TimeoutError, httpx.TimeoutException) as error:
        if isinstance(error, TimedOut):
            raise
        raise TimedOut(f"{where} did not answer within {timeout:g} s", action="look whether it hangs") from error
    except httpx.HTTPError as error:
        raise _failure(error, where) from error


async def _exchange(
    client: httpx.AsyncClient, prepared: httpx.Request, auth: tuple[str, str] | None, most_bytes: int
) -> Answer:
    started = time.monotonic()
    response = await client.send(prepared, auth=auth, stream=True)
    try:
        at = dt.datetime.now(dt.UTC)
        body, whole = await _read(response, most_bytes)
    finally:
        await response.aclose()
    return Answer(response.status_code, response.headers, body, time.monotonic() - started, at, whole)


async def _read(response: httpx.Response, most_bytes: int) -> tuple[bytes, bool]:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > most_bytes:
            return bytes(body[:most_bytes]), False
    return bytes(body), True


def _failure(error: httpx.HTTPError, where: str) -> AtomOpsError:
    """What a person would say of it; httpx has one ConnectError for most of these."""
    said = " ".join(str(error).split())
    if "SSL" in said:
        return _tls_failure(said, where)
    if any(isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED for cause in _causes(error)):
        return Unreachable(f"{where} refuses the connection", action="is it running, and on this port?")
    if isinstance(error, httpx.LocalProtocolError):
        return PermanentError(f"{where} cannot be asked: {said}", action=_CHECK_SETTINGS)
    if not said or isinstance(error, httpx.ReadError) or "disconnected" in said or "peer closed" in said:
        return Unreachable(f"{where} closed the connection before its answer was whole", action="look at its log")
    if isinstance(error, httpx.DecodingError | httpx.RemoteProtocolError):
        return BadAnswer(f"{where} does not speak HTTP: {said}", action="check the address: who listens on this port?")
    return Unreachable(f"{where} cannot be reached: {said}", action="look at the network and its log")


def _tls_failure(said: str, where: str) -> PermanentError:
    """`said` is OpenSSL's, such as `[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)`."""
    reason = said.rpartition("certificate verify failed: ")[2].rpartition("] ")[2].partition(" (_ssl")[0]
    if "CERTIFICATE_VERIFY_FAILED" in said:
        action = "renew the certificate, or name its authority with ca_file"
        return PermanentError(f"{where} shows a certificate that is not trusted: {reason}", action=action)
    return PermanentError(f"{where} does not speak TLS as expected: {reason}", action="http or https?")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and all that led to it; a host with two addresses fails twice, in an exception group."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for part in error.exceptions:
                yield from _causes(part)
        error = error.__cause__ or error.__context__


def _server(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode()}"
