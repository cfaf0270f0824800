"""Against real databases with both applications' tables: who is unusually busy, told by their own past."""

from pathlib import Path

import pytest

import atomops.sandbox
from atomops.facts.executions import ExecutionFacts
from atomops.probes.parts import EXECUTIONS, LOGINS
from atomops.scratch.postgres import PostgresServer
from atomops.verdict import Unseen
from tests.targets import findings, look, target

SCHEMAS = Path(atomops.sandbox.__file__).parent / "schemas"
PAST = """
INSERT INTO agent_registry (id, name) SELECT unnest(ARRAY['clock', 'inbox', 'fresh', 'calm']), 'x';
INSERT INTO {table} (agent_id, {more} started_at)
SELECT 'clock', {robot} now() - hour * interval '1 hour' - number * interval '7 seconds'
FROM generate_series(0, 80) AS hour, generate_series(1, 200) AS number
UNION ALL SELECT 'inbox', {ada} now() - hour * interval '1 hour' - interval '9 minutes'
FROM generate_series(1, 99) AS hour
UNION ALL SELECT 'inbox', {ada} now() - number * interval '5 seconds' FROM generate_series(1, 90) AS number
UNION ALL SELECT 'fresh', {eve} now() - number * interval '5 seconds' FROM generate_series(1, 120) AS number
UNION ALL SELECT 'calm', {ada} now() - number * interval '9 minutes' FROM generate_series(1, 5) AS number;
"""
GUIDE = PAST.format(
    table="agent_execution",
    more="user_id, ip_address,",
    robot="'robot', '10.0.0.1'::inet,",
    ada="'ada', ('10.0.1.' || 1)::inet,",
    eve="'eve', ('203.0.113.' || number % 25)::inet,",
)
OWNERS = """
ALTER TABLE agent_executions ALTER id SET DEFAULT gen_random_uuid();
INSERT INTO users (id, email) SELECT name, name FROM unnest(ARRAY['robot', 'ada', 'eve']) AS name;
"""
ATOM = (
    OWNERS
    + PAST.format(table="agent_executions", more="", robot="", ada="", eve="")
    + """
UPDATE agent_registry SET user_id = CASE id WHEN 'clock' THEN 'robot' WHEN 'fresh' THEN 'eve' ELSE 'ada' END;
"""
)


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> PostgresServer:
    for name, past in (("guide", GUIDE), ("atom", ATOM)):
        script = (SCHEMAS / f"{name}.sql").read_text(encoding="utf-8") + past
        postgres.create_database(f"audited_{name}", script)
    postgres.create_database("audited_nothing", "CREATE TABLE agent_execution (id int)")
    postgres.create_reader("auditor", "hunter2-of-the-auditor")
    return postgres


def seen_in(server: PostgresServer, database: str, **parts: object) -> ExecutionFacts:
    dsn = {"dsn": server.dsn(database, "auditor"), "password": "env:X"}
    facts = look(EXECUTIONS, target("hunter2-of-the-auditor", postgres=dsn, **parts))
    assert isinstance(facts, ExecutionFacts)
    return facts


@pytest.mark.parametrize("profile", ["guide", "atom"])
def test_a_steady_scheduler_is_usual_a_jump_and_a_newcomer_are_not(server: PostgresServer, profile: str) -> None:
    seen = seen_in(server, f"audited_{profile}")
    assert seen.profile == profile
    found = findings(EXECUTIONS, seen)
    unusual = found["SEC-EXECUTIONS-UNUSUAL"]
    assert (unusual.level, unusual.observed) == ("WARNING", 2)
    assert unusual.evidence is not None
    assert [row[:3] for row in unusual.evidence.rows] == [("eve", "fresh", "120"), ("ada", "inbox", "90")]
    assert isinstance(seen.hours, tuple)
    assert {hour.agent for hour in seen.hours} == {"clock", "inbox", "fresh"}
    everything = found["SEC-EXECUTIONS"]
    assert everything.evidence is not None
    assert everything.evidence.rows[0][:2] == ("robot", "clock")
    assert everything.observed == seen.total
    assert seen.pairs == 4


def test_addresses_are_counted_where_there_is_a_column_for_them(server: PostgresServer) -> None:
    finding = findings(EXECUTIONS, seen_in(server, "audited_guide"))["SEC-EXECUTIONS-ADDRESSES"]
    assert (finding.level, finding.observed) == ("CRITICAL", 25)
    assert "25 addresses" in finding.summary
    assert seen_in(server, "audited_atom").addresses is None


def test_a_missing_column_or_table_is_unknown_by_its_name(server: PostgresServer) -> None:
    seen = seen_in(server, "audited_nothing", profile="guide")
    assert isinstance(seen.hours, Unseen)
    assert "column" in seen.hours.reason
    assert "in a profile of your own" in seen.hours.action
    seen = seen_in(server, "audited_nothing", profile="atom")
    assert isinstance(seen.by_pair, Unseen)
    assert "there is no table agent_executions" in seen.by_pair.reason
    assert isinstance(seen_in(server, "postgres").profile, Unseen)


def test_failed_logins_of_the_audit_table_are_counted_by_account_and_address(server: PostgresServer) -> None:
    with server.connect("audited_atom") as session:
        session.execute("""
            INSERT INTO saas_audit_logs (id, action, user_email, ip_address, "timestamp")
            SELECT 'a' || n, 'login_failed', 'ada@example.com', '203.0.113.7', now() - n * interval '1 minute'
            FROM generate_series(1, 30) AS n
            UNION ALL SELECT 'b' || n, 'login_failed', NULL, NULL, now() - interval '1 minute'
            FROM generate_series(1, 4) AS n
            UNION ALL SELECT 'c' || n, 'login', 'bob', '10.0.0.9', now() FROM generate_series(1, 9) AS n
            UNION ALL SELECT 'd' || n, 'login_failed', 'old', '10.0.0.9', now() - interval '2 days'
            FROM generate_series(1, 9) AS n
        """)
    dsn = {"dsn": server.dsn("audited_atom", "auditor"), "password": "env:X"}
    found = findings(LOGINS, look(LOGINS, target("hunter2-of-the-auditor", postgres=dsn)))
    assert found["SEC-LOGINS-TABLE"].observed == 34
    assert found["SEC-LOGINS-ADDRESS"].summary == "30 failed logins from 203.0.113.7 in 24 h"
    assert found["SEC-LOGINS-ACCOUNT"].level == "WARNING"
    assert "SEC-LOGINS-LOG" not in found
