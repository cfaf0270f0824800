"""The certificate of the application's address: a verified handshake, and one that describes what it found."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from atomops.errors import BadAnswer, NotThere, TimedOut, Unreachable
from atomops.facts.tls import Certificate, TlsFacts
from atomops.inventory import Target
from atomops.verdict import Unseen

_HTTPS = 443


async def look(target: Target) -> TlsFacts:
    """What the server shows, trusted or not. Raises Unreachable, TimedOut or BadAnswer when it shows nothing."""
    app = target.app
    host = urlsplit(app.url).hostname if app else None
    if app is None or host is None:
        raise NotThere(f"the target {target.name} has no application", action="add [targets.….app] to the inventory")
    port = urlsplit(app.url).port or _HTTPS
    name = (app.host_header or host).partition(":")[0]
    try:
        async with asyncio.timeout(app.timeout):
            distrust, wrong_name = await _verify(host, port, name, app.ca_file)
            protocol, chain = await _describe(host, port, name)
    except TimeoutError as error:
        raise TimedOut(
            f"{host}:{port} did not shake hands within {app.timeout:g} s", action="look whether it hangs"
        ) from error
    except ssl.SSLError as error:
        action = "http or https? look at the server's TLS settings"
        raise BadAnswer(f"{host}:{port} does not speak TLS: {error.reason or error}", action=action) from error
    except OSError as error:
        raise _unreachable(error, f"{host}:{port}") from error
    return TlsFacts(dt.datetime.now(dt.UTC), host, port, protocol, distrust, wrong_name, *_certificates(chain))


async def _verify(host: str, port: int, name: str, ca_file: Path | None) -> tuple[str, str]:
    """Why the chain is not trusted, and why the name does not fit: two questions, each "" when all is well."""
    strict = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    said = await _complaint(host, port, name, strict)
    if "Hostname mismatch" not in said and "IP address mismatch" not in said:
        return said, "" if not said else await _name_complaint(host, port, name)
    return "", said


async def _name_complaint(host: str, port: int, name: str) -> str:
    """With a chain that is not trusted OpenSSL does not get as far as the name; we compare it ourselves."""
    _, chain = await _describe(host, port, name)
    leaf = _certificate(x509.load_der_x509_certificate(chain[0]))
    return "" if _fits(name, leaf.names) else f"the certificate is for {', '.join(leaf.names) or leaf.subject}"


async def _complaint(host: str, port: int, name: str, context: ssl.SSLContext) -> str:
    try:
        await _shake_hands(host, port, name, context)
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    return ""


async def _describe(host: str, port: int, name: str) -> tuple[str, list[bytes]]:
    lax = ssl.create_default_context()
    lax.check_hostname = False
    lax.verify_mode = ssl.CERT_NONE
    lax.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    return await _shake_hands(host, port, name, lax)


async def _shake_hands(host: str, port: int, name: str, context: ssl.SSLContext) -> tuple[str, list[bytes]]:
    """The protocol, and the certificates that were sent (DER, the leaf first)."""
    _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=name)
    try:
        connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
        leaf = connection.getpeercert(binary_form=True)
        return connection.version() or "?", [leaf or b"", *_rest_of_chain(connection)]
    finally:
        writer.transport.abort()


def _rest_of_chain(connection: ssl.SSLObject) -> list[bytes]:
    """Public since Python 3.13; before that the same method sits one object deeper."""
    inner = getattr(connection, "_sslobj", None)
    method = getattr(connection, "get_unverified_chain", None) or getattr(inner, "get_unverified_chain", None)
    if method is None:
        return []
    chain = [part if isinstance(part, bytes) else part.public_bytes(2) for part in method() or ()]  # 2: DER
    return chain[1:]


def _certificates(chain: list[bytes]) -> tuple[Certificate, tuple[Certificate, ...] | Unseen]:
    sent = tuple(_certificate(x509.load_der_x509_certificate(part)) for part in chain if part)
    if not sent:
        raise BadAnswer("the server sent no certificate", action="look at the server's TLS settings")
    return sent[0], sent


def _certificate(certificate: x509.Certificate) -> Certificate:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        dns = names.get_values_for_type(x509.DNSName)
        addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    except x509.ExtensionNotFound:
        dns, addresses = [], []
    return Certificate(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        names=(*dns, *addresses),
    )


def _fits(name: str, names: tuple[str, ...]) -> bool:
    try:
        return str(ipaddress.ip_address(name)) in names
    except ValueError:
        parent = name.partition(".")[2]
        return name.lower() in {each.lower() for each in names} or f"*.{parent}".lower() in {
            each.lower() for each in names
        }


def _unreachable(error: OSError, where: str) -> Unreachable:
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return Unreachable(f"{where} refuses the connection", action="is it running, and on this port?")
    if "Name or service not known" in str(error) or "Temporary failure in name" in str(error):
        return Unreachable(f"{where} is a host that nobody knows", action="check app.url and the DNS")
    return Unreachable(f"{where} cannot be reached: {error}", action="look at the network")
