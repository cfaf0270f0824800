import ssl
from pathlib import Path

import pytest

from atomops.errors import AtomOpsError, BadAnswer, NotThere, PermanentError, TimedOut, Unreachable
from atomops.facts.tls import TlsFacts
from atomops.inventory import Target
from atomops.probes.parts import HEALTH, TLS
from atomops.verdict import Unseen
from tests.certificates import Pair, authority, leaf, shown
from tests.peers import Page, black_hole, http_server, refused_port, saying
from tests.targets import findings, target
from tests.targets import look as look_at

SECONDS = 120.0  # for who answers, but on a busy machine
OURS = authority()


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_bytes(OURS.pem)
    return path


def look(url: str, ca_file: Path | None = None) -> TlsFacts:
    facts = look_at(TLS, at(url, ca_file))
    assert isinstance(facts, TlsFacts)
    return facts


def at(url: str, ca_file: Path | None, timeout: float = SECONDS) -> Target:
    return target(app={"url": url, "ca_file": ca_file, "timeout": timeout})


def seen_of(ca_file: Path, *chain: Pair) -> TlsFacts:
    """What is seen of a server that sends this chain, our authority being trusted."""
    with http_server({}, shown(ca_file.parent, *chain)) as url:
        return look(url, ca_file)


def failure(url: str, ca_file: Path | None = None) -> AtomOpsError:
    with pytest.raises(AtomOpsError) as caught:
        look(url, ca_file)
    return caught.value


def levels(seen: TlsFacts) -> dict[str, str]:
    """The verdicts that are not OK."""
    return {code: finding.level.value for code, finding in findings(TLS, seen).items() if finding.level != "OK"}


def test_a_good_certificate_is_seen_with_its_whole_chain(ca_file: Path) -> None:
    intermediate = authority("Intermediate", OURS)
    seen = seen_of(ca_file, leaf(intermediate), intermediate)

    assert (seen.distrust, seen.wrong_name, seen.protocol) == ("", "", "TLSv1.3")
    assert seen.leaf.names == ("127.0.0.1",)
    assert isinstance(seen.sent, tuple)
    assert isinstance(seen.trusted, tuple)
    assert (len(seen.sent), len(seen.trusted)) == (2, 3)
    assert seen.trusted[2].subject == OURS.certificate.subject.rfc4514_string()
    assert levels(seen) == {}


@pytest.mark.parametrize(("days", "level"), [(90, None), (20, "WARNING"), (5, "CRITICAL")])
def test_a_leaf_that_ends_soon_is_told_in_time(ca_file: Path, days: int, level: str | None) -> None:
    seen = seen_of(ca_file, leaf(OURS, end=days))

    assert seen.distrust == ""
    assert levels(seen) == ({"TLS-EXPIRY-LEAF": level, "TLS-EXPIRY-CHAIN": level} if level else {})


def test_an_expired_leaf_is_described_though_nobody_trusts_it(ca_file: Path) -> None:
    seen = seen_of(ca_file, leaf(OURS, end=-3))

    assert seen.distrust == "certificate has expired"
    assert isinstance(seen.trusted, Unseen)
    bad = {"TLS-TRUSTED", "TLS-EXPIRY-LEAF", "TLS-EXPIRY-CHAIN"}
    assert levels(seen) == dict.fromkeys(bad, "CRITICAL")


def test_an_expired_leaf_with_a_wrong_name_is_both(ca_file: Path) -> None:
    seen = seen_of(ca_file, leaf(OURS, names=("other.example.com",), end=-3))

    assert seen.distrust == "certificate has expired"
    assert seen.wrong_name == "it is for other.example.com"


def test_a_leaf_that_is_not_valid_yet_is_told(ca_file: Path) -> None:
    seen = seen_of(ca_file, leaf(OURS, begin=2))

    assert seen.distrust == "certificate is not yet valid"
    assert levels(seen) == {"TLS-TRUSTED": "CRITICAL", "TLS-NOT-YET-VALID": "CRITICAL"}


def test_an_expired_intermediate_is_found_behind_a_good_leaf(ca_file: Path) -> None:
    intermediate = authority("Intermediate", OURS, end=-1)
    seen = seen_of(ca_file, leaf(intermediate), intermediate)

    assert seen.distrust == "certificate has expired"
    assert levels(seen) == {"TLS-TRUSTED": "CRITICAL", "TLS-EXPIRY-CHAIN": "CRITICAL"}


def test_a_missing_intermediate_is_not_trusted(ca_file: Path) -> None:
    seen = seen_of(ca_file, leaf(authority("Intermediate", OURS)))

    assert "unable to get local issuer certificate" in seen.distrust
    assert levels(seen) == {"TLS-TRUSTED": "CRITICAL"}


