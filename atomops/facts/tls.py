"""What a TLS handshake showed."""

import datetime as dt
from dataclasses import dataclass

from atomops.verdict import Unseen


@dataclass(frozen=True)
class Certificate:
    """One certificate; times are UTC. `names` are the hosts and addresses that it is for."""

    subject: str
    issuer: str
    not_before: dt.datetime
    not_after: dt.datetime
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class TlsFacts:
    """The handshake with `host`. `distrust` and `wrong_name` are empty when the chain and the name are good.

    `sent` are the certificates that the server sent, the leaf first. `trusted` is the chain from the leaf to a root
    that we trust; it may leave out some that were sent, and it is unseen when there is none.
    """

    at: dt.datetime
    host: str
    port: int
    protocol: str
    distrust: str
    wrong_name: str
    leaf: Certificate
    sent: tuple[Certificate, ...] | Unseen
    trusted: tuple[Certificate, ...] | Unseen
