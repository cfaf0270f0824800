import datetime as dt
from dataclasses import replace

import pytest

from atomops.facts.access import AccessFacts, Definer, HbaRule, Language, PasswordMethod, PublicRight
from atomops.facts.outcome import Outcome
from atomops.facts.redis_access import RedisAccessFacts, RedisUser
from atomops.plans.postgres_releases import END_OF_LIFE, KNOWN_MINOR, days_of_support, minors_behind
from atomops.registry import checks
from atomops.verdict import Finding, Gap, Unseen
from tests.unit.access_samples import ROLES, SAFE, SAFE_REDIS, SETTINGS, role

LOST = Unseen("permission denied", "GRANT it")


def judged(seen: AccessFacts | RedisAccessFacts, code: str) -> Finding | Gap:
    (check,) = [each for each in checks() if each.code == code]
    return check.judge(Outcome("access", 0.1, facts=seen), None)


def found(seen: AccessFacts | RedisAccessFacts, code: str) -> Finding:
    finding = judged(seen, code)
    assert isinstance(finding, Finding)
    return finding


def levels(seen: AccessFacts | RedisAccessFacts) -> dict[str, str]:
    """The verdicts that are not OK."""
    every = [each for each in checks() if each.facts is type(seen)]
    findings = (each.judge(Outcome("access", 0.1, facts=seen), None) for each in every)
    return {each.code: str(each.level) for each in findings if isinstance(each, Finding) and each.level != "OK"}


def test_of_a_well_kept_server_there_is_nothing_to_say() -> None:
    assert levels(SAFE) == {}
    assert levels(SAFE_REDIS) == {}


def spoilt(**settings: str) -> AccessFacts:
    return replace(SAFE, settings=SETTINGS | settings)


def hba(kind: str, address: str | None, method: str) -> AccessFacts:
    return replace(SAFE, hba=(HbaRule(7, kind, "all", "all", address, method),))


@pytest.mark.parametrize(
    ("seen", "code", "level", "action"),
    [
        (
            replace(SAFE, roles=(*ROLES, role('o"dd', superuser=True))),
            "SEC-ROLE-SUPERUSER",
            "WARNING",
            'ALTER ROLE "o""dd" NOSUPERUSER;',
        ),
        (
            replace(SAFE, roles=(role("app", "CREATEROLE", "BYPASSRLS"),)),
            "SEC-ROLE-PRIVILEGED",
            "WARNING",
            "NOBYPASSRLS;",
        ),
        (
            replace(SAFE, roles=(role("reader", predefined=("pg_read_all_data", "pg_read_server_files")),)),
            "SEC-ROLE-PRIVILEGED",
            "WARNING",
            'REVOKE pg_read_server_files FROM "reader";',
        ),
        (
            replace(SAFE, roles=(role("other", predefined=("pg_read_all_data",)),)),
            "SEC-ROLE-PRIVILEGED",
            "WARNING",
            'REVOKE pg_read_all_data FROM "other";',
        ),
        (
            replace(SAFE, passwords=(PasswordMethod("app", "md5"),)),
            "SEC-ROLE-PASSWORD-MD5",
            "WARNING",
            '\\password "app"',
        ),
        (
            replace(SAFE, rights=(PublicRight("schema", "public", "CREATE", "REVOKE CREATE"),)),
            "SEC-PUBLIC-CREATE",
            "WARNING",
            "REVOKE CREATE",
        ),
        (
            replace(SAFE, rights=(PublicRight("table", "users", "SELECT", "REVOKE SELECT"),)),
            "SEC-PUBLIC-TABLES",
            "WARNING",
            "REVOKE SELECT",
        ),
        (
            replace(
                SAFE, definers=(Definer("f()", "postgres", owner_is_superuser=True, is_public=True, statement="ALTER"),)
            ),
            "SEC-DEFINER-PATH",
            "WARNING",
            "ALTER",
        ),
        (
            replace(SAFE, languages=(Language("plperlu", "DROP LANGUAGE plperlu;"),)),
            "SEC-LANGUAGE-UNTRUSTED",
            "WARNING",
            "DROP LANGUAGE plperlu;",
        ),
        (hba("host", "0.0.0.0 0.0.0.0", "trust"), "SEC-HBA-TRUST", "CRITICAL", "pg_reload_conf"),
        (hba("local", None, "trust"), "SEC-HBA-WEAK", "WARNING", "line 7"),
        (hba("hostssl", "127.0.0.1 255.255.255.255", "trust"), "SEC-HBA-WEAK", "WARNING", "line 7"),
        (hba("host", "10.0.0.0 255.0.0.0", "password"), "SEC-HBA-WEAK", "WARNING", "line 7"),
        (spoilt(ssl="off"), "SEC-PG-TLS", "CRITICAL", "ssl = on"),
        (spoilt(ssl_min_protocol_version="TLSv1"), "SEC-PG-TLS-VERSION", "WARNING", "TLSv1.2"),
        (spoilt(password_encryption="md5"), "SEC-PG-PASSWORD-ENCRYPTION", "WARNING", "scram-sha-256"),
        (spoilt(log_connections=""), "SEC-PG-LOG-CONNECTIONS", "WARNING", "SET log_connections = on;"),
        (replace(SAFE, version_number=140023), "SEC-PG-SUPPORTED", "CRITICAL", "plan the upgrade"),
        (replace(SAFE, version_number=170008), "SEC-PG-MINOR", "WARNING", "install 17.10 or newer"),
        (replace(SAFE_REDIS, stranger="", reveals=True), "SEC-REDIS-OPEN", "CRITICAL", "ACL SETUSER default"),
        (replace(SAFE_REDIS, is_encrypted=False), "SEC-REDIS-TLS", "WARNING", "rediss://"),
        (
            replace(SAFE_REDIS, users=(RedisUser("job", without_password=True, dangerous=()),)),
            "SEC-REDIS-NOPASS",
            "WARNING",
            "ACL SETUSER job",
        ),
    ],
)
def test_every_hole_is_one_finding_with_the_statement_that_mends_it(
    seen: AccessFacts | RedisAccessFacts, code: str, level: str, action: str
) -> None:
    assert levels(seen) == {code: level}
    assert action in found(seen, code).action


