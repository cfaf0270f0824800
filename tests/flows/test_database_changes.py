"""The three changes of the live database as Prefect runs them: shown, refused, done, on record, and taken back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from atomops.cli.doctor import doctor
from atomops.scratch.postgres import PostgresServer
from flows.set_user_role import set_user_role
from flows.terminate_sessions import terminate_sessions
from flows.tune_database import tune_database
from tests.flows.running import AnyFlow, artifacts, run, write

DATABASE = "flow_of_changes"
SCRIPT = """
CREATE TABLE agent_execution (id int);
CREATE TABLE users (id text PRIMARY KEY, username text, email text, password text DEFAULT 'a-hash', role text,
                    created_at timestamptz DEFAULT now(), updated_at timestamptz);
INSERT INTO users (id, username, email, role) VALUES ('1', 'root', 'root@example.com', 'admin'),
                                                     ('2', 'ann', 'ann@example.com', 'member');
"""
EVERYTHING = """
    SELECT (SELECT array_agg(users::text ORDER BY id) FROM users),
           (SELECT array_agg(line::text) FROM pg_file_settings AS line WHERE name LIKE 'log_min%'),
           (SELECT array_agg(setting::text) FROM pg_db_role_setting AS setting)
"""


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> Iterator[PostgresServer]:
    postgres.create_database(DATABASE, SCRIPT)
    yield postgres
    with postgres.connect() as session:
        session.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest.fixture
def world(server: PostgresServer, inventory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PASSWORD", server.password)
    _write(inventory, server)
    return inventory


def _write(inventory: Path, server: PostgresServer, changer: str = "postgres") -> None:
    postgres = f'dsn = "{server.dsn(DATABASE)}"\npassword = "env:PASSWORD"'
    changes = f'dsn = "{server.dsn(DATABASE, changer)}"\npassword = "env:PASSWORD"\nlock_timeout = 0.3'
    write(inventory, 'profile = "guide"', postgres=postgres, changes=changes)


def everything(server: PostgresServer) -> Any:  # noqa: ANN401 - rows to be compared
    with server.connect(DATABASE) as session:
        return session.execute(EVERYTHING).fetchone()


def findings(report: Any) -> dict[str, Any]:  # noqa: ANN401 - a report, or the error that it raised
    return {finding.code: finding for finding in report.findings}


def last_lines(world: Path) -> list[Any]:
    return [json.loads(line) for line in (world.parent / "history" / "test" / "audit.jsonl").read_text().splitlines()]


def test_a_dry_run_shows_the_row_and_the_statement_then_it_is_done_and_on_record(
    world: Path, server: PostgresServer
) -> None:
    before = everything(server)
    state, report = run(set_user_role, user="Ann@example.com", role="admin")
    assert state.name == "Completed"
    shown = dict(findings(report)["USER-ROLE-DONE"].evidence.rows)
    assert shown["the row"] == "id=2, username=ann, email=ann@example.com, role=member"
    assert shown["would be executed"].startswith(
        'UPDATE "public"."users" SET "role" = \'admin\', "updated_at" = now() WHERE'
    )
    assert everything(server) == before
    assert not (world.parent / "history" / "test" / "audit.jsonl").exists()

    state, report = run(set_user_role, user=2, role="admin", dry_run=False)
    assert (state.name, state.message) == ("Completed", report.summary)
    assert findings(report)["USER-ROLE-DONE"].summary == "ann (2) is admin now, and was member"
    started, ended = last_lines(world)
    assert (started["result"], ended["result"]) == ("started", "done")
    assert (ended["before"]["user"]["role"], ended["after"]["user"]["role"]) == ("member", "admin")
    assert "a-hash" not in json.dumps(ended) + artifacts("set-user-role-test")[-1].data

    state, report = run(set_user_role, user="root", role="boss", dry_run=False)
    assert state.is_failed()
    assert last_lines(world)[-1]["result"] == "refused: nobody knows a role 'boss'"


def test_slow_statements_are_logged_and_it_goes_back(world: Path, server: PostgresServer) -> None:
    before = everything(server)
    for parameters in ({}, {"slow_statement_ms": 700}, {"slow_statement_ms": 700, "scope": "database"}):
        state, report = run(tune_database, **parameters)
        assert findings(report)["PG-FOREIGN-KEY-NO-INDEX"].level.value == "OK"
        assert "PG-XID-AGE" not in findings(report)
        assert everything(server) == before
    assert findings(report)["TUNE-DONE"].evidence.rows[-1][1].startswith('ALTER DATABASE "flow_of_changes" SET')

    state, report = run(tune_database, slow_statement_ms=700, dry_run=False)
    assert findings(report)["TUNE-DONE"].summary == "the server logs statements of 700 ms or more"
    assert state.name == "UNKNOWN"  # this server has no pg_stat_statements
    assert last_lines(world)[-1]["after"]["slow_log"]["setting"]["value"] == "700"
    _, report = run(tune_database, undo=True, dry_run=False)
    assert findings(report)["TUNE-DONE"].summary == "go back to what the server logged before"
    assert everything(server) == before
    state, report = run(tune_database, undo=True, dry_run=False)
    assert state.is_failed()
    assert "nothing of ours is on record" in findings(report)["TUNE-DONE"].summary


def test_idle_sessions_are_listed_then_ended(world: Path, server: PostgresServer) -> None:
    server.create_reader("idler", server.password, grants=())
    held = psycopg.connect(server.dsn(DATABASE, "idler"), password=server.password, application_name="forgotten")
    held.execute("SELECT 1")
    soon = {"idle_in_transaction_minutes": 1e-6, "users": ("idler",)}

    state, report = run(terminate_sessions, **soon)
    assert state.name == "Completed"
    (row,) = findings(report)["SESSIONS-FOUND"].evidence.rows
    assert row[1:5] == ("idler", "forgotten", "127.0.0.1", "idle in transaction")
    held.execute("SELECT 1")

    _, report = run(terminate_sessions, **soon, dry_run=False)
    assert findings(report)["SESSIONS-TERMINATED"].summary == "1 session terminated"
    with pytest.raises(psycopg.OperationalError):
        held.execute("SELECT 1")
    assert last_lines(world)[-1]["result"] == "1 of 1 session terminated"
    with server.connect() as session:
        session.execute("DROP ROLE idler")


def test_the_doctor_names_every_grant_and_what_will_work(
    world: Path, server: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.create_reader("powerless", server.password, grants=())
    _write(world, server, "powerless")
    doctor(target="test", inventory=world)
    said = " ".join(capsys.readouterr().out.split())
    for grant in (
        'GRANT UPDATE ("role", "updated_at") ON public.users TO "powerless";',
        'GRANT ALTER SYSTEM ON PARAMETER log_min_duration_statement TO "powerless";',
        'GRANT pg_signal_backend TO "powerless";',
    ):
        assert grant in said
    for name in ("set-user-role", "tune-database", "terminate-sessions"):
        assert f"{name} will work" in " ".join(said.split())
    with server.connect() as session:
        session.execute("DROP ROLE powerless")


def test_the_forms_explain_every_parameter_and_refuse_nonsense(world: Path) -> None:
    assert world.exists()
    flows: tuple[AnyFlow, ...] = (set_user_role, tune_database, terminate_sessions)
    for flow in flows:
        for name, field in flow.parameters.properties.items():
            assert field.get("description"), f"{flow.name}: {name}"
    for flow, nonsense in (
        (set_user_role, {"user": "", "role": "admin"}),
        (tune_database, {"slow_statement_ms": -2}),
        (terminate_sessions, {"most": 0}),
    ):
        state, _ = run(flow, **nonsense)
        assert state.is_failed()
        assert "invalid parameters" in (state.message or "")
