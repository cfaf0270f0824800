import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from atomops.facts.outcome import Outcome
from atomops.facts.tls import Certificate, TlsFacts
from atomops.probes.certificates import fits
from atomops.registry import checks
from atomops.verdict import Finding, Gap, Level, Unseen

NOW = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)


def certificate(name: str, days: float, begin: float = -10) -> Certificate:
    return Certificate(
        f"CN={name}", "CN=Some CA", NOW + dt.timedelta(days=begin), NOW + dt.timedelta(days=days), ("atom.example.com",)
    )


LEAF, INTERMEDIATE, ROOT = certificate("atom", 60), certificate("R1", 400), certificate("Root", 4000)
WELL = TlsFacts(
    at=NOW,
    host="atom.example.com",
    port=443,
    protocol="TLSv1.3",
    distrust="",
    wrong_name="",
    leaf=LEAF,
    sent=(LEAF, INTERMEDIATE),
    trusted=(LEAF, INTERMEDIATE, ROOT),
)
CODES = [each.code for each in checks() if each.facts is TlsFacts]


def judged(code: str, seen: TlsFacts) -> Finding | Gap:
    check = next(each for each in checks() if each.code == code)
    return check.judge(Outcome("tls", 0.01, facts=seen), None)


def found(code: str, seen: TlsFacts) -> Finding:
    finding = judged(code, seen)
    assert isinstance(finding, Finding)
    return finding


def ending(days: float) -> TlsFacts:
    leaf = certificate("atom", days)
    return replace(WELL, leaf=leaf, sent=(leaf, INTERMEDIATE), trusted=(leaf, INTERMEDIATE, ROOT))


def test_a_good_certificate_is_ok_throughout() -> None:
    findings = [judged(code, WELL) for code in CODES]

    assert len(CODES) == 7
    assert {each.level for each in findings if isinstance(each, Finding)} == {Level.OK}
    assert [each.reason for each in findings if isinstance(each, Gap)] == [
        "spare certificates: the server sends only what TLS-EXPIRY-CHAIN judges"
    ]


def test_an_unreachable_server_is_not_expired() -> None:
    nobody = Outcome[TlsFacts]("tls", 5, unseen=Unseen("atom:443 refuses the connection", "is it running?"))
    found = {each.code: each.judge(nobody, None) for each in checks() if each.facts is TlsFacts}
    levels = {code: finding.level for code, finding in found.items() if isinstance(finding, Finding)}

    assert levels.pop("TLS-REACHABLE") is Level.CRITICAL
    assert len(levels) == 6
    assert set(levels.values()) == {Level.UNKNOWN}
    assert not any("end" in finding.summary for finding in found.values() if isinstance(finding, Finding))


@pytest.mark.parametrize(
    ("days", "level", "words"),
    [
        (90.5, "OK", "ends in 90 days, on 2027-02-22 21:00 UTC"),
        (30, "OK", "ends in 30 days"),
        (29.99, "WARNING", "ends in 29 days"),
        (7, "WARNING", "ends in 7 days"),
        (6.99, "CRITICAL", "ends in 6 days"),
        (0.5, "CRITICAL", "ends in 12 hours"),
        (-2, "CRITICAL", "ended 2 days ago"),
    ],
)
def test_the_days_left_of_the_leaf_are_judged(days: float, level: str, words: str) -> None:
    finding = found("TLS-EXPIRY-LEAF", ending(days))

    assert finding.level == level
    assert finding.observed == pytest.approx(days)
    assert words in finding.summary


@given(st.floats(-4000, 4000), st.floats(-4000, 4000))
def test_fewer_days_never_get_a_better_level(one: float, other: float) -> None:
    sooner, later = sorted((one, other))

    assert found("TLS-EXPIRY-LEAF", ending(sooner)).level.rank >= found("TLS-EXPIRY-LEAF", ending(later)).level.rank


