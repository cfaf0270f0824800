"""The certificate of an address: a verified handshake, and others that describe why it failed."""

import asyncio
import datetime as dt
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from atomops.errors import AtomOpsError, BadAnswer, NotThere, TimedOut, Unreachable
from atomops.facts.tls import Certificate, TlsFacts
from atomops.inventory import Target
from atomops.probes.certificates import fits, read
from atomops.probes.names import resolve
from atomops.probes.trust import trusting
from atomops.verdict import Unseen

_HTTPS = 443
_DER = 2  # _ssl.ENCODING_DER
_SELDOM = "not visible with this Python: 3.13 or newer shows it"


_SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"  # PostgreSQL's protocol: eight bytes, code 80877103


@dataclass(frozen=True)
class Server:
    """Who is asked. A PostgreSQL server is asked for TLS first, in its own protocol."""

    host: str
    port: int
    is_postgres: bool = False

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class _Handshake:
    """One that was completed. Certificates are DER, the leaf first; None when Python does not show them."""

    protocol: str
    leaf: bytes
    sent: tuple[bytes, ...] | None
    trusted: tuple[bytes, ...] | None


async def look(target: Target) -> TlsFacts:
    """What the server shows, trusted or not. Raises Unreachable, TimedOut or BadAnswer when it shows nothing."""
    app = target.app
    if app is None:
        raise NotThere(f"the target {target.name} has no application", action="add [targets.….app] to the inventory")
    parts = urlsplit(app.url)
    return await examine(Server(parts.hostname or "", parts.port or _HTTPS), app.ca_file, app.timeout)


async def examine(server: Server, ca_file: Path | None, seconds: float) -> TlsFacts:
    """What that server shows, within so many seconds. Raises as `look` does, and NotThere when it offers no TLS."""
    where = str(server)
    try:
        async with asyncio.timeout(seconds):
            await resolve(server.host)
            return await _examine(server, ca_file)
    except AtomOpsError:
        raise
    except TimeoutError as error:
        what = f"{where} did not complete a TLS handshake within {seconds:g} s"
        raise TimedOut(what, action="look at the firewall, and whether the server hangs") from error
    except ssl.SSLError as error:
        action = "http or https in app.url? else look at the server's TLS settings"
        raise BadAnswer(f"{where} does not speak TLS as expected: {_reason(error)}", action=action) from error
    except OSError as error:
        raise _unreachable(error, where) from error


async def _examine(server: Server, ca_file: Path | None) -> TlsFacts:
    """One handshake when all is well. Else the chain is tried without the name, and then without trust."""
    try:
        return _facts(server, await _shake_hands(server, trusting(ca_file)))
    except ssl.SSLError as error:
        complaint = error
    try:
        seen = await _shake_hands(server, _nameless(ca_file))
    except ssl.SSLError as error:
        seen = await _shake_hands(server, _trusting_anybody())
        return _facts(server, seen, distrust=_reason(error), wrong_name=_name_problem(server, seen))
    return _facts(server, seen, wrong_name=_name_problem(server, seen) or _reason(complaint))


def _facts(server: Server, seen: _Handshake, *, distrust: str = "", wrong_name: str = "") -> TlsFacts:
    try:
        return TlsFacts(
            at=dt.datetime.now(dt.UTC),
            host=server.host,
            port=server.port,
            protocol=seen.protocol,
            distrust=distrust,
            wrong_name=wrong_name,
            leaf=read(seen.leaf),
            sent=Unseen(_SELDOM) if seen.sent is None else tuple(map(read, seen.sent)),
            trusted=_trusted(seen, distrust),
        )
    except ValueError as error:
        what = f"{server.host}:{server.port} shows a certificate that cannot be read: {error}"
        raise BadAnswer(what, action=f"openssl s_client -connect {server.host}:{server.port} -showcerts") from error


def _trusted(seen: _Handshake, distrust: str) -> tuple[Certificate, ...] | Unseen:
    if distrust:
        return Unseen(f"no chain leads to an authority that we trust: {distrust}", "see TLS-TRUSTED")
    return Unseen(_SELDOM) if seen.trusted is None else tuple(map(read, seen.trusted))


def _name_problem(server: Server, seen: _Handshake) -> str:
    """OpenSSL does not get as far as the name when it does not trust the chain, so the name is compared here."""
    names = read(seen.leaf).names
    if fits(server.host, names):
        return ""
    return f"it is for {', '.join(names)}" if names else "it names no host at all"


def _nameless(ca_file: Path | None) -> ssl.SSLContext:
    context = trusting(ca_file)
    context.check_hostname = False
    return context


def _trusting_anybody() -> ssl.SSLContext:
    """To describe what a server shows, however old its protocol; nothing is ever sent over it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


async def _shake_hands(server: Server, context: ssl.SSLContext) -> _Handshake:
    if server.is_postgres:
        writer = await _start_tls(server, context)
    else:
        _, writer = await asyncio.open_connection(server.host, server.port, ssl=context, server_hostname=server.host)
    try:
        connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
        return _Handshake(
            protocol=connection.version() or "?",
            leaf=connection.getpeercert(binary_form=True) or b"",
            sent=_chain(connection, "get_unverified_chain"),
            trusted=_chain(connection, "get_verified_chain") if context.verify_mode else None,
        )
    finally:
        writer.transport.abort()


async def _start_tls(server: Server, context: ssl.SSLContext) -> asyncio.StreamWriter:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        writer.write(_SSL_REQUEST)
        _only_if_willing(await reader.read(1), server)
        await writer.start_tls(context, server_hostname=server.host)
    except BaseException:
        writer.transport.abort()
        raise
    return writer


def _only_if_willing(answer: bytes, server: Server) -> None:
    if answer == b"N":
        action = "ALTER SYSTEM SET ssl = on; with ssl_cert_file and ssl_key_file"
        raise NotThere(f"{server} offers no TLS", action=action)
    if answer != b"S":
        action = "write https:// before it in security.hosts, if it is no PostgreSQL"
        raise BadAnswer(f"{server} does not answer as PostgreSQL does", action=action)


def _chain(connection: ssl.SSLObject, method: str) -> tuple[bytes, ...] | None:
    """Public since Python 3.13; before that the same method sits one object deeper, and gives objects, not bytes."""
    ask = getattr(connection, method, None) or getattr(getattr(connection, "_sslobj", None), method, None)
    chain = ask() if ask else None
    return tuple(part if isinstance(part, bytes) else part.public_bytes(_DER) for part in chain) if chain else None


def _reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return (error.reason or str(error)).replace("_", " ").lower()


def _unreachable(error: OSError, where: str) -> Unreachable:
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return Unreachable(f"{where} refuses the connection", action="is it running, and on this port?")
    if isinstance(error, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
        action = "look at its log; http or https in app.url?"
        return Unreachable(f"{where} closes the connection during the handshake", action=action)
    return Unreachable(f"{where} cannot be reached: {error.strerror or error}", action="look at the network")
