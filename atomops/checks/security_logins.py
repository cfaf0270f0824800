"""Logins that failed: how many, from where, against whom, and whether they are somebody who guesses."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from atomops.facts.logins import UNNAMED, Failed, LoginFacts, Source
from atomops.humane import plural
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen, known

SECTION = "Failed logins"
_OWN = "Atom Ops default"
_SHOWN = 20  # rows of evidence
_BESIDE = 4  # names in a cell
_NOT_NAMED = "(not told)"
_PERSISTENT = 5  # failures from an address that was not there before; fewer are somebody who mistypes
_BLOCK = "block it at the firewall or proxy, and see whether a login from there succeeded afterwards"
_ACCOUNT = "ask its owner; lock it or set a new password, and turn two-factor authentication on"


@check("SEC-LOGINS-LOG", section=SECTION, unit="logins", source="operations guide", trend="security.logins_failed_log")
def in_log(seen: LoginFacts) -> Reading | Gap:
    """Failed logins that the application's log tells of, by level and field and never by a word in an INFO line."""
    return _source(seen, seen.log, "the application's log", "the inventory has no […logs]")


@check("SEC-LOGINS-TABLE", section=SECTION, unit="logins", source="operators of Atom", trend="security.logins_failed")
def in_table(seen: LoginFacts) -> Reading | Gap:
    """Failed logins in the application's own audit table, where the profile has one."""
    return _source(seen, seen.table, "the audit table", "no database is configured, or its profile has no audit table")


@check("SEC-LOGINS-POSTGRES", section=SECTION, warning=20, critical=200, unit="logins", source=_OWN)
def in_postgres_log(seen: LoginFacts) -> Reading | Gap:
    """Logins that PostgreSQL itself has refused: applications do not mistype, so that few are normal."""
    return _source(seen, seen.postgres, "PostgreSQL's log", "the inventory has no security.postgres_logs")


@check("SEC-LOGINS-ADDRESS", section=SECTION, warning=20, critical=100, unit="logins", source=_OWN)
def from_one_address(seen: LoginFacts) -> Reading | Gap:
    """The most failed logins from one address: many are a program that guesses passwords."""
    return _most(seen, _by_address(seen), "from", _BLOCK)


@check("SEC-LOGINS-ACCOUNT", section=SECTION, warning=10, critical=50, unit="logins", source=_OWN)
def against_one_account(seen: LoginFacts) -> Reading | Gap:
    """The most failed logins against one account, from wherever they come."""
    return _most(seen, _by_account(seen), "against", _ACCOUNT)


@check("SEC-LOGINS-SPRAYED", section=SECTION, warning=5, critical=20, unit="accounts", source=_OWN)
def sprayed(seen: LoginFacts) -> Reading | Gap:
    """The most accounts tried from one address: a few passwords against many accounts reach no limit of one account."""
    tried: dict[str, set[str]] = defaultdict(set)
    for each in _every(seen):
        if UNNAMED not in {each.address, each.account}:
            tried[each.address].add(each.account)
    if not _sources(seen):
        return _no_source(seen)
    if not tried:
        _only_if_complete(seen)
        return Reading(0, f"no failed login in {seen.hours:g} h tells both its account and its address")
    address, accounts = max(tried.items(), key=lambda item: len(item[1]))
    rows = sorted(
        ((address, len(names), ", ".join(sorted(names)[:5])) for address, names in tried.items()),
        key=lambda row: -row[1],
    )
    return Reading(
        len(accounts),
        f"{plural(len(accounts), 'account')} tried from {address} in {seen.hours:g} h",
        action=_BLOCK,
        evidence=Evidence.of(("address", "accounts", "some of them"), rows[:_SHOWN]),
    )


@check("SEC-LOGINS-NEW", section=SECTION, warning=1, unit="addresses", source=f"{_OWN}; {_PERSISTENT} failures or more")
def new_addresses(seen: LoginFacts, before: LoginFacts | None) -> Reading | Gap:
    """Addresses that fail to log in again and again and did not at the last look."""
    if not _sources(seen):
        return _no_source(seen)
    if before is None:
        return Gap(SECTION, "new addresses: first look, nothing to compare with yet")
    then, now = _by_address(before), _by_address(seen)
    fresh = Counter({address: count for address, count in now.items() if count >= _PERSISTENT and address not in then})
    if not fresh:
        _only_if_complete(seen)
    told = f"{plural(len(fresh), 'address')} with {_PERSISTENT} failed logins or more"
    summary = f"{told}, and none at the last look, {before.at:%Y-%m-%d %H:%M} UTC"
    return Reading(len(fresh), summary, action=_BLOCK, evidence=_counted(seen, fresh))