def test_an_intermediate_that_ends_before_the_leaf_is_judged_and_named() -> None:
    old = certificate("R1", 3)
    finding = found("TLS-EXPIRY-CHAIN", replace(WELL, sent=(LEAF, old), trusted=(LEAF, old, ROOT)))

    assert finding.level is Level.CRITICAL
    assert finding.summary.startswith("of 3 certificates the first to end, CN=R1, ends in 3 days")


def test_without_trust_the_chain_is_what_was_sent() -> None:
    ended = replace(WELL, sent=(LEAF, certificate("R1", -3)), trusted=Unseen("expired"), distrust="expired")
    blind = replace(ended, sent=Unseen("not visible"))

    assert found("TLS-EXPIRY-CHAIN", ended).level is Level.CRITICAL
    assert found("TLS-EXPIRY-CHAIN", blind).level is Level.UNKNOWN
    assert found("TLS-EXPIRY-LEAF", blind).level is Level.OK


def test_a_spare_certificate_that_has_ended_only_warns() -> None:
    spare = replace(WELL, sent=(LEAF, INTERMEDIATE, certificate("Old root", -100)))

    assert found("TLS-EXPIRY-CHAIN", spare).level is Level.OK
    finding = found("TLS-EXPIRY-SENT", spare)
    assert finding.level is Level.WARNING
    assert finding.summary.startswith("sent without need, CN=Old root ended 3 months and 8 days ago")


def test_a_chain_that_is_not_trusted_is_critical_with_its_reason() -> None:
    finding = found("TLS-TRUSTED", replace(WELL, distrust="self-signed certificate"))

    assert finding.level is Level.CRITICAL
    assert "atom.example.com:443 is not trusted: self-signed certificate" in finding.summary
    assert "openssl s_client -connect atom.example.com:443" in finding.action
    assert finding.evidence is not None
    assert len(finding.evidence.rows) == 2


def test_a_wrong_name_is_told_apart_from_the_chain() -> None:
    wrong = replace(WELL, wrong_name="it is for other.example.com")

    assert found("TLS-TRUSTED", wrong).level is Level.OK
    finding = found("TLS-HOSTNAME", wrong)
    assert finding.level is Level.CRITICAL
    assert finding.summary == "the certificate is not for atom.example.com: it is for other.example.com"


def test_a_certificate_that_begins_tomorrow_is_critical() -> None:
    early = certificate("atom", 60, begin=1)
    finding = found("TLS-NOT-YET-VALID", replace(WELL, leaf=early, sent=(early, INTERMEDIATE)))

    assert (finding.level, finding.observed) == (Level.CRITICAL, 1)
    assert finding.summary == "CN=atom is valid only in 1 day, from 2026-11-25 09:00 UTC"
    assert found("TLS-NOT-YET-VALID", replace(WELL, leaf=early, sent=Unseen("x"))).level is Level.CRITICAL


@pytest.mark.parametrize(
    ("host", "names", "good"),
    [
        ("atom.example.com", ("atom.example.com",), True),
        ("ATOM.example.com.", ("Atom.Example.com",), True),
        ("atom.example.com", ("*.example.com",), True),
        ("a.b.example.com", ("*.example.com",), False),
        ("example.com", ("*.example.com",), False),
        ("atom.example.com", ("other.example.com", "*.example.org"), False),
        ("atom.example.com", (), False),
        ("127.0.0.1", ("127.0.0.1",), True),
        ("127.0.0.1", ("*.0.0.1",), False),
        ("::1", ("::1",), True),
    ],
)
def test_a_name_fits_as_browsers_see_it(host: str, names: tuple[str, ...], good: bool) -> None:  # noqa: FBT001 - a case
    assert fits(host, names) is good


def test_the_facts_survive_being_kept() -> None:
    adapter = TypeAdapter(TlsFacts)
    dark = replace(WELL, sent=Unseen("a"), trusted=Unseen("b", "c"), distrust="d", wrong_name="e")

    assert all(adapter.validate_json(adapter.dump_json(facts)) == facts for facts in (WELL, dark))
