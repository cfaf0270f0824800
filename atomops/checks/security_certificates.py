"""The certificates of every host that the audit knows: reached, trusted, for that host, and for how long."""

import math
from collections.abc import Callable

from atomops.facts.certificates import CertificateFacts
from atomops.facts.tls import Certificate, TlsFacts
from atomops.humane import plural, span
from atomops.registry import check
from atomops.verdict import Evidence, NotSeen, Reading, Unseen

SECTION = "Certificates"
_GUIDE = "operations guide"
_DAY = 86_400
_COLUMNS = ("host", "what", "ends", "issuer", "protocol")
_ORDER = "renew it with its authority, reload the server, then look again: atomops run security-audit"


@check("SEC-TLS-REACHABLE", section=SECTION, critical=1, unit="hosts", source=_GUIDE)
def reachable(seen: CertificateFacts) -> Reading:
    """Every configured host completes a TLS handshake; one that does not has no expiry date, and is not "expired"."""
    failed = [(each.host, each.seen) for each in seen.hosts if isinstance(each.seen, Unseen)]
    summary = f"{len(seen.hosts) - len(failed)} of {plural(len(seen.hosts), 'host')} completed a TLS handshake"
    if failed:
        summary += f"; {failed[0][1].reason}"
    return Reading(
        len(failed),
        summary,
        action=failed[0][1].action if failed else "",
        evidence=Evidence.of(("host", "reason", "repair"), ((host, why.reason, why.action) for host, why in failed)),
    )


@check("SEC-TLS-TRUSTED", section=SECTION, critical=1, unit="hosts", source=_GUIDE)
def trusted(seen: CertificateFacts) -> Reading:
    """The chain of every host leads to an authority that this machine, or security.ca_file, trusts."""
    return _problems(seen, lambda host: host.distrust, "is not trusted", "name its authority in security.ca_file")


@check("SEC-TLS-HOSTNAME", section=SECTION, critical=1, unit="hosts", source=_GUIDE)
def host_names(seen: CertificateFacts) -> Reading:
    """Every certificate is for the host that was asked, whether or not its chain is trusted."""
    return _problems(seen, lambda host: host.wrong_name, "is not for that host", "issue it for that name as well")


@check(
    "SEC-TLS-EXPIRY-LEAF",
    section=SECTION,
    warning=30,
    critical=7,
    worse="lower",
    unit="days",
    source=_GUIDE,
    trend="security.tls_days_left",
)
def leaf_expiry(seen: CertificateFacts) -> Reading:
    """Days until the first of the hosts' own certificates ends."""
    return _expiry(seen, lambda host: host.leaf)


@check("SEC-TLS-EXPIRY-CHAIN", section=SECTION, warning=30, critical=7, worse="lower", unit="days", source=_GUIDE)
def chain_expiry(seen: CertificateFacts) -> Reading:
    """Days until the first of the chains breaks; of a chain that nobody trusts, what was sent is judged."""
    return _expiry(seen, lambda host: min(_chain(host), key=lambda certificate: certificate.not_after))


def _chain(host: TlsFacts) -> tuple[Certificate, ...]:
    shown = host.sent if isinstance(host.trusted, Unseen) else host.trusted
    return (host.leaf,) if isinstance(shown, Unseen) else shown


def _seen(seen: CertificateFacts) -> list[tuple[str, TlsFacts]]:
    """Raises NotSeen when no host has shown anything."""
    found = [(each.host, each.seen) for each in seen.hosts if isinstance(each.seen, TlsFacts)]
    if not found:
        raise NotSeen(Unseen("no host has shown a certificate", "see SEC-TLS-REACHABLE"))
    return found


def _problems(seen: CertificateFacts, problem: Callable[[TlsFacts], str], what: str, action: str) -> Reading:
    found = _seen(seen)
    bad = [(host, problem(shown)) for host, shown in found if problem(shown)]
    if not bad:
        return Reading(0, f"{plural(len(found), 'host')} looked at, none of which {what}")
    return Reading(
        len(bad),
        f"the certificate of {bad[0][0]} {what}: {bad[0][1]}",
        action=action,
        evidence=Evidence.of(("host", "problem"), bad),
    )


def _expiry(seen: CertificateFacts, of: Callable[[TlsFacts], Certificate]) -> Reading:
    found = sorted(((of(shown), host, shown) for host, shown in _seen(seen)), key=lambda each: each[0].not_after)
    first, host, _ = found[0]
    seconds = (first.not_after - seen.at).total_seconds()
    days = math.floor(seconds / _DAY)
    left = plural(days, "day") if days else span(seconds)
    told = f"ends in {left}" if seconds >= 0 else f"ended {span(-seconds)} ago"
    rows = (
        (name, certificate.subject, f"{certificate.not_after:%Y-%m-%d %H:%M}", certificate.issuer, shown.protocol)
        for certificate, name, shown in found
    )
    return Reading(
        seconds / _DAY,
        f"of {plural(len(found), 'host')} the first to end is that of {host}, which {told}",
        action=_ORDER,
        evidence=Evidence.of(_COLUMNS, rows),
        series={name: (certificate.not_after - seen.at).total_seconds() / _DAY for certificate, name, _ in found},
    )
