"""The facts of a well-kept PostgreSQL and Redis, to be spoilt by tests with `dataclasses.replace`."""

import datetime as dt

from atomops.facts.access import AccessFacts, Expected, HbaRule, Language, PasswordMethod, PublicRight, Role
from atomops.facts.redis_access import RedisAccessFacts, RedisUser

AT = dt.datetime(2026, 11, 25, 7, 0, tzinfo=dt.UTC)
SETTINGS = {
    "ssl": "on",
    "ssl_min_protocol_version": "TLSv1.2",
    "listen_addresses": "*",
    "password_encryption": "scram-sha-256",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_statement": "ddl",
    "shared_preload_libraries": "pg_stat_statements",
}


def role(name: str, *attributes: str, superuser: bool = False, predefined: tuple[str, ...] = ()) -> Role:
    return Role(
        name, can_login=True, is_superuser=superuser, attributes=attributes, predefined=predefined, valid_until=AT
    )


ROLES = (
    role("postgres", superuser=True),
    role("reader", predefined=("pg_read_all_data",)),
    role("replicator", "REPLICATION"),
)
SAFE = AccessFacts(
    at=AT,
    version="17.10",
    version_number=170010,
    database="atom",
    reader="reader",
    expected=Expected(("postgres",), ("replicator",), ("public.countries",), ("plpython3u",)),
    settings=SETTINGS,
    roles=ROLES,
    passwords=(PasswordMethod("reader", "scram-sha-256"),),
    rights=(PublicRight("table", "countries", "SELECT", "REVOKE ..."),),
    definers=(),
    languages=(Language("plpython3u", "DROP LANGUAGE plpython3u;"),),
    hba=(HbaRule(1, "hostssl", "all", "all", "10.0.0.0 255.0.0.0", "scram-sha-256"),),
)
SAFE_REDIS = RedisAccessFacts(
    at=AT,
    address="Redis cache.example.com:6379",
    is_loopback=False,
    is_encrypted=True,
    stranger="NOAUTH Authentication required.",
    reveals=False,
    protected_mode="yes",
    bind="10.0.0.5",
    users=(RedisUser("default", without_password=False, dangerous=()),),
)