def test_an_open_redis_without_protected_mode_is_told_apart() -> None:
    open_to_all = replace(SAFE_REDIS, stranger="", protected_mode="no", bind="")
    assert levels(open_to_all) == {"SEC-REDIS-OPEN": "CRITICAL", "SEC-REDIS-PROTECTED": "WARNING"}
    assert found(open_to_all, "SEC-REDIS-PROTECTED").summary == "protected-mode no, bind every address"


def test_what_this_machine_alone_can_reach_needs_no_tls() -> None:
    assert isinstance(judged(replace(SAFE_REDIS, is_loopback=True), "SEC-REDIS-TLS"), Gap)
    here = found(spoilt(ssl="off", listen_addresses="localhost, ::1"), "SEC-PG-TLS")
    assert (here.level, here.summary) == (
        "OK",
        "TLS is off, and the server listens on this machine only (localhost, ::1)",
    )
    assert found(spoilt(ssl="off", listen_addresses=""), "SEC-PG-TLS").level == "OK"


def test_information_is_told_without_a_verdict() -> None:
    endless = replace(SAFE, roles=(replace(role("app"), valid_until=None),))
    assert found(endless, "SEC-ROLE-NO-EXPIRY").summary == "1 of 1 login role without an end (VALID UNTIL)"
    temporary = PublicRight("database", "atom", "CONNECT, TEMPORARY", "REVOKE ...")
    assert found(replace(SAFE, rights=(temporary,)), "SEC-PUBLIC-DATABASE").observed == 2
    assert found(SAFE, "SEC-PUBLIC-DATABASE").observed == 0
    users = (RedisUser("default", without_password=False, dangerous=("flushall",)),)
    assert found(replace(SAFE_REDIS, users=users), "SEC-REDIS-DANGEROUS").observed == 1


@pytest.mark.parametrize(
    ("settings", "silent"),
    [
        ({"log_statement": "none"}, 1),
        ({"log_statement": "none", "pgaudit.log": "none"}, 1),
        ({"log_statement": "none", "pgaudit.log": "ddl"}, 0),
        ({"log_statement": "none", "shared_preload_libraries": "pgaudit"}, 0),
        ({"log_statement": "all"}, 0),
    ],
)
def test_schema_changes_are_on_record_by_the_server_or_by_pgaudit(settings: dict[str, str], silent: int) -> None:
    assert found(spoilt(**settings), "SEC-PG-LOG-STATEMENT").observed == silent


def test_what_was_not_seen_is_unknown_and_the_rest_is_judged() -> None:
    blind = replace(SAFE, passwords=LOST, hba=LOST, settings={})
    unknown = {code for code, level in levels(blind).items() if level == "UNKNOWN"}
    assert unknown == {
        "SEC-ROLE-PASSWORD-MD5",
        "SEC-HBA-TRUST",
        "SEC-HBA-WEAK",
        "SEC-PG-TLS",
        "SEC-PG-TLS-VERSION",
        "SEC-PG-PASSWORD-ENCRYPTION",
        "SEC-PG-LOG-CONNECTIONS",
        "SEC-PG-LOG-STATEMENT",
    }
    assert found(blind, "SEC-PG-TLS").action == 'GRANT pg_monitor TO "reader";'


def test_a_release_from_the_future_is_not_judged_by_data_from_the_past() -> None:
    future = replace(SAFE, version_number=990001)
    assert isinstance(judged(future, "SEC-PG-SUPPORTED"), Gap)
    assert isinstance(judged(future, "SEC-PG-MINOR"), Gap)
    assert found(replace(SAFE, version_number=180006), "SEC-PG-MINOR").observed == 0


def test_support_is_told_by_the_day() -> None:
    assert days_of_support(13, dt.date(2025, 11, 14)) == -1
    assert days_of_support(9, dt.date(2025, 11, 14)) == -1
    assert days_of_support(17, dt.date(2029, 11, 8)) == 0
    assert minors_behind(130021) == 2
    assert minors_behind(170099) == 0
    assert END_OF_LIFE.keys() == KNOWN_MINOR.keys()
