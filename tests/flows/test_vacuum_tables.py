"""Vacuum as Prefect runs it: what it does, what a dry run never does, how it ends, and what it leaves to be read."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atomops.cli.doctor import doctor
from atomops.scratch.postgres import PostgresServer
from flows.vacuum_tables import vacuum_tables
from tests.flows.running import artifacts, run, run_late, write
from tests.vacuums import THREE, delete_some, everything, locked, role, undisturbed

DATABASE = "flow_of_vacuums"


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> Iterator[PostgresServer]:
    with undisturbed(postgres, DATABASE):
        yield postgres


@pytest.fixture
def world(server: PostgresServer, inventory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PASSWORD", server.password)
    write(inventory, 'profile = "guide"', **_parts(server))
    return inventory


def _parts(server: PostgresServer, user: str = "postgres") -> dict[str, str]:
    return {
        "postgres": f'dsn = "{server.dsn(DATABASE)}"\npassword = "env:PASSWORD"',
        "changes": f'dsn = "{server.dsn(DATABASE, user)}"\npassword = "env:PASSWORD"\nlock_timeout = 0.3',
    }


def findings(report: Any) -> dict[str, Any]:  # noqa: ANN401 - a report, or the error that it raised
    return {finding.code: finding for finding in report.findings}


def test_the_guides_three_tables_are_vacuumed_and_it_is_on_record(world: Path, server: PostgresServer) -> None:
    state, report = run(vacuum_tables)

    assert (state.name, str(report.level)) == ("Completed", "OK")
    assert findings(report)["VACUUM-DONE"].observed == 3
    (shown,) = artifacts("vacuum-tables-test")
    assert "dead rows removed from 3 tables" in shown.data
    assert server.password not in shown.data
    started, ended = map(json.loads, (world.parent / "history" / "test" / "audit.jsonl").read_text().splitlines())
    assert (started["result"], ended["result"]) == ("started", "done")
    assert ended["plan"][0] == 'VACUUM (ANALYZE, SKIP_DATABASE_STATS) "public"."agent_execution"'
    assert ended["before"]["public.episode"]["dead_rows"] == 500
    assert ended["after"]["public.episode"][1]["dead_rows"] == 0


def test_a_dry_run_shows_every_statement_and_changes_nothing(world: Path, server: PostgresServer) -> None:
    delete_some(server, DATABASE, "episode", 10)
    before = everything(server, DATABASE)

    state, report = run(vacuum_tables, dry_run=True, full=True, freeze=True, cost_delay=2, tables=("episode", "part"))

    assert everything(server, DATABASE) == before
    assert state.is_completed()
    shown = [row[0] for row in findings(report)["VACUUM-RUN"].evidence.rows]
    assert shown == [
        "SET \"vacuum_cost_delay\" = '2ms'",
        'VACUUM (FULL, FREEZE, ANALYZE, SKIP_DATABASE_STATS) "public"."episode"',
        'VACUUM (FULL, FREEZE, SKIP_DATABASE_STATS) "public"."part_1"',
        'VACUUM (FULL, FREEZE, SKIP_DATABASE_STATS) "public"."part_2a"',
        'ANALYZE "public"."part"',
        "VACUUM (ONLY_DATABASE_STATS)",
    ]
    assert "ACCESS EXCLUSIVE" in findings(report)["VACUUM-FULL"].summary
    assert not (world.parent / "history" / "test" / "audit.jsonl").exists()


def test_a_locked_table_is_a_warning_and_the_others_are_done(world: Path, server: PostgresServer) -> None:
    with locked(server, DATABASE, "LOCK TABLE episode"):
        state, report = run(vacuum_tables)
    assert state.name == "WARNING"
    assert "public.episode is locked: backend" in findings(report)["VACUUM-LOCKED"].summary
    assert findings(report)["VACUUM-DONE"].observed == 2
    last = json.loads((world.parent / "history" / "test" / "audit.jsonl").read_text().splitlines()[-1])
    assert last["result"] == "2 of 3 tables vacuumed"


def test_a_role_without_the_right_fails_and_is_told_the_statement(world: Path, server: PostgresServer) -> None:
    with role(server, "no_right"):
        write(world, 'profile = "guide"', **_parts(server, "no_right"))
        state, report = run(vacuum_tables)
    assert state.is_failed()
    rows = findings(report)["VACUUM-FORBIDDEN"].evidence.rows
    assert [row[0] for row in rows] == list(THREE)
    assert rows[0][2] == 'GRANT MAINTAIN ON TABLE "public"."agent_execution" TO "no_right";'


def test_the_doctor_names_the_grant_that_is_missing(
    world: Path, server: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with role(server, "no_right"):
        write(world, 'profile = "guide"', **_parts(server, "no_right"))
        doctor(target="test", inventory=world)
    said = " ".join(capsys.readouterr().out.split())
    assert "! vacuum answers in" in said
    assert "but 3 things cannot be seen: the role no_right may not vacuum public.agent_execution" in said
    assert 'GRANT MAINTAIN ON TABLE "public"."episode" TO "no_right";' in said
    assert "vacuum-tables will work" in said


def test_nonsense_is_refused_before_anything_begins(world: Path) -> None:
    assert world.exists()
    for nonsense in ({"jobs": 0}, {"choose": "all"}, {"within": -1}, {"tables": ("",)}, {"truncate": "maybe"}):
        state, _ = run(vacuum_tables, **nonsense)
        assert state.is_failed(), nonsense
        assert "validation error" in (state.message or "").lower() or "invalid parameters" in (state.message or "")
    state, report = run(vacuum_tables, full=True, parallel_workers=2)
    assert state.is_failed()
    assert "cannot be done in parallel" in findings(report)["VACUUM-RUN"].summary


def test_a_run_that_comes_hours_late_is_stale(world: Path) -> None:
    assert world.exists()
    assert run_late(vacuum_tables, dt.datetime.now(dt.UTC) - dt.timedelta(hours=5)).name == "STALE"


def test_the_form_explains_every_parameter(world: Path) -> None:
    assert world.exists()
    for name, field in vacuum_tables.parameters.properties.items():
        assert field.get("description"), name
    assert vacuum_tables.parameters.properties["truncate"]["enum"] == ["auto", "on", "off"]
