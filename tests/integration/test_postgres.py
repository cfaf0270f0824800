import contextlib
import threading
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import TypeAdapter

from atomops.facts.postgres import PostgresFacts
from atomops.inventory import Target
from atomops.probes.parts import AGENTS, EPISODES, POSTGRES, SKILLS, USERS
from atomops.profiles import BUILT_IN
from atomops.scratch.postgres import PostgresServer
from atomops.verdict import Finding, Level, Unseen
from tests.postgres_servers import postgres_server
from tests.rounds import thoroughly
from tests.servers import MAJORS
from tests.targets import findings, look, reach, target
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "atomops" / "sandbox" / "schemas"
DATA = ROOT / "tests" / "data"
SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements",
    "max_prepared_transactions": "2",
    "deadlock_timeout": "20ms",
    "autovacuum": "off",
}
READER = "atom reader"  # needs quoting on purpose
PASSWORD = "correct horse"
FAULTS = """
CREATE EXTENSION pg_stat_statements;
CREATE SCHEMA "Größe";
CREATE TABLE "Größe"."Ta""ble" (id smallserial PRIMARY KEY, "näme" text);
CREATE INDEX one ON "Größe"."Ta""ble" ("näme");
CREATE INDEX two ON "Größe"."Ta""ble" ("näme");
CREATE TABLE child (id bigint PRIMARY KEY, parent smallint REFERENCES "Größe"."Ta""ble");
SELECT setval('"Größe"."Ta""ble_id_seq"', 32000);
CREATE TABLE doubles (value int);
INSERT INTO doubles VALUES (1), (1);
CREATE TABLE dead (value int);
INSERT INTO dead SELECT generate_series(1, 20000);
UPDATE dead SET value = 0;
SELECT pg_stat_clear_snapshot();
"""


