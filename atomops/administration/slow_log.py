"""What the server logs of slow statements: looked at, changed by ALTER SYSTEM or ALTER DATABASE, and read back."""

import asyncio
import time
from typing import Any

import psycopg
from psycopg.rows import dict_row

from atomops.administration.refusals import in_our_words
from atomops.backup.access import Access
from atomops.change.session import changing_session
from atomops.facts.tuning import FileError, Override, Setting, SlowLog
from atomops.inventory import Changes
from atomops.plans.slow_log import AUTO_CONF, PARAMETER, PRIVILEGES_SINCE, Rights, Step, confirmed, from_auto_conf
from atomops.plans.vacuum import quoted
from atomops.probes.postgres.connect import Session
from atomops.verdict import Unseen

STATEMENT_SECONDS = 30
_CONFIRMED_WITHIN = 10  # seconds: the server reads its files after the reload has returned
_ASK_AGAIN = 0.1
_SETTING = """
    SELECT setting AS value, source, sourcefile AS file, sourceline AS line, pending_restart
    FROM pg_settings WHERE name = %s
"""
_OVERRIDES = """
    SELECT datname::text AS database, rolname::text AS role, split_part(one, '=', 2) AS value
    FROM pg_db_role_setting CROSS JOIN unnest(setconfig) AS one
    LEFT JOIN pg_database ON pg_database.oid = setdatabase
    LEFT JOIN pg_roles ON pg_roles.oid = setrole
    WHERE lower(split_part(one, '=', 1)) = %s AND (setdatabase = 0 OR datname = current_database())
    ORDER BY 1 NULLS LAST, 2 NULLS FIRST
"""
# What the command line wins over, or waits for a restart, "could not be applied" either, and is no error of the file.
_IN_FILES = """
    SELECT lines.sourcefile AS file, lines.sourceline AS line, lines.name, lines.setting, error
    FROM pg_file_settings AS lines
    LEFT JOIN pg_settings AS known ON known.name = lines.name AND known.context = 'postmaster'
     AND (known.source IN ('command line', 'environment variable', 'override') OR known.pending_restart)
    WHERE error IS NOT NULL AND known.name IS NULL OR lines.name = %s
    ORDER BY seqno
"""
_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_RIGHTS = """
    SELECT current_user::text AS role, current_database()::text AS database, rolsuper AS is_superuser,
           pg_is_in_recovery() AS is_standby,
           has_function_privilege('pg_reload_conf()', 'EXECUTE') AS reload,
           (SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()) AS owns_database,
           coalesce(current_setting('allow_alter_system', true) = 'off', false) AS system_is_fixed
    FROM pg_roles WHERE rolname = current_user
"""
_PARAMETER_RIGHTS = "SELECT has_parameter_privilege(%s, 'ALTER SYSTEM'), has_parameter_privilege(%s, 'SET')"


async def look(access: Access, settings: Changes) -> SlowLog:
    """What is in force for a new session, and everything that says so. Raises what connecting raises."""
    async with changing_session(access, settings, statement_timeout=STATEMENT_SECONDS) as session:
        with in_our_words(access.address):
            await session.execute("SET default_transaction_read_only = on")
            return await _look(session)


async def _look(session: Session) -> SlowLog:
    async with session.cursor(row_factory=dict_row) as cursor:
        row = await (await cursor.execute(_SETTING, [PARAMETER])).fetchone() or {}
        setting = Setting(**row)
        await cursor.execute(_OVERRIDES, [PARAMETER])
        overrides = tuple(Override(**each) for each in await cursor.fetchall())
        await cursor.execute("SELECT current_database()::text AS name, current_user::text AS role")
        here = await cursor.fetchone() or {}
    ours = next((each.value for each in overrides if each.role is None and each.database == here["name"]), None)
    count = await (await session.execute(_SESSIONS)).fetchone()
    log = SlowLog(setting, None, ours, overrides, (), int(str(count[0])) if count else 0)
    return await _with_files(session, log, str(here["role"]))


async def _with_files(session: Session, log: SlowLog, role: str) -> SlowLog:
    """What the files say, where our role may know; else what follows from where the value in force comes from."""
    try:
        async with session.cursor(row_factory=dict_row) as cursor:
            rows = await (await cursor.execute(_IN_FILES, [PARAMETER])).fetchall()
    except psycopg.errors.InsufficientPrivilege:
        reason = f"the role {role} may not read what the server's configuration files say"
        grants = f"GRANT SELECT ON pg_file_settings TO {quoted(role)};"
        grants += f" GRANT EXECUTE ON FUNCTION pg_show_all_file_settings() TO {quoted(role)};"
        hidden = Unseen(reason, grants)
        return SlowLog(log.setting, _follows(log, hidden), log.ours, log.overrides, hidden, log.older_sessions)
    errors = tuple(FileError(row["file"], row["line"], row["name"], row["error"]) for row in rows if row["error"])
    return SlowLog(log.setting, _entry(rows), log.ours, log.overrides, errors, log.older_sessions)


def _entry(rows: list[dict[str, object]]) -> str | None:
    ours = [row for row in rows if row["name"] == PARAMETER and str(row["file"]).endswith(f"/{AUTO_CONF}")]
    return str(ours[-1]["setting"]) if ours else None


def _follows(log: SlowLog, hidden: Unseen) -> str | Unseen | None:
    """postgresql.auto.conf is read last: what comes from another file, or from none, has no entry in it."""
    if log.setting.source == "default":
        return None
    if log.setting.source == "configuration file" and log.setting.file is not None:
        return log.setting.value if from_auto_conf(log) else None
    return hidden


async def rights_of(access: Access, settings: Changes) -> Rights:
    """What our role may do. Raises what connecting raises."""
    async with changing_session(access, settings, statement_timeout=STATEMENT_SECONDS) as session:
        with in_our_words(access.address):
            async with session.cursor(row_factory=dict_row) as cursor:
                row: dict[str, Any] = await (await cursor.execute(_RIGHTS)).fetchone() or {}
            version = session.info.server_version
            told: tuple[object, ...] | None = (True, True) if row["is_superuser"] else (False, None)
            if version >= PRIVILEGES_SINCE:
                told = await (await session.execute(_PARAMETER_RIGHTS, [PARAMETER, PARAMETER])).fetchone()
    alter_system, may_set = told or (None, None)
    return Rights(version=version, alter_system=_known(alter_system), set_parameter=_known(may_set), **row)


def _known(given: object) -> bool | None:
    return None if given is None else bool(given)


async def carry_out(access: Access, settings: Changes, step: Step) -> None:
    """Every statement has been executed. Raises AccessDenied naming the grant, or what the server refuses."""
    async with changing_session(access, settings, statement_timeout=STATEMENT_SECONDS) as session:
        with in_our_words(access.address, f"GRANT ALTER SYSTEM ON PARAMETER {PARAMETER} (15+), or use scope=database"):
            for statement in step.statements:
                await session.execute(statement.encode())


async def read_back(access: Access, settings: Changes, step: Step) -> tuple[SlowLog, bool]:
    """What a new session finds, and whether that is what was wanted: asked until it is, for ten seconds."""
    deadline = time.monotonic() + _CONFIRMED_WITHIN
    while True:
        log = await look(access, settings)
        well = confirmed(step.scope, step.value, log)
        if well or time.monotonic() > deadline:
            return log, well
        await asyncio.sleep(_ASK_AGAIN)
