"""The certificate: reachable, trusted, for this host, and for how long."""

import math

from atomops.facts.outcome import Outcome
from atomops.facts.tls import Certificate, TlsFacts
from atomops.humane import plural, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, Reading, Unseen, known

SECTION = "TLS"
_GUIDE = "operations guide"
_DAY = 86_400
_RENEW = "renew it, then look whether the server was reloaded"


@check("TLS-REACHABLE", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def handshake(outcome: Outcome[TlsFacts]) -> Reading:
    """A handshake took place; an unreachable host has no expiry date, and is not "expired"."""
    return outcome.reachable("the TLS server")


@check("TLS-TRUSTED", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def trusted(seen: TlsFacts) -> Reading:
    """The chain leads to an authority that this machine, or app.ca_file, trusts."""
    if seen.distrust:
        return Reading(
            1,
            f"{_server(seen)} is not trusted: {seen.distrust} ({seen.protocol}, issued by {seen.leaf.issuer})",
            action=f"{_show(seen)}; renew it, send the intermediates, or name its authority in app.ca_file",
            evidence=_chain(seen),
        )
    return Reading(0, f"trusted ({seen.protocol}, issued by {seen.leaf.issuer})", evidence=_chain(seen))


@check("TLS-HOSTNAME", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def host_name(seen: TlsFacts) -> Reading:
    """The certificate is for the host that was asked, whether or not its chain is trusted."""
    if seen.wrong_name:
        action = f"issue it for {seen.host} as well, or put a name that it has into app.url"
        return Reading(1, f"the certificate is not for {seen.host}: {seen.wrong_name}", action=action)
    return Reading(0, f"the certificate is for {seen.host}")


@check(
    "TLS-EXPIRY-LEAF",
    section=SECTION,
    warning=30,
    critical=7,
    worse="lower",
    unit="days",
    source=_GUIDE,
    trend="tls.days_left",
)
def leaf_expiry(seen: TlsFacts) -> Reading:
    """Days until the server's own certificate ends."""
    return _expiry(seen, seen.leaf, "the certificate")


@check("TLS-EXPIRY-CHAIN", section=SECTION, warning=30, critical=7, worse="lower", unit="days", source=_GUIDE)
def chain_expiry(seen: TlsFacts) -> Reading:
    """Days until the chain breaks: the first end in it, from the leaf to the root; without trust, of what was sent."""
    chain = known(seen.sent) if isinstance(seen.trusted, Unseen) else seen.trusted
    first = _first_to_end(chain)
    return _expiry(seen, first, f"of {plural(len(chain), 'certificate')} the first to end, {first.subject},")


@check("TLS-EXPIRY-SENT", section=SECTION, warning=30, worse="lower", unit="days", source=_GUIDE)
def sent_expiry(seen: TlsFacts) -> Reading | Gap:
    """A sent certificate that we can do without may be the one that another client needs, so it only warns."""
    needed = () if isinstance(seen.trusted, Unseen) else seen.trusted
    spare = tuple(each for each in known(seen.sent) if each not in needed)
    if not needed or not spare:
        return Gap(SECTION, "spare certificates: the server sends only what TLS-EXPIRY-CHAIN judges")
    first = _first_to_end(spare)
    return _expiry(seen, first, f"sent without need, {first.subject}")


@check("TLS-NOT-YET-VALID", section=SECTION, critical=1, unit="certificates", source=_GUIDE)
def not_yet_valid(seen: TlsFacts) -> Reading:
    """A certificate that begins in the future is refused now, or one of the clocks is wrong."""
    every = (seen.leaf,) if isinstance(seen.sent, Unseen) else seen.sent
    early = [each for each in every if each.not_before > seen.at]
    if not early:
        return Reading(0, f"{plural(len(every), 'certificate')} valid already")
    wait = span((early[0].not_before - seen.at).total_seconds())
    return Reading(
        len(early),
        f"{early[0].subject} is valid only in {wait}, from {early[0].not_before:%Y-%m-%d %H:%M} UTC",
        action="chronyc tracking, here and where it was issued",
    )


def _expiry(seen: TlsFacts, certificate: Certificate, what: str) -> Reading:
    seconds = (certificate.not_after - seen.at).total_seconds()
    days = math.floor(seconds / _DAY)
    left = plural(days, "day") if days else span(seconds)
    told = f"ends in {left}" if seconds >= 0 else f"ended {span(-seconds)} ago"
    summary = f"{what} {told}, on {certificate.not_after:%Y-%m-%d %H:%M} UTC"
    return Reading(seconds / _DAY, summary, action=_RENEW, evidence=_chain(seen))


def _first_to_end(chain: tuple[Certificate, ...]) -> Certificate:
    return min(chain, key=lambda certificate: certificate.not_after)


def _chain(seen: TlsFacts) -> Evidence:
    """What was sent; of a server whose chain this Python does not show, the leaf."""
    chain = (seen.leaf,) if isinstance(seen.sent, Unseen) else seen.sent
    rows = ((each.subject, each.issuer, f"{each.not_before:%Y-%m-%d}", f"{each.not_after:%Y-%m-%d}") for each in chain)
    return Evidence.of(("subject", "issuer", "begins", "ends"), rows)


def _server(seen: TlsFacts) -> str:
    return f"{seen.host}:{seen.port}"


def _show(seen: TlsFacts) -> str:
    return f"openssl s_client -connect {_server(seen)} -servername {seen.host} -showcerts"
