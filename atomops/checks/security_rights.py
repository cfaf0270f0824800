"""What everybody may do in the database, and which of its functions lend out their owner's rights."""

from collections.abc import Iterable, Sequence

from atomops.facts.access import AccessFacts, HbaRule, PublicRight
from atomops.humane import plural
from atomops.registry import check
from atomops.verdict import Evidence, Reading, known

SECTION = "Rights"
_OWN = "Atom Ops default"
_CIS = "CIS PostgreSQL Benchmark"
_SHOWN = 30  # rows of evidence
_HERE = ("127.", "::1", "localhost", "samehost")


@check("SEC-PUBLIC-CREATE", section=SECTION, warning=1, unit="schemas", source="CVE-2018-1058")
def create_for_everybody(seen: AccessFacts) -> Reading:
    """Nobody may create objects in a schema that others search: so somebody's function runs with another's rights."""
    return _public(_rights(seen, "schema"), "schema", "in which everybody may create objects")


@check("SEC-PUBLIC-TABLES", section=SECTION, warning=1, unit="tables", source=_CIS)
def tables_for_everybody(seen: AccessFacts) -> Reading:
    """No table is open to everybody who may connect, except those named in security.public_tables."""
    meant = {*seen.expected.public_tables}
    rights = [each for each in _rights(seen, "table") if not {each.name, f"public.{each.name}"} & meant]
    return _public(rights, "table", "open to everybody")


@check("SEC-PUBLIC-DATABASE", section=SECTION, unit="rights", source="information: PostgreSQL's own default")
def database_for_everybody(seen: AccessFacts) -> Reading:
    """Whether every role may connect, and make temporary tables; information, unless the inventory gives a limit."""
    rights = _rights(seen, "database")
    count = sum(each.rights.count(",") + 1 for each in rights)
    told = f": {rights[0].rights}" if rights else ""
    summary = f"{plural(count, 'right')} on the database {seen.database} for everybody{told}"
    return Reading(count, summary, evidence=_statements((each.name, each.rights, each.statement) for each in rights))


@check("SEC-DEFINER-PATH", section=SECTION, warning=1, unit="functions", source="PostgreSQL documentation")
def definers_without_path(seen: AccessFacts) -> Reading:
    """Every SECURITY DEFINER function has a search_path of its own, or its caller decides whose objects it uses."""
    found = known(seen.definers)
    open_to_all = sum(each.is_public and each.owner_is_superuser for each in found)
    summary = f"{plural(len(found), 'SECURITY DEFINER function')} without a search_path"
    if found:
        summary += f", {open_to_all} of them a superuser's that everybody may call; the first {found[0].name}"
    rows = ((each.name, each.owner, each.statement) for each in found)
    return Reading(
        len(found),
        summary,
        action=found[0].statement if found else "",
        evidence=_statements(rows, "function", "owner") if found else None,
    )


@check("SEC-LANGUAGE-UNTRUSTED", section=SECTION, warning=1, unit="languages", source=_OWN)
def untrusted_languages(seen: AccessFacts) -> Reading:
    """No language is installed whose functions may do whatever the server's own user may on its machine."""
    found = [each for each in known(seen.languages) if each.name not in seen.expected.languages]
    names = ", ".join(each.name for each in found)
    return Reading(
        len(found),
        f"{plural(len(found), 'untrusted language')}{f': {names}' if names else ''}",
        action=f"name it in security.languages, or {found[0].statement}" if found else "",
    )


@check("SEC-HBA-TRUST", section=SECTION, critical=1, unit="lines", source=_CIS)
def trusted_hosts(seen: AccessFacts) -> Reading:
    """No line of pg_hba.conf lets another machine in without a password."""
    found = [rule for rule in known(seen.hba) if rule.method == "trust" and not _is_here(rule)]
    return _lines(found, "that lets other machines in without a password", "host ... scram-sha-256")


@check("SEC-HBA-WEAK", section=SECTION, warning=1, unit="lines", source=_CIS)
def weak_methods(seen: AccessFacts) -> Reading:
    """No line lets this machine's users in without a password, or sends a password in clear text without TLS."""
    found = [
        rule
        for rule in known(seen.hba)
        if (rule.method == "trust" and _is_here(rule)) or (rule.method == "password" and rule.kind != "hostssl")
    ]
    return _lines(found, "with trust for this machine's own users, or a password in clear text", "peer, scram-sha-256")


def _is_here(rule: HbaRule) -> bool:
    return rule.kind == "local" or (rule.address or "").startswith(_HERE)


def _lines(found: Sequence[HbaRule], what: str, instead: str) -> Reading:
    if not found:
        return Reading(0, f"no line of pg_hba.conf {what}")
    rows = ((each.line, each.kind, each.databases, each.users, each.address, each.method) for each in found[:_SHOWN])
    return Reading(
        len(found),
        f"{plural(len(found), 'line')} of pg_hba.conf {what}, the first is line {found[0].line}",
        action=f"write {instead} in line {found[0].line}, then SELECT pg_reload_conf();",
        evidence=Evidence.of(("line", "type", "databases", "users", "address", "method"), rows),
    )


def _rights(seen: AccessFacts, kind: str) -> list[PublicRight]:
    return [each for each in known(seen.rights) if each.kind == kind]


def _public(rights: Sequence[PublicRight], noun: str, what: str) -> Reading:
    first = f", {rights[0].name} with {rights[0].rights}" if rights else ""
    return Reading(
        len(rights),
        f"{plural(len(rights), noun)} {what}{first}",
        action=rights[0].statement if rights else "",
        evidence=_statements((each.name, each.rights, each.statement) for each in rights) if rights else None,
    )


def _statements(rows: Iterable[Sequence[str]], name: str = "name", second: str = "rights") -> Evidence:
    return Evidence.of((name, second, "statement"), tuple(rows)[:_SHOWN])
