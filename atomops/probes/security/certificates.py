"""The certificates of every configured host, PostgreSQL's among them, each by itself."""

import asyncio
import datetime as dt
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from atomops.facts.certificates import CertificateFacts, HostCertificate
from atomops.inventory import Target
from atomops.probes import tls
from atomops.probes.attempt import attempt

_AT_ONCE = 8
_POSTGRES, _HTTPS = 5432, 443


def configured(target: Target) -> tuple[str, ...]:
    """The hosts of the inventory; without any the application's own, where it is https."""
    if target.security.hosts:
        return target.security.hosts
    app = target.app
    return (app.url,) if app is not None and app.url.startswith("https://") else ()


async def look(target: Target) -> CertificateFacts:
    """Every host's handshake, or why there was none. Never raises for one of them."""
    places = asyncio.Semaphore(_AT_ONCE)
    ca_file = target.security.ca_file or (target.app.ca_file if target.app else None)

    async def one(host: str) -> HostCertificate:
        async with places:
            asked = tls.examine(_server(host, target), ca_file, target.security.timeout)
            return HostCertificate(host, await attempt(asked))

    hosts = await asyncio.gather(*map(one, configured(target)))
    return CertificateFacts(dt.datetime.now(dt.UTC), tuple(hosts))


def _server(host: str, target: Target) -> tls.Server:
    """A port without a scheme is PostgreSQL's when it is 5432, or that of the target's database."""
    parts = urlsplit(host if "://" in host else f"tls://{host}")
    is_postgres = parts.scheme.startswith("postgres") or (parts.scheme == "tls" and parts.port in _ports(target))
    return tls.Server(parts.hostname or "", parts.port or (_POSTGRES if is_postgres else _HTTPS), is_postgres)


def _ports(target: Target) -> set[int]:
    dsn = conninfo_to_dict(target.postgres.dsn) if target.postgres else {}
    return {_POSTGRES} | {int(port) for port in str(dsn.get("port") or "").split(",") if port.isdigit()}
