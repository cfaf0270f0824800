import datetime as dt

from atomops.facts.certificates import CertificateFacts, HostCertificate
from atomops.facts.outcome import Outcome
from atomops.facts.tls import Certificate, TlsFacts
from atomops.registry import checks
from atomops.verdict import Finding, Unseen

AT = dt.datetime(2026, 11, 25, 7, 0, tzinfo=dt.UTC)
UNSEEN = Unseen("not visible with this Python")


def certificate(name: str, days: float) -> Certificate:
    return Certificate(name, "an authority", AT - dt.timedelta(days=1), AT + dt.timedelta(days=days))


def host(  # noqa: PLR0913 - what differs between hosts
    name: str, days: float, *, chain: float = 900, distrust: str = "", wrong_name: str = "", blind: bool = False
) -> HostCertificate:
    leaf = certificate(name, days)
    sent = UNSEEN if blind else (leaf, certificate("intermediate", chain))
    trusted = UNSEEN if distrust or blind else (leaf, certificate("intermediate", chain))
    return HostCertificate(name, TlsFacts(AT, name, 443, "TLSv1.3", distrust, wrong_name, leaf, sent, trusted))


def found(*hosts: HostCertificate) -> dict[str, Finding]:
    outcome = Outcome("certificates", 0.1, facts=CertificateFacts(AT, hosts))
    judged = (each.judge(outcome, None) for each in checks() if each.facts is CertificateFacts)
    return {each.code: each for each in judged if isinstance(each, Finding)}


def test_the_first_of_all_hosts_to_end_is_judged_and_every_one_is_followed() -> None:
    findings = found(host("a", 400), host("b", 20.5), host("c", 90, chain=3))
    leaf = findings["SEC-TLS-EXPIRY-LEAF"]
    assert (leaf.level, leaf.observed) == ("WARNING", 20.5)
    assert leaf.summary == "of 3 hosts the first to end is that of b, which ends in 20 days"
    assert leaf.series == {"a": 400, "b": 20.5, "c": 90}
    assert findings["SEC-TLS-EXPIRY-CHAIN"].level == "CRITICAL"
    assert findings["SEC-TLS-REACHABLE"].summary == "3 of 3 hosts completed a TLS handshake"


def test_what_has_ended_says_since_when_and_hours_are_no_days() -> None:
    assert found(host("a", -3, blind=True))["SEC-TLS-EXPIRY-CHAIN"].summary.endswith("which ended 3 days ago")
    assert found(host("a", 0.5))["SEC-TLS-EXPIRY-LEAF"].summary.endswith("which ends in 12 hours")


def test_trust_and_name_are_told_apart_and_by_host() -> None:
    findings = found(host("a", 400, distrust="self-signed certificate"), host("b", 400, wrong_name="it is for c"))
    assert findings["SEC-TLS-TRUSTED"].summary == "the certificate of a is not trusted: self-signed certificate"
    assert findings["SEC-TLS-HOSTNAME"].summary == "the certificate of b is not for that host: it is for c"
    assert findings["SEC-TLS-EXPIRY-LEAF"].level == "OK"


def test_an_unreachable_host_has_no_expiry_and_spoils_no_other() -> None:
    gone = HostCertificate("gone:443", Unseen("gone:443 refuses the connection", "is it running?"))
    findings = found(host("a", 400), gone)
    assert (findings["SEC-TLS-REACHABLE"].level, findings["SEC-TLS-REACHABLE"].observed) == ("CRITICAL", 1)
    assert findings["SEC-TLS-EXPIRY-LEAF"].level == "OK"
    assert found(gone)["SEC-TLS-EXPIRY-LEAF"].level == "UNKNOWN"
