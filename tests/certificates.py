"""Certificates of all kinds for TLS servers in tests, and the contexts that show them."""

import datetime as dt
import ipaddress
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_NUMBERS: Iterator[int] = count(1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key; `issuer` is None when it signed itself."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    issuer: "Pair | None" = None

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def authority(name: str = "Test CA", issuer: Pair | None = None, *, begin: float = -100, end: float = 1000) -> Pair:
    """A certificate that may sign others; without an issuer it is a root. Times are days from now."""
    return _signed(name, issuer, begin, end, x509.BasicConstraints(ca=True, path_length=None), ())


def leaf(
    issuer: Pair | None, *, names: tuple[str, ...] = ("127.0.0.1",), begin: float = -100, end: float = 100
) -> Pair:
    """A server's certificate for these names or addresses; without an issuer it is self-signed."""
    return _signed("Test server", issuer, begin, end, x509.BasicConstraints(ca=False, path_length=None), names)


def shown(folder: Path, *chain: Pair) -> ssl.SSLContext:
    """A server's context that sends these certificates, the leaf first."""
    key = chain[0].key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"server-{next(_NUMBERS)}.pem"
    path.write_bytes(key + b"".join(pair.pem for pair in chain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def _signed(  # noqa: PLR0913, PLR0917 - what differs between an authority and a leaf
    name: str, issuer: Pair | None, begin: float, end: float, basic: x509.BasicConstraints, names: tuple[str, ...]
) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(f"{name} {next(_NUMBERS)}")
    signer = issuer.key if issuer else key
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=begin))
        .not_valid_after(now + dt.timedelta(days=end))
        .add_extension(basic, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if basic.ca:
        builder = builder.add_extension(_may_sign(), critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(each) for each in names]), critical=False)
    return Pair(builder.sign(signer, hashes.SHA256()), key, issuer)


def _may_sign() -> x509.KeyUsage:
    signs = dict.fromkeys(("key_cert_sign", "crl_sign", "digital_signature"), True)
    others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    return x509.KeyUsage(**signs, **dict.fromkeys((*others, "encipher_only", "decipher_only"), False))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
