"""Settings of PostgreSQL that decide who is let in, what can be read on the way, and what is on record."""

from atomops.facts.access import AccessFacts
from atomops.humane import plural
from atomops.plans.postgres_releases import AS_OF, KNOWN_MINOR, days_of_support, minors_behind
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen

SECTION = "Server settings"
_OWN = "Atom Ops default"
_CIS = "CIS PostgreSQL Benchmark"
_HERE = ("127.", "::1", "localhost")
_OLD_TLS = frozenset({"", "TLSv1", "TLSv1.1"})
_OFF = frozenset({"off", "", "false", "no", "0"})


@check("SEC-PG-TLS", section=SECTION, critical=1, unit="addresses", source=_CIS)
def encrypted(seen: AccessFacts) -> Reading:
    """What other machines send to the server, passwords' proofs and rows, cannot be read on the way."""
    listening = [each.strip() for each in _setting(seen, "listen_addresses").split(",") if each.strip()]
    abroad = [each for each in listening if not each.startswith(_HERE)]
    if _setting(seen, "ssl") == "on":
        return Reading(0, "TLS is on; hostssl lines in pg_hba.conf make it a must")
    if not abroad:
        return Reading(
            0, f"TLS is off, and the server listens on this machine only ({', '.join(listening) or 'nowhere'})"
        )
    return Reading(
        len(abroad),
        f"TLS is off, and the server listens on {', '.join(abroad)}",
        action="with ssl_cert_file and ssl_key_file in place: ALTER SYSTEM SET ssl = on; SELECT pg_reload_conf();",
    )


@check("SEC-PG-TLS-VERSION", section=SECTION, warning=1, unit="settings", source="RFC 8996")
def tls_version(seen: AccessFacts) -> Reading:
    """Nothing older than TLS 1.2 is spoken."""
    lowest = _setting(seen, "ssl_min_protocol_version")
    action = "ALTER SYSTEM SET ssl_min_protocol_version = 'TLSv1.2'; SELECT pg_reload_conf();"
    return Reading(int(lowest in _OLD_TLS), f"the lowest protocol is {lowest or 'any'}", action=action)


@check("SEC-PG-PASSWORD-ENCRYPTION", section=SECTION, warning=1, unit="settings", source=_CIS)
def password_encryption(seen: AccessFacts) -> Reading:
    """New passwords are kept for SCRAM, not as MD5."""
    method = _setting(seen, "password_encryption")
    action = "ALTER SYSTEM SET password_encryption = 'scram-sha-256'; SELECT pg_reload_conf();"
    return Reading(int(method != "scram-sha-256"), f"new passwords are kept as {method}", action=action)


@check("SEC-PG-LOG-CONNECTIONS", section=SECTION, warning=1, unit="settings", source=_CIS)
def connections_logged(seen: AccessFacts) -> Reading:
    """Who came and went is on record: without it no intrusion can be followed afterwards."""
    off = [name for name in ("log_connections", "log_disconnections") if _setting(seen, name) in _OFF]
    statements = " ".join(f"ALTER SYSTEM SET {name} = on;" for name in off)
    return Reading(
        len(off),
        f"not logged: {', '.join(off)}" if off else "connections and disconnections are logged",
        action=f"{statements} SELECT pg_reload_conf();" if off else "",
    )


@check("SEC-PG-LOG-STATEMENT", section=SECTION, unit="settings", source=f"information; {_CIS}")
def statements_logged(seen: AccessFacts) -> Reading:
    """Whether changes of the schema are on record, by log_statement or pgaudit; information."""
    logged, audited = _setting(seen, "log_statement"), seen.settings.get("pgaudit.log")
    loaded = audited is not None or "pgaudit" in seen.settings.get("shared_preload_libraries", "")
    by = f"log_statement = {logged}" + (f", pgaudit.log = {audited or '?'}" if loaded else ", no pgaudit")
    hint = "ALTER SYSTEM SET log_statement = 'ddl'; SELECT pg_reload_conf(); or, for reads too, the extension pgaudit"
    is_silent = logged == "none" and (not loaded or audited == "none")
    return Reading(int(is_silent), by, action=hint if is_silent else "")


@check("SEC-PG-SUPPORTED", section=SECTION, warning=90, critical=0, worse="lower", unit="days", source=AS_OF)
def supported(seen: AccessFacts) -> Reading | Gap:
    """Days until nobody mends holes in this major release any more."""
    major = seen.version_number // 10_000
    days = days_of_support(major, seen.at.date())
    if days is None:
        return Gap(SECTION, f"end of support: PostgreSQL {major} is newer than what we know of ({AS_OF})")
    told = f"ends in {plural(days, 'day')}" if days >= 0 else f"ended {plural(-days, 'day')} ago"
    action = "plan the upgrade: pg_upgrade, or a restore into a newer server (atomops run restore-database)"
    return Reading(days, f"the support of PostgreSQL {major} {told}", action=action)


@check("SEC-PG-MINOR", section=SECTION, warning=1, unit="releases", source=AS_OF)
def minor_release(seen: AccessFacts) -> Reading | Gap:
    """No minor release that we know of is missing: each mends holes, and needs a restart and nothing else."""
    major, behind = seen.version_number // 10_000, minors_behind(seen.version_number)
    if behind is None:
        return Gap(SECTION, f"minor release: PostgreSQL {major} is none that we know of ({AS_OF})")
    newest = f"{major}.{KNOWN_MINOR[major]}"
    told = f"PostgreSQL {seen.version} is {plural(behind, 'minor release')} behind {newest}"
    return Reading(
        behind,
        told if behind else f"PostgreSQL {seen.version}; the newest that we know of is {newest}",
        action=f"install {newest} or newer and restart" if behind else "",
        evidence=Evidence.of(("setting", "in force"), sorted(seen.settings.items())),
    )


def _setting(seen: AccessFacts, name: str) -> str:
    if name not in seen.settings:
        action = f'GRANT pg_monitor TO "{seen.reader}";'
        raise NotSeen(Unseen(f"the setting {name} was not seen by {seen.reader}", action))
    return seen.settings[name]
