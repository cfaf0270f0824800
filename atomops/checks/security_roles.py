"""Which roles may do more than the application needs, and how their passwords are kept."""

from collections.abc import Iterable
from dataclasses import replace

from atomops.facts.access import AccessFacts, Role
from atomops.humane import plural
from atomops.plans.vacuum import quoted
from atomops.registry import check
from atomops.verdict import Evidence, Reading, known

SECTION = "Roles"
_OWN = "Atom Ops default"
_CIS = "CIS PostgreSQL Benchmark"
_SHOWN = 30  # rows of evidence
_OURS = "pg_read_all_data"  # what the reading role is given


@check("SEC-ROLE-SUPERUSER", section=SECTION, warning=1, unit="roles", source=_CIS)
def superusers(seen: AccessFacts) -> Reading:
    """Nobody may log in as a superuser who is not named in security.superusers: nothing is kept from such a role."""
    every = [role for role in known(seen.roles) if role.is_superuser and role.can_login]
    odd = [role for role in every if role.name not in seen.expected.superusers]
    expected = f"{plural(len(every) - len(odd), 'superuser')} as expected"
    statements = [(role.name, f"ALTER ROLE {quoted(role.name)} NOSUPERUSER;") for role in odd]
    return _found(
        statements, f"{_named(odd, 'unexpected superuser')}, {expected}", "name it in security.superusers, or"
    )


@check("SEC-ROLE-PRIVILEGED", section=SECTION, warning=1, unit="roles", source=_CIS)
def privileged(seen: AccessFacts) -> Reading:
    """No other role has rights that lead to a superuser's: over server files, programs, roles, replication or all data.

    Whoever reads all data reads the password hashes of pg_authid too. Our own reading role may, and so may those named
    in security.privileged; of superusers SEC-ROLE-SUPERUSER tells.
    """
    expected = {*seen.expected.privileged, *seen.expected.superusers}
    others = (_without_ours(role, seen.reader) for role in known(seen.roles) if not role.is_superuser)
    odd = [role for role in others if (role.attributes or role.predefined) and role.name not in expected]
    statements = [(role.name, statement) for role in odd for statement in _take_away(role)]
    return _found(statements, _named(odd, "privileged role"), "name it in security.privileged, or")


@check("SEC-ROLE-PASSWORD-MD5", section=SECTION, warning=1, unit="roles", source="PostgreSQL documentation")
def md5_passwords(seen: AccessFacts) -> Reading:
    """No password is kept as MD5, whose hash is as good as the password; only the method is read, never the hash."""
    weak = [each.role for each in known(seen.passwords) if each.method == "md5"]
    statements = [(role, f"SET password_encryption = 'scram-sha-256'; \\password {quoted(role)}") for role in weak]
    return _found(statements, f"{plural(len(weak), 'password')} kept as MD5", "in psql, once every client knows SCRAM:")


@check("SEC-ROLE-NO-EXPIRY", section=SECTION, unit="roles", source="information")
def without_expiry(seen: AccessFacts) -> Reading:
    """Login roles whose password never ends; information, unless the inventory gives a limit."""
    logins = [role for role in known(seen.roles) if role.can_login]
    endless = [role for role in logins if role.valid_until is None]
    summary = f"{len(endless)} of {plural(len(logins), 'login role')} without an end (VALID UNTIL)"
    statements = [(role.name, f"ALTER ROLE {quoted(role.name)} VALID UNTIL '...';") for role in endless]
    return Reading(len(endless), summary, evidence=_statements(statements))


def _without_ours(role: Role, reader: str) -> Role:
    if role.name != reader:
        return role
    return replace(role, predefined=tuple(name for name in role.predefined if name != _OURS))


def _take_away(role: Role) -> Iterable[str]:
    name = quoted(role.name)
    if role.attributes:
        yield f"ALTER ROLE {name} {' '.join(f'NO{attribute}' for attribute in role.attributes)};"
    for granted in role.predefined:
        yield f"REVOKE {granted} FROM {name};"


def _named(roles: list[Role], noun: str) -> str:
    names = ", ".join(role.name for role in roles[:5])
    return f"{plural(len(roles), noun)}{f': {names}' if names else ''}"


def _found(statements: list[tuple[str, str]], summary: str, before: str) -> Reading:
    """As many as there are roles; the first statement is the action."""
    roles = len({role for role, _ in statements})
    action = f"{before} {statements[0][1]}" if statements else ""
    return Reading(roles, summary, action=action, evidence=_statements(statements) if statements else None)


def _statements(statements: list[tuple[str, str]]) -> Evidence:
    return Evidence.of(("role", "statement"), statements[:_SHOWN])
