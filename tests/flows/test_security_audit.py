"""The audit as Prefect runs it: on real servers with holes, on servers that are down, and late."""

import datetime as dt
from pathlib import Path

import pytest

from atomops.sandbox.redis import RedisServer
from atomops.scratch.postgres import PostgresServer
from flows.security_audit import security_audit
from tests.flows.conftest import PASSWORD
from tests.flows.running import artifacts, run, run_late, write
from tests.peers import refused_port

SECTIONS = {"Executions", "Failed logins", "Roles", "Rights", "Server settings", "Redis access"}
LINES = """WARNING:api.auth:Failed login for ada@example.com from 203.0.113.7 with token=hunter2-of-ada
INFO:api.docs:unauthorized is what we answer with 401
"""


def test_what_is_open_is_told_without_any_secret_and_compared_the_next_day(
    inventory: Path, postgres: PostgresServer, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = inventory.parent / "atom.log"
    log.write_text(LINES * 60, encoding="utf-8")
    monkeypatch.setenv("DATABASE", postgres.password)
    monkeypatch.setenv("CACHE", str(redis.password))
    write(
        inventory,
        postgres=f'dsn = "{postgres.dsn()}"\npassword = "env:DATABASE"',
        redis=f'url = "{redis.url}"\npassword = "env:CACHE"',
        logs=f'paths = ["{log}"]',
        security=f'hosts = ["127.0.0.1:{refused_port()}"]',
    )
    state, report = run(security_audit)
    levels = {finding.code: str(finding.level) for finding in report.findings}
    assert levels["SEC-LOGINS-ADDRESS"] == "WARNING"
    assert levels["SEC-LOGINS-ACCOUNT"] == "CRITICAL"
    assert levels["SEC-TLS-REACHABLE"] == "CRITICAL"
    assert levels["SEC-REDIS-OPEN"] == "OK"
    assert levels["SEC-EXECUTIONS"] == "UNKNOWN"  # no profile's tables are in this database
    assert state.is_failed()
    assert {finding.section for finding in report.findings} >= SECTIONS
    _, again = run(security_audit)
    assert {finding.code for finding in again.findings} >= {"SEC-LOGINS-NEW"}
    for shown in (str(report), *(str(artifact.data) for artifact in artifacts("security-audit-test"))):
        assert not [secret for secret in ("hunter2", postgres.password, str(redis.password)) if secret in shown]
        assert "203.0.113.7" in shown


def test_with_every_server_down_nothing_is_ok(inventory: Path) -> None:
    port = refused_port()
    write(
        inventory,
        app=f'url = "https://127.0.0.1:{port}"',
        postgres=f'dsn = "postgresql://a@127.0.0.1:{port}/atom"\npassword = "env:PASSWORD"',
        redis=f'url = "redis://127.0.0.1:{port}"\npassword = "env:PASSWORD"',
        logs='paths = ["/nowhere/atom.log"]',
    )
    state, report = run(security_audit)
    assert state.is_failed()
    assert not [finding.code for finding in report.findings if finding.level == "OK"]
    assert {finding.section for finding in report.findings} == SECTIONS | {"Certificates"}
    assert PASSWORD not in str(report)


def test_nothing_configured_is_not_checked_and_a_late_run_is_stale(inventory: Path) -> None:
    write(inventory)
    state, report = run(security_audit)
    assert state.name == "UNKNOWN"
    assert {gap.section for gap in report.not_checked} >= SECTIONS | {"Certificates"}
    assert run_late(security_audit, dt.datetime.now(dt.UTC) - dt.timedelta(hours=3)).name == "STALE"
