"""One bounded GET or POST: nobody's proxy, no redirects, a body of limited size, and errors that say what to do."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from atomops.errors import AtomOpsError, PermanentError, TimedOut, Unreachable

MOST_BYTES = 16 * 1024 * 1024  # a metrics page of a large application has a few


@dataclass(frozen=True)
class Answer:
    """What a server answered. `latency` is the wall time in seconds until the whole body had come."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    latency: float


async def request(  # noqa: PLR0913 - each is a plain property of the request
    method: str,
    url: str,
    *,
    timeout: float,  # noqa: ASYNC109 - the bound of the whole request, which httpx has not
    headers: Mapping[str, str] | None = None,
    data: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
    ca_file: Path | None = None,
) -> Answer:
    """The answer, whatever its status. Raises TimedOut, Unreachable or PermanentError, naming the server."""
    where = _server(url)
    try:
        async with asyncio.timeout(timeout), _client(url, ca_file, timeout) as client:
            started = time.monotonic()  # after the trusted certificates have been read
            async with client.stream(method, url, headers=headers, data=data, auth=auth) as response:
                body = await _read(response, where)
                return Answer(response.status_code, response.headers, body, time.monotonic() - started)
    except (TimeoutError, httpx.TimeoutException) as error:
        raise TimedOut(f"{where} did not answer within {timeout:g} s", action="look whether it hangs") from error
    except httpx.HTTPError as error:
        raise _transport_error(error, where) from error
    except (httpx.InvalidURL, ssl.SSLError, OSError) as error:
        raise PermanentError(f"{where} cannot be asked: {error}", action="check the address and ca_file") from error


def _client(url: str, ca_file: Path | None, timeout: float) -> httpx.AsyncClient:
    """Trusted certificates are read for https only: it takes longer than many an answer."""
    verify = ssl.create_default_context(cafile=str(ca_file) if ca_file else None) if url.startswith("https:") else False
    return httpx.AsyncClient(verify=verify, timeout=timeout, trust_env=False, follow_redirects=False)


async def _read(response: httpx.Response, where: str) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise PermanentError(f"{where} answered more than {MOST_BYTES:,} bytes", action="check the path")
    return b"".join(parts)


def _transport_error(error: httpx.HTTPError, where: str) -> AtomOpsError:
    said = " ".join(str(error).split()) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in said:
        action = "renew the certificate, or name its authority with ca_file"
        return PermanentError(f"{where} shows a certificate that is not trusted: {said}", action=action)
    if "SSL" in said:
        return PermanentError(f"{where} does not speak TLS as expected: {said}", action="http or https?")
    if "Connection refused" in said or "All connection attempts failed" in said:
        return Unreachable(f"{where} refuses the connection", action="is it running, and on this port?")
    if any(words in said for words in ("Name or service not known", "No address", "Temporary failure in name")):
        return Unreachable(f"{where} is a host that nobody knows", action="check the address and the DNS")
    if isinstance(error, httpx.RemoteProtocolError):
        return Unreachable(f"{where} closed the connection: {said}", action="look at its log")
    return Unreachable(f"{where} cannot be reached: {said}", action="look at the network and its log")


def _server(url: str) -> str:
    parts = httpx.URL(url)
    return f"{parts.scheme}://{parts.netloc.decode()}"