def _source(seen: LoginFacts, source: Source | Unseen | None, name: str, absent: str) -> Reading | Gap:
    if source is None:
        return Gap(SECTION, f"{name}: {absent}")
    found = known(source)
    if found.incomplete and not found.total:
        raise NotSeen(Unseen(f"none found, but {found.incomplete[0].reason}", found.incomplete[0].action))
    summary = f"{plural(found.total, 'failed login')} in {seen.hours:g} h in {name}"
    if found.more:
        summary += f", {found.more:,} of them by accounts and addresses beyond the first {len(found.failed):,}"
    if found.incomplete:
        summary += f"; {plural(len(found.incomplete), 'file')} could not be read: {found.incomplete[0].reason}"
    action = found.incomplete[0].action if found.incomplete else "see SEC-LOGINS-ADDRESS and SEC-LOGINS-ACCOUNT"
    rows = (
        (each.account or _NOT_NAMED, each.address or _NOT_NAMED, each.count, f"{each.last:%Y-%m-%d %H:%M}")
        for each in found.failed[:_SHOWN]
    )
    return Reading(
        found.total, summary, action=action, evidence=Evidence.of(("account", "address", "count", "last (UTC)"), rows)
    )


def _sources(seen: LoginFacts) -> list[Source]:
    return [each for each in (seen.log, seen.table, seen.postgres) if isinstance(each, Source)]


def _every(seen: LoginFacts) -> Iterable[Failed]:
    for source in _sources(seen):
        yield from source.failed


def _by_address(seen: LoginFacts) -> Counter[str]:
    """The larger of what the sources tell: the log and the table may tell of the same login."""
    return _largest(_sum((each.address, each.count) for each in source.failed) for source in _sources(seen))


def _by_account(seen: LoginFacts) -> Counter[str]:
    return _largest(_sum((each.account, each.count) for each in source.failed) for source in _sources(seen))


def _sum(counts: Iterable[tuple[str, int]]) -> Counter[str]:
    summed: Counter[str] = Counter()
    for name, count in counts:
        if name != UNNAMED:
            summed[name] += count
    return summed


def _largest(counters: Iterable[Counter[str]]) -> Counter[str]:
    largest: Counter[str] = Counter()
    for counter in counters:
        largest |= counter
    return largest


def _most(seen: LoginFacts, counted: Counter[str], way: str, action: str) -> Reading | Gap:
    if not _sources(seen):
        return _no_source(seen)
    if not counted:
        _only_if_complete(seen)
        return Reading(0, f"no failed login in {seen.hours:g} h tells {way} what it was")
    name, count = counted.most_common(1)[0]
    summary = f"{plural(count, 'failed login')} {way} {name} in {seen.hours:g} h"
    return Reading(count, summary, action=action, evidence=_counted(seen, counted))


def _counted(seen: LoginFacts, counted: Counter[str]) -> Evidence:
    """With the other side of it: of an account the addresses, of an address the accounts."""
    beside: dict[str, set[str]] = defaultdict(set)
    for each in _every(seen):
        beside[each.account].add(each.address)
        beside[each.address].add(each.account)
    rows = (
        (name, count, ", ".join(sorted(beside[name] - {UNNAMED})[:_BESIDE]))
        for name, count in counted.most_common(_SHOWN)
    )
    return Evidence.of(("who", "failed logins", "with"), rows)


def _no_source(seen: LoginFacts) -> Gap:
    _only_if_complete(seen)
    return Gap(SECTION, "brute force: no source of failed logins could be looked at")


def _only_if_complete(seen: LoginFacts) -> None:
    """That nobody guesses is known only when every configured source has been read to its end."""
    for source in (seen.log, seen.table, seen.postgres):
        if isinstance(source, Unseen):
            raise NotSeen(Unseen(f"none found, but {source.reason}", source.action))
        if source is not None and source.incomplete:
            raise NotSeen(Unseen(f"none found, but {source.incomplete[0].reason}", source.incomplete[0].action))
