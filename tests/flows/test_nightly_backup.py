"""The night as Prefect runs it: what it dumps and prunes, how it ends, and what it leaves to be read."""

import datetime as dt
import logging
from pathlib import Path
from typing import Any

import pytest

from atomops.facts.backup import BackupSet, Result
from atomops.restore.databases import REPLACED, Mark
from atomops.scratch.postgres import PostgresServer
from atomops.stores.local import LocalStore
from flows.end_of_day_checklist import end_of_day_checklist
from flows.nightly_backup import nightly_backup
from tests.backup_sets import backup_set, prepared, proof
from tests.flows.running import artifacts, run, run_late, write
from tests.nights import doing, everything_in, execute

pytestmark = pytest.mark.slow(50)

DATABASE = "night"
SCRIPT = """
CREATE TABLE agents (id serial PRIMARY KEY, name text);
INSERT INTO agents (name) SELECT 'a' FROM generate_series(1, 50);
CREATE TABLE secrets (a int);
"""


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> PostgresServer:
    postgres.create_database(DATABASE, SCRIPT)
    postgres.create_reader("night_reader", "hunter2-of-a-reader", grants=())
    with postgres.connect(DATABASE) as session:
        session.execute(
            "GRANT SELECT ON agents TO night_reader; GRANT SELECT ON SEQUENCE agents_id_seq TO night_reader"
        )
    return postgres


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store", "test")


