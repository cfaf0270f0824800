"""Against real TLS servers, a PostgreSQL with TLS and one without."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from atomops.facts.certificates import CertificateFacts
from atomops.facts.tls import TlsFacts
from atomops.probes.parts import CERTIFICATES
from atomops.scratch.place import own_folder, server_user
from atomops.scratch.postgres import PostgresServer
from atomops.verdict import Unseen
from tests.certificates import authority, leaf, shown
from tests.peers import black_hole, http_server, refused_port, saying
from tests.postgres_servers import postgres_server
from tests.targets import findings, look, target

OURS = authority()
SECONDS = 120.0  # for who answers, but on a busy machine


@pytest.fixture(scope="module")
def encrypted(server_folder: Path) -> Iterator[PostgresServer]:
    """A PostgreSQL whose certificate ends in five days."""
    pair = leaf(OURS, end=5)
    folder = own_folder(server_folder, "postgres-tls")
    key = pair.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for name, text in (("server.crt", pair.pem), ("server.key", key)):
        (folder / name).write_bytes(text)
        (folder / name).chmod(0o600)
        if (user := server_user()) is not None:
            shutil.chown(folder / name, user)
    settings = {"ssl": "on", "ssl_cert_file": f"{folder}/server.crt", "ssl_key_file": f"{folder}/server.key"}
    with ExitStack() as stack:
        yield stack.enter_context(postgres_server(13, server_folder, settings=settings))


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_bytes(OURS.pem)
    return path


def seen_of(ca_file: Path, *hosts: str, seconds: float = SECONDS, dsn: str = "postgresql://a/b") -> CertificateFacts:
    security = {"hosts": hosts, "ca_file": ca_file, "timeout": seconds}
    facts = look(CERTIFICATES, target(security=security, postgres={"dsn": dsn}))
    assert isinstance(facts, CertificateFacts)
    return facts


def test_every_host_is_judged_postgres_by_its_own_protocol(ca_file: Path, encrypted: PostgresServer) -> None:
    with http_server({}, shown(ca_file.parent, leaf(OURS, end=200))) as url:
        place = f"127.0.0.1:{encrypted.port}"
        seen = seen_of(ca_file, url.removeprefix("https://"), place, f"postgresql://{place}", dsn=encrypted.dsn())
    assert [type(each.seen) for each in seen.hosts] == [TlsFacts] * 3
    levels = {code: str(finding.level) for code, finding in findings(CERTIFICATES, seen).items()}
    assert levels == {
        "SEC-TLS-REACHABLE": "OK",
        "SEC-TLS-TRUSTED": "OK",
        "SEC-TLS-HOSTNAME": "OK",
        "SEC-TLS-EXPIRY-LEAF": "CRITICAL",
        "SEC-TLS-EXPIRY-CHAIN": "CRITICAL",
    }


def test_a_host_that_shows_nothing_says_why_and_spoils_no_other(ca_file: Path, postgres: PostgresServer) -> None:
    context = shown(ca_file.parent, leaf(OURS))
    with black_hole() as silent, saying(b"-ERR unknown command\r\n") as redis, http_server({}, context) as url:
        places = (
            url,
            f"127.0.0.1:{refused_port()}",
            f"127.0.0.1:{silent}",
            f"postgresql://127.0.0.1:{postgres.port}",
            f"postgres://127.0.0.1:{redis}",
            "no-such-host.invalid:443",
        )
        seen = seen_of(ca_file, *places, seconds=3)
    assert isinstance(seen.hosts[0].seen, TlsFacts)
    reasons = [each.seen.reason for each in seen.hosts[1:] if isinstance(each.seen, Unseen)]
    for reason, words in zip(
        reasons,
        (
            "refuses the connection",
            "did not complete",
            "offers no TLS",
            "does not answer as PostgreSQL",
            "no-such-host",
        ),
        strict=True,
    ):
        assert words in reason
    assert findings(CERTIFICATES, seen)["SEC-TLS-REACHABLE"].observed == 5


def test_the_application_is_the_default_and_needs_to_be_https() -> None:
    assert CERTIFICATES.missing(target(app={"url": "http://atom.example.com"})).startswith("not configured")
    assert not CERTIFICATES.missing(target(app={"url": "https://atom.example.com"}))
    assert CERTIFICATES.missing(target())
