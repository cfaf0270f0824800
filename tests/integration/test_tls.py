import datetime as dt
from pathlib import Path

import pytest

from atomops.errors import BadAnswer, TimedOut, Unreachable
from atomops.probes.parts import TLS
from atomops.verdict import Finding, Level
from tests.authority import DAY, Issued, issue, tls_server, write
from tests.peers import Page, black_hole, http_server, refused_port
from tests.targets import findings, look, target

HOSTS = ("127.0.0.1", "localhost")


@pytest.fixture(scope="module")
def root() -> Issued:
    return issue("Test Root", is_authority=True, days=3650)


def seen(shown: Issued, root: Issued, folder: Path, host: str = "127.0.0.1") -> dict[str, Finding]:
    (folder / "root").mkdir()
    ca_file, _ = write(root, folder / "root")
    with tls_server(shown, folder) as port:
        at = target(app={"url": f"https://{host}:{port}", "ca_file": str(ca_file), "timeout": 2})
        return findings(TLS, look(TLS, at))


@pytest.mark.parametrize(
    ("days", "level"), [(90, Level.OK), (31, Level.OK), (29, Level.WARNING), (20, Level.WARNING), (6, Level.CRITICAL)]
)
def test_the_days_that_are_left_decide(root: Issued, tmp_path: Path, days: int, level: Level) -> None:
    found = seen(issue("leaf", root, days=days, hosts=HOSTS), root, tmp_path)
    assert found["TLS-EXPIRY-LEAF"].level is level
    assert found["TLS-TRUSTED"].level is Level.OK
    assert found["TLS-HOSTNAME"].level is Level.OK


def test_an_expired_certificate_is_expired_and_not_trusted_but_for_the_right_host(root: Issued, tmp_path: Path) -> None:
    found = seen(issue("leaf", root, days=-3, begins=-90 * DAY, hosts=HOSTS), root, tmp_path)
    assert found["TLS-EXPIRY-LEAF"].level is Level.CRITICAL
    assert "ended 3 days ago" in found["TLS-EXPIRY-LEAF"].summary
    assert "expired" in found["TLS-TRUSTED"].summary
    assert found["TLS-HOSTNAME"].level is Level.OK


def test_a_certificate_for_another_host_is_trusted_but_wrong(root: Issued, tmp_path: Path) -> None:
    found = seen(issue("leaf", root, hosts=("other.example.com",)), root, tmp_path, "localhost")
    assert found["TLS-TRUSTED"].level is Level.OK
    assert found["TLS-HOSTNAME"].level is Level.CRITICAL
    assert found["TLS-EXPIRY-LEAF"].level is Level.OK


def test_a_self_signed_certificate_is_not_trusted(root: Issued, tmp_path: Path) -> None:
    found = seen(issue("self", hosts=HOSTS), root, tmp_path)
    assert found["TLS-TRUSTED"].level is Level.CRITICAL
    assert "self-signed" in found["TLS-TRUSTED"].summary


def test_both_faults_at_once_are_told_apart(root: Issued, tmp_path: Path) -> None:
    found = seen(issue("self", hosts=("other.example.com",)), root, tmp_path)
    assert found["TLS-TRUSTED"].level is Level.CRITICAL
    assert "other.example.com" in found["TLS-HOSTNAME"].summary


def test_an_intermediate_that_ends_before_the_leaf_is_seen(root: Issued, tmp_path: Path) -> None:
    middle = issue("Middle", root, is_authority=True, days=5)
    leaf = issue("leaf", Issued(middle.certificate, middle.key, (middle.certificate,)), days=90, hosts=HOSTS)
    found = seen(Issued(leaf.certificate, leaf.key, (middle.certificate,)), root, tmp_path)
    assert found["TLS-EXPIRY-LEAF"].level is Level.OK
    assert found["TLS-EXPIRY-CHAIN"].level is Level.CRITICAL
    assert "Middle" in found["TLS-EXPIRY-CHAIN"].summary


def test_a_certificate_from_the_future_is_said_to_be_early(root: Issued, tmp_path: Path) -> None:
    found = seen(issue("leaf", root, begins=dt.timedelta(days=2), hosts=HOSTS), root, tmp_path)
    assert found["TLS-NOT-YET-VALID"].level is Level.CRITICAL
    assert "not yet valid" in found["TLS-TRUSTED"].summary


def test_a_server_that_is_not_there_does_not_expire() -> None:
    port = refused_port()
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port} refuses the connection"):
        look(TLS, target(app={"url": f"https://127.0.0.1:{port}"}))
    with black_hole() as port, pytest.raises(TimedOut, match=r"did not shake hands within 0\.5 s"):
        look(TLS, target(app={"url": f"https://127.0.0.1:{port}", "timeout": 0.5}))
    with http_server({"/": Page()}) as url, pytest.raises(BadAnswer, match="does not speak TLS"):
        look(TLS, target(app={"url": url.replace("http", "https"), "timeout": 2}))


def test_without_https_there_is_no_certificate_to_check() -> None:
    assert "without a certificate" in TLS.missing(target(app={"url": "http://x"}))
    assert "switched off" in TLS.missing(target(app={"url": "https://x", "tls": False}))
    assert not TLS.missing(target(app={"url": "https://x"}))
