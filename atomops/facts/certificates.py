"""What the certificates of every configured host look like."""

import datetime as dt
from dataclasses import dataclass

from atomops.facts.tls import TlsFacts
from atomops.verdict import Unseen


@dataclass(frozen=True)
class HostCertificate:
    """One host as it is configured, and its handshake, or why there was none."""

    host: str
    seen: TlsFacts | Unseen


@dataclass(frozen=True)
class CertificateFacts:
    """Every host of the audit, in the order of the inventory."""

    at: dt.datetime
    hosts: tuple[HostCertificate, ...]