def test_an_expired_certificate_that_nobody_needs_only_warns(ca_file: Path) -> None:
    seen = seen_of(ca_file, leaf(OURS), authority("Old root", end=-30))

    assert seen.distrust == ""
    assert levels(seen) == {"TLS-EXPIRY-SENT": "WARNING"}


def test_a_certificate_for_another_host_is_trusted_but_not_for_us(ca_file: Path) -> None:
    seen = seen_of(ca_file, leaf(OURS, names=("atom.example.com", "*.example.com")))

    assert seen.distrust == ""
    assert seen.wrong_name == "it is for atom.example.com, *.example.com"
    assert levels(seen) == {"TLS-HOSTNAME": "CRITICAL"}


def test_a_certificate_without_any_name_is_told(ca_file: Path) -> None:
    assert seen_of(ca_file, leaf(OURS, names=())).wrong_name == "it names no host at all"


def test_a_host_name_is_sent_and_compared(ca_file: Path) -> None:
    asked: list[str | None] = []
    context = shown(ca_file.parent, leaf(OURS, names=("localhost",)))
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with http_server({}, context) as url:
        seen = look(url.replace("127.0.0.1", "localhost"), ca_file)

    assert asked == ["localhost"]
    assert levels(seen) == {}


def test_a_self_signed_certificate_is_not_trusted(ca_file: Path) -> None:
    seen = seen_of(ca_file, leaf(None))

    assert "self-signed certificate" in seen.distrust
    assert levels(seen) == {"TLS-TRUSTED": "CRITICAL"}


def test_a_self_signed_certificate_that_the_inventory_names_is_trusted(tmp_path: Path) -> None:
    own = leaf(None)
    path = tmp_path / "own.pem"
    path.write_bytes(own.pem)

    assert seen_of(path, own).distrust == ""


def test_without_a_ca_file_our_authority_is_not_trusted(tmp_path: Path) -> None:
    with http_server({}, shown(tmp_path, leaf(OURS))) as url:
        seen = look(url)

    assert seen.distrust != ""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_outdated_protocol_is_described(ca_file: Path) -> None:
    context = shown(ca_file.parent, leaf(OURS))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with http_server({}, context) as url:
        seen = look(url, ca_file)

    assert seen.protocol == "TLSv1.1"
    assert "protocol" in seen.distrust
    assert levels(seen) == {"TLS-TRUSTED": "CRITICAL"}


@pytest.mark.parametrize("body", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"-ERR unknown command\r\n"])
def test_a_server_without_tls_is_a_permanent_error(body: bytes) -> None:
    with saying(body) as port:
        error = failure(f"https://127.0.0.1:{port}")

    assert isinstance(error, BadAnswer)
    assert "does not speak TLS" in error.what


def test_a_web_server_without_tls_is_a_permanent_error() -> None:
    with http_server({"/": Page()}) as url:
        assert isinstance(failure(url.replace("http", "https")), BadAnswer)


def test_a_server_that_hangs_up_is_no_expired_certificate() -> None:
    with saying(b"") as port:
        error = failure(f"https://127.0.0.1:{port}")

    assert isinstance(error, Unreachable | BadAnswer)


def test_refused_is_unreachable() -> None:
    port = refused_port()
    error = failure(f"https://127.0.0.1:{port}")

    assert isinstance(error, Unreachable)
    assert str(error) == f"127.0.0.1:{port} refuses the connection: is it running, and on this port?"


def test_a_black_holed_server_ends_as_a_time_out() -> None:
    with black_hole() as port, pytest.raises(TimedOut, match="within 1 s"):
        look_at(TLS, at(f"https://127.0.0.1:{port}", None, timeout=1))


def test_an_unknown_host_is_named() -> None:
    assert "nosuch.invalid" in failure("https://nosuch.invalid").what


def test_a_ca_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    error = failure(f"https://127.0.0.1:{refused_port()}", tmp_path / "missing.pem")

    assert isinstance(error, NotThere)
    assert "missing.pem" in error.what


def test_without_https_there_is_no_certificate_to_check() -> None:
    assert "without a certificate" in TLS.missing(target(app={"url": "http://x"}))
    assert "switched off" in TLS.missing(target(app={"url": "https://x", "tls": False}))
    assert not TLS.missing(target(app={"url": "https://x"}))


def test_health_says_that_it_does_not_trust_the_certificate(ca_file: Path) -> None:
    context = shown(ca_file.parent, leaf(OURS, end=-3))
    with http_server({"/health/live": Page()}, context) as url, pytest.raises(PermanentError) as caught:
        look_at(HEALTH, at(url, ca_file))

    assert caught.value.what.endswith("shows a certificate that is not trusted: certificate has expired")


def test_health_trusts_the_ca_file(ca_file: Path) -> None:
    with http_server({"/health/live": Page(body=b"{}")}, shown(ca_file.parent, leaf(OURS))) as url:
        seen = look_at(HEALTH, at(url, ca_file))

    assert seen.live.problem == ""
