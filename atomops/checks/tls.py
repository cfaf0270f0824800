"""The certificate: reachable, trusted, for this host, and for how long."""

from atomops.facts.outcome import Outcome
from atomops.facts.tls import Certificate, TlsFacts
from atomops.registry import check
from atomops.verdict import Evidence, Reading, known

SECTION = "TLS"
_DAY = 86_400


@check("TLS-REACHABLE", section=SECTION, critical=1, unit="failures", source="operations guide")
def handshake(outcome: Outcome[TlsFacts]) -> Reading:
    """A handshake took place; an unreachable host has no expiry date, and is not "expired"."""
    return outcome.reachable("the TLS server")


@check("TLS-TRUSTED", section=SECTION, critical=1, unit="failures", source="operations guide")
def trusted(seen: TlsFacts) -> Reading:
    """The chain leads to an authority that this machine, or app.ca_file, trusts."""
    if seen.distrust:
        action = f"openssl s_client -connect {seen.host}:{seen.port} -showcerts; renew it, or send the intermediates"
        return Reading(1, f"the chain is not trusted: {seen.distrust}", action=action, evidence=_chain(seen))
    return Reading(0, f"the chain is trusted ({seen.protocol}, issued by {seen.leaf.issuer})", evidence=_chain(seen))


@check("TLS-HOSTNAME", section=SECTION, critical=1, unit="failures", source="operations guide")
def host_name(seen: TlsFacts) -> Reading:
    """The certificate is for the host that was asked."""
    if seen.wrong_name:
        return Reading(1, f"not for {seen.host}: {seen.wrong_name}", action="issue it for this name as well")
    return Reading(0, f"the certificate is for {seen.host}")


@check(
    "TLS-EXPIRY-LEAF",
    section=SECTION,
    warning=30,
    critical=7,
    worse="lower",
    unit="days",
    source="operations guide",
    trend="tls.days_left",
)
def leaf_expiry(seen: TlsFacts) -> Reading:
    """Days until the server's own certificate ends."""
    return _expiry(seen, seen.leaf, "the certificate")


@check(
    "TLS-EXPIRY-CHAIN", section=SECTION, warning=30, critical=7, worse="lower", unit="days", source="operations guide"
)
def chain_expiry(seen: TlsFacts) -> Reading:
    """Days until the first of all certificates that the server sends ends: an intermediate may go before the leaf."""
    first = min(known(seen.sent), key=lambda certificate: certificate.not_after)
    return _expiry(seen, first, f"the first to end of {len(known(seen.sent))} sent, {first.subject},")


@check("TLS-NOT-YET-VALID", section=SECTION, critical=1, unit="certificates", source="operations guide")
def not_yet_valid(seen: TlsFacts) -> Reading:
    """A certificate that begins in the future is refused now, or one of the clocks is wrong."""
    early = [certificate for certificate in known(seen.sent) if certificate.not_before > seen.at]
    if not early:
        return Reading(0, "every certificate has begun")
    return Reading(
        len(early), f"{early[0].subject} begins on {early[0].not_before:%Y-%m-%d %H:%M} UTC", action="check the clocks"
    )


def _expiry(seen: TlsFacts, certificate: Certificate, what: str) -> Reading:
    days = (certificate.not_after - seen.at).total_seconds() / _DAY
    when = f"{certificate.not_after:%Y-%m-%d %H:%M} UTC"
    told = f"ends in {days:.0f} days, on {when}" if days >= 0 else f"ended {-days:.0f} days ago, on {when}"
    return Reading(days, f"{what} {told}", action="renew it; then look whether the server was reloaded")


def _chain(seen: TlsFacts) -> Evidence:
    rows = ((each.subject, each.issuer, f"{each.not_after:%Y-%m-%d}") for each in known(seen.sent))
    return Evidence.of(("subject", "issuer", "ends"), rows)