@pytest.fixture(scope="module", params=thoroughly(MAJORS, short=[13, 17, 18]))
def faulty(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[PostgresServer]:
    """A server of each major with every fault that stays by itself."""
    with postgres_server(request.param, server_folder, settings=SETTINGS) as server:
        grants = ("pg_monitor", "pg_read_all_data") if request.param >= 14 else ("pg_monitor",)
        server.create_reader(READER, PASSWORD, grants=grants)
        server.create_database("fa ulty", FAULTS)
        with server.connect("fa ulty") as session:
            if request.param < 14:
                session.execute(f'GRANT USAGE ON SCHEMA "Größe" TO "{READER}"')
                for schema in ('"Größe"', "public"):
                    session.execute(f'GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO "{READER}"'.encode())
            with contextlib.suppress(psycopg.errors.UniqueViolation):
                session.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON doubles (value)")
        yield server


def reader(server: PostgresServer, database: str = "fa ulty", *, role: str = READER, **settings: float) -> Target:
    return target(PASSWORD, postgres={"dsn": server.dsn(database, role), "password": "env:P", **settings})


def test_every_question_is_answered_on_every_major_for_a_role_that_only_reads(faulty: PostgresServer) -> None:
    seen: PostgresFacts = look(POSTGRES, reader(faulty))
    hidden = {field.name: getattr(seen, field.name) for field in fields(seen)}
    hidden = {name: value for name, value in hidden.items() if isinstance(value, Unseen) and name != "profile"}
    assert not hidden
    adapter = TypeAdapter(PostgresFacts)
    assert adapter.validate_json(adapter.dump_json(seen)) == seen


def test_every_statement_of_the_reports_is_understood_on_every_major(faulty: PostgresServer) -> None:
    for schema in BUILT_IN:
        grant = f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{READER}"'
        faulty.create_database(schema, (SCHEMAS / f"{schema}.sql").read_text(encoding="utf-8") + grant)
        for part in (AGENTS, SKILLS, EPISODES, USERS):
            _, gaps = reach(part, reader(faulty, schema))
            assert not gaps


def test_the_faults_of_a_schema_are_found_whatever_its_names(faulty: PostgresServer) -> None:
    found = findings(POSTGRES, look(POSTGRES, reader(faulty)))
    assert found["PG-INDEX-INVALID"].level is Level.CRITICAL
    assert found["PG-INDEX-INVALID"].action == "REINDEX INDEX CONCURRENTLY public.broken;"
    assert found["PG-INDEX-DUPLICATE"].observed == 1
    assert found["PG-INDEX-DUPLICATE"].action == 'DROP INDEX CONCURRENTLY "Größe".two;'
    assert found["PG-FOREIGN-KEY-NO-INDEX"].action == "CREATE INDEX CONCURRENTLY ON child (parent);"
    assert found["PG-SEQUENCE-EXHAUSTION"].level is Level.CRITICAL
    assert '"Größe"."Ta""ble"' in found["PG-SEQUENCE-EXHAUSTION"].action
    assert found["PG-REACHABLE"].level is Level.OK
    assert found["PG-CLOCK-SKEW"].level is Level.OK


def test_dead_rows_are_seen_once_the_statistics_have_come(faulty: PostgresServer) -> None:
    finding = wait_until(lambda: _fault(faulty, "PG-DEAD-TUPLES"), "the server's statistics")
    assert finding.action == "VACUUM (ANALYZE) public.dead;"


def _fault(server: PostgresServer, code: str, *before: PostgresFacts) -> Finding | None:
    """The finding, once it is one."""
    finding = findings(POSTGRES, look(POSTGRES, reader(server)), *before)[code]
    return None if finding.level is Level.OK else finding


def test_sessions_that_wait_or_idle_or_run_are_told_apart(faulty: PostgresServer) -> None:
    with faulty.connect("fa ulty") as idle, faulty.connect("fa ulty") as waiting, faulty.connect("fa ulty") as running:
        holder, waiter = idle.info.backend_pid, waiting.info.backend_pid
        idle.execute("BEGIN")
        idle.execute("LOCK TABLE child")
        blocked = threading.Thread(target=_fails, args=(waiting, "SELECT 'a secret', * FROM child"))
        busy = threading.Thread(target=_fails, args=(running, "SELECT pg_sleep(60)"))
        blocked.start()
        busy.start()
        wait_until(lambda: _at_work(faulty) == {(waiter, "Lock"), (running.info.backend_pid, "Timeout")}, "both")
        found = findings(POSTGRES, look(POSTGRES, reader(faulty)))
        for pid in (waiter, running.info.backend_pid):
            idle.execute("SELECT pg_cancel_backend(%s)", [pid])
        idle.execute("ROLLBACK")
        blocked.join()
        busy.join()
    assert "1 session wait for a lock" in found["PG-LOCK-WAIT"].summary
    assert str(holder) in found["PG-LOCK-WAIT"].action
    assert "a secret" not in str(found["PG-LOCK-WAIT"].evidence)
    assert str(holder) in found["PG-IDLE-IN-TRANSACTION"].summary
    assert (found["PG-QUERY-LONG"].observed or 0) > 0
    assert found["PG-TRANSACTION-LONG"].observed


def _at_work(server: PostgresServer) -> set[Any]:
    """Who waits for what in the middle of a statement."""
    question = "SELECT pid, wait_event_type FROM pg_stat_activity WHERE datname = 'fa ulty' AND state = 'active'"
    with server.connect() as session:
        return set(session.execute(question))


def _fails(session: psycopg.Connection, statement: str) -> None:
    with contextlib.suppress(psycopg.errors.QueryCanceled):
        session.execute(statement.encode())


def test_a_forgotten_prepared_transaction_is_found(faulty: PostgresServer) -> None:
    with faulty.connect("fa ulty") as session:
        session.execute("BEGIN; CREATE TABLE prepared (); PREPARE TRANSACTION 'forgotten'")
    try:
        finding = wait_until(lambda: _fault(faulty, "PG-PREPARED-TRANSACTIONS"), "a second of its age")
    finally:
        with faulty.connect("fa ulty") as session:
            session.execute("ROLLBACK PREPARED 'forgotten'")
    assert finding.level is Level.WARNING
    assert "forgotten" in str(finding.evidence)


def test_deadlocks_are_judged_as_the_change_since_the_last_look(faulty: PostgresServer) -> None:
    before = look(POSTGRES, reader(faulty))
    _deadlock(faulty)
    finding = wait_until(lambda: _fault(faulty, "PG-DEADLOCKS", before), "the server's statistics")
    assert (finding.level, finding.observed) == (Level.WARNING, 1)


def _deadlock(server: PostgresServer) -> None:
    with server.connect("fa ulty") as one, server.connect("fa ulty") as other:
        for session, first in ((one, "dead"), (other, "doubles")):
            session.execute("BEGIN")
            session.execute(f"LOCK TABLE {first}".encode())
        thread = threading.Thread(target=_loses, args=(one, "LOCK TABLE doubles"))
        thread.start()
        _loses(other, "LOCK TABLE dead")
        thread.join()


def _loses(session: psycopg.Connection, statement: str) -> None:
    with contextlib.suppress(psycopg.errors.DeadlockDetected):
        session.execute(statement.encode())
    session.execute("ROLLBACK")


def test_the_reading_session_cannot_write_and_is_named(faulty: PostgresServer) -> None:
    look(POSTGRES, reader(faulty))
    with faulty.connect("fa ulty") as session:
        session.execute("SET default_transaction_read_only = on")
    seen: PostgresFacts = look(POSTGRES, reader(faulty))
    assert isinstance(seen.clients, tuple)
    assert any(group.application == "atomops" for group in seen.clients)


@pytest.mark.parametrize("schema", ["atom", "guide"])
def test_both_schemas_answer_the_questions_on_agents(postgres: PostgresServer, schema: str) -> None:
    database = f"agents_{schema}"
    rows = (DATA / f"agents-{schema}.sql").read_text(encoding="utf-8")
    postgres.create_database(database, (SCHEMAS / f"{schema}.sql").read_text(encoding="utf-8") + rows)
    with contextlib.suppress(psycopg.errors.DuplicateObject):
        postgres.create_reader("agents", PASSWORD)
    seen: PostgresFacts = look(POSTGRES, reader(postgres, database, role="agents"))
    found = findings(POSTGRES, seen)
    assert seen.profile == schema
    assert found["AGENT-EXECUTIONS"].summary == (
        "10 executions by 2 agents in the last hour; 9 finished in 30.0 s on average, 1 not yet"
    )
    assert found["AGENT-FAILED-RATIO"].level is Level.WARNING
    assert found["AGENT-FAILED-RATIO"].observed == 20
    assert found["AGENT-STUCK"].observed == 1
    assert found["SKILL-FAILED-RATIO"].observed == 25
    assert found["PG-TABLES-TOP"].level is Level.OK


def test_a_missing_table_makes_only_its_own_questions_unknown(postgres: PostgresServer) -> None:
    postgres.create_database("half", (SCHEMAS / "guide.sql").read_text() + "DROP TABLE skill_execution;")
    postgres.create_reader("half", PASSWORD)
    found = findings(POSTGRES, look(POSTGRES, reader(postgres, "half", role="half")))
    assert found["SKILL-FAILED-RATIO"].level is Level.UNKNOWN
    assert "skill_execution" in found["SKILL-FAILED-RATIO"].summary
    assert found["AGENT-EXECUTIONS"].level is Level.OK


def test_an_empty_database_is_no_profile_and_no_error(postgres: PostgresServer) -> None:
    postgres.create_database("empty")
    postgres.create_reader("empty", PASSWORD)
    found = findings(POSTGRES, look(POSTGRES, reader(postgres, "empty", role="empty")))
    assert found["AGENT-EXECUTIONS"].level is Level.UNKNOWN
    assert "no profile's tables" in found["AGENT-EXECUTIONS"].summary
    assert found["PG-INDEX-INVALID"].level is Level.OK


def test_a_role_without_pg_monitor_is_told_the_grant_and_nothing_hidden_is_ok(postgres: PostgresServer) -> None:
    postgres.create_reader('o"dd', PASSWORD, grants=())
    found = findings(POSTGRES, look(POSTGRES, reader(postgres, "postgres", role='o"dd')))
    for code in ("PG-CONNECTIONS", "PG-TRANSACTION-LONG", "PG-LOCK-WAIT", "PG-REPLICATION-LAG", "PG-STATEMENTS-SLOW"):
        assert found[code].level is Level.UNKNOWN, code
    assert found["PG-CONNECTIONS"].action == 'GRANT pg_monitor TO "o""dd";'
    assert found["PG-XID-AGE"].level is Level.OK


def test_a_sequence_that_may_not_be_read_is_not_a_fresh_one(postgres: PostgresServer) -> None:
    postgres.create_database("sequences", "CREATE TABLE t (id serial); SELECT setval('t_id_seq', 2147483600)")
    postgres.create_reader("monitor only", PASSWORD, grants=("pg_monitor",))
    found = findings(POSTGRES, look(POSTGRES, reader(postgres, "sequences", role="monitor only")))
    assert found["PG-SEQUENCE-EXHAUSTION"].level is Level.UNKNOWN
    assert found["PG-SEQUENCE-EXHAUSTION"].action == 'GRANT pg_read_all_data TO "monitor only";'


def test_a_missing_extension_names_what_installs_it(postgres: PostgresServer) -> None:
    postgres.create_reader("plain", PASSWORD)
    found = findings(POSTGRES, look(POSTGRES, reader(postgres, "postgres", role="plain")))
    assert found["PG-STATEMENTS-SLOW"].level is Level.UNKNOWN
    assert "CREATE EXTENSION pg_stat_statements" in found["PG-STATEMENTS-SLOW"].action


def test_a_table_locked_by_an_alter_does_not_hold_the_look(postgres: PostgresServer) -> None:
    postgres.create_database("locked", "CREATE TABLE t (id serial PRIMARY KEY)")
    postgres.create_reader("locked", PASSWORD)
    with postgres.connect("locked") as session:
        session.execute("BEGIN")
        session.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        found = findings(POSTGRES, look(POSTGRES, reader(postgres, "locked", role="locked")))
    assert found["PG-TABLES-TOP"].level is Level.OK