@pytest.fixture
def world(server: PostgresServer, store: LocalStore, inventory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An inventory that backs the database up as its superuser."""
    monkeypatch.setenv("PASSWORD", server.password)
    write(inventory, **_parts(server, store))
    return inventory


def _parts(server: PostgresServer, store: LocalStore, user: str = "postgres", more: str = "") -> dict[str, str]:
    return {
        "postgres": f'dsn = "{server.dsn(DATABASE, user)}"\npassword = "env:PASSWORD"',
        "backups": f'store = "{store.name}"\n{more}',
    }


def nights(store: LocalStore, days: range, *, result: Result = Result.RESTORED) -> list[str]:
    """A set of each of these days ago, newest first."""
    newest = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    made = [backup_set(day, now=newest, database=DATABASE) for day in days]
    for each in made:
        store.publish(prepared(store.staging(each.id)), each.manifest)
        store.add_proof(each.id, proof(result, at=each.at, reason="2 tables differ"))
    return [each.id for each in made]


def findings(report: Any) -> dict[str, Any]:  # noqa: ANN401 - a report, or the error that it raised
    return {finding.code: finding for finding in report.findings}


def listed(store: LocalStore) -> tuple[BackupSet, ...]:
    return store.listing().sets


def test_a_good_night_is_ok_and_its_set_is_proven_in_every_store(
    server: PostgresServer, store: LocalStore, inventory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", server.password)
    second = LocalStore(tmp_path / "second", "test")
    write(inventory, **_parts(server, store, more=f'stores = [{{store = "{second.name}"}}]'))

    state, report = run(nightly_backup)

    assert (state.name, str(report.level)) == ("Completed", "OK")
    assert "restored, 2 tables, 50 rows equal" in report.summary
    for each in (store, second):
        (made,) = listed(each)
        assert made.is_proven
    (shown,) = artifacts("nightly-backup-test")
    assert "restored, 2 tables, 50 rows equal" in shown.data


def test_after_31_days_exactly_the_set_that_is_too_old_goes(world: Path, store: LocalStore) -> None:
    assert world.exists()
    history = nights(store, range(1, 32))

    _, report = run(nightly_backup)

    newest, *older = listed(store)
    assert newest.is_proven
    assert [each.id for each in older] == history[:29]
    assert findings(report)["NIGHT-PRUNED"].observed == 2


def test_with_the_last_31_days_all_failed_none_goes(world: Path, store: LocalStore) -> None:
    assert world.exists()
    history = nights(store, range(1, 32), result=Result.FAILED)

    _, report = run(nightly_backup)

    assert {each.id for each in listed(store)} > set(history)
    assert str(findings(report)["NIGHT-PRUNE-REFUSED"].level) == "WARNING"


def test_a_role_that_may_not_read_one_table_makes_it_critical_and_nothing_is_pruned(
    server: PostgresServer, store: LocalStore, inventory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", "hunter2-of-a-reader")
    write(inventory, **_parts(server, store, user="night_reader"))
    history = nights(store, range(1, 40))

    state, report = run(nightly_backup)

    assert state.is_failed()
    missing = findings(report)["NIGHT-DUMP-MISSING"]
    assert str(missing.level) == "CRITICAL"
    assert "GRANT SELECT ON TABLE public.secrets TO night_reader;" in {row[3] for row in missing.evidence.rows}
    assert {each.id for each in listed(store)} == set(history)
    assert [path.name for path in store.home.iterdir() if path.name.startswith(".")] == []


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(
    server: PostgresServer, store: LocalStore, inventory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", server.password)
    more = f'work_folder = "{tmp_path}/work"\nstores = [{{store = "{tmp_path}/not there yet"}}]'
    write(inventory, **_parts(server, store, more=more))
    history = nights(store, range(1, 32))
    store.staging("of-a-killed-run")
    before = everything_in(Path(store.name))

    state, report = run(nightly_backup, dry_run=True)

    assert state.is_completed()
    assert everything_in(Path(store.name)) == before
    assert {path.name for path in tmp_path.iterdir()} == {"history", inventory.name, "store"}
    assert "tells its time only by writing: not compared" in findings(report)["NIGHT-PRUNE-REFUSED"].summary
    would_go = [row[1] for row in findings(report)["NIGHT-PRUNED"].evidence.rows if row[2] == "would go"]
    assert would_go == history[29:]


def test_a_replaced_database_goes_in_the_night_after_its_time_when_a_role_may_drop_it(
    server: PostgresServer, store: LocalStore, inventory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", server.password)
    until = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    mark = Mark(REPLACED, DATABASE, until.isoformat(), "replaced by a set", until.isoformat()).text
    server.create_database("night_replaced_1")
    with server.connect() as session:
        session.execute(f"COMMENT ON DATABASE night_replaced_1 IS $mark${mark}$mark$".encode())
        session.execute("ALTER DATABASE night_replaced_1 ALLOW_CONNECTIONS false")
    parts = _parts(server, store)

    write(inventory, **parts)
    _, evening = run(end_of_day_checklist)
    overdue = findings(evening)["REPLACED-OVERDUE"]
    assert (overdue.section, str(overdue.level)) == ("Replaced databases", "WARNING")
    assert evening.trends["replaced.bytes"][-1][1] > 5_000_000
    _, powerless = run(nightly_backup)
    stays = findings(powerless)["NIGHT-REPLACED-STAYS"]
    assert (str(stays.level), 'DROP DATABASE "night_replaced_1"' in stays.action) == ("WARNING", True)

    write(inventory, **parts, changes=parts["postgres"])
    _, planned = run(nightly_backup, dry_run=True)
    assert findings(planned)["NIGHT-REPLACED-DROPPED"].evidence.rows[0][2] == "would go"
    _, night = run(nightly_backup)
    assert str(night.level) == "OK", night.summary
    assert findings(night)["NIGHT-REPLACED-DROPPED"].summary == "1 replaced database dropped"
    assert '"replaced":["night_replaced_1"]' in (store.home / "audit.jsonl").read_text()
    with server.connect() as session:
        assert session.execute("SELECT 1 FROM pg_database WHERE datname = 'night_replaced_1'").fetchone() is None


def test_a_store_that_fails_is_critical_and_the_other_one_has_the_set(
    server: PostgresServer, store: LocalStore, inventory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", server.password)
    (tmp_path / "broken").write_text("a file")
    write(inventory, **_parts(server, store, more=f'stores = [{{store = "{tmp_path}/broken"}}]'))

    state, report = run(nightly_backup)

    assert state.is_failed()
    assert str(findings(report)["NIGHT-STORE-FAILED"].level) == "CRITICAL"
    assert listed(store)[0].is_proven


def test_a_late_run_that_another_one_has_caught_up_is_stale(world: Path, store: LocalStore) -> None:
    assert world.exists()
    run(nightly_backup)
    assert run_late(nightly_backup, dt.datetime.now(dt.UTC) - dt.timedelta(hours=5)).name == "STALE"
    assert len(listed(store)) == 1
    assert run_late(nightly_backup, dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)).name == "Completed"
    assert len(listed(store)) == 2


def test_a_dump_that_is_torn_by_a_function_that_goes_meanwhile_is_made_again_and_that_is_told(
    server: PostgresServer, world: Path, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.exists()
    execute(server, DATABASE, "CREATE FUNCTION going() RETURNS int LANGUAGE sql AS 'SELECT 1'")()
    doing(monkeypatch, "_run", execute(server, DATABASE, "DROP FUNCTION going()"))

    state, report = run(nightly_backup)

    second, first = listed(store)
    assert first.proof is not None
    assert first.proof.result is Result.FAILED
    assert second.is_proven
    assert (state.name, str(report.level)) == ("Completed", "OK")
    assert f"{DATABASE} was dumped twice: {first.id} was torn" in findings(report)["NIGHT-DUMP-REPEATED"].summary


def test_no_password_is_left_anywhere(
    server: PostgresServer, world: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert world.exists()
    with caplog.at_level(logging.DEBUG):
        run(nightly_backup)

    shown = "".join(str(each.data) for each in artifacts("nightly-backup-test"))
    kept = [
        path.read_bytes()
        for folder in ("store", "history")
        for path in (tmp_path / folder).rglob("*")
        if path.is_file()
    ]
    assert kept
    assert server.password not in shown
    assert server.password not in caplog.text
    assert not any(server.password.encode() in content for content in kept)
