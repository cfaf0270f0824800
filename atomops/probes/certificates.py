"""X.509 certificates as a person reads them."""

import ipaddress

from cryptography import x509

from atomops.facts.tls import Certificate


def read(der: bytes) -> Certificate:
    """The certificate in these DER bytes. Raises ValueError when they are none."""
    certificate = x509.load_der_x509_certificate(der)
    return Certificate(
        subject=certificate.subject.rfc4514_string() or "a certificate without a subject",
        issuer=certificate.issuer.rfc4514_string(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        names=_names(certificate),
    )


def fits(host: str, names: tuple[str, ...]) -> bool:
    """One of the names is this host or address; `*.` stands for exactly one label (RFC 9525)."""
    try:
        return str(ipaddress.ip_address(host)) in names
    except ValueError:
        wanted = host.lower().rstrip(".")
        wildcard = f"*.{wanted.partition('.')[2]}"
        return any(name.lower() in {wanted, wildcard} for name in names)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = (str(address) for address in names.get_values_for_type(x509.IPAddress))
    return (*names.get_values_for_type(x509.DNSName), *addresses)
