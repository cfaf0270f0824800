"""The restore as Prefect runs it: what a dry run says and leaves alone, how it ends, what is on record."""

import asyncio
import contextlib
import datetime as dt
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prefect.exceptions import ParameterTypeError
from psycopg import sql

from atomops import shell
from atomops.change.journal import Unfinished, remember
from atomops.change.lock import one_change_at_a_time
from atomops.facts.runtime import Instance, Running
from atomops.inventory import load_inventory
from atomops.reports.json import to_json
from atomops.reports.terminal import print_report
from atomops.scratch.installations import bundled_binaries
from atomops.scratch.postgres import PostgresServer
from atomops.stores.local import LocalStore
from flows.restore_database import restore_database
from tests.flows.running import artifacts, run, write
from tests.restores import Ground, flag_runtime, ground
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow(30)

DATABASE = 'the "live" one'
SCRIPT = r"""
CREATE TABLE agents (id int PRIMARY KEY, name text); INSERT INTO agents SELECT n, 'a' FROM generate_series(1, 50) AS n;
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET work_mem TO ''9MB''', current_database());
    EXECUTE format('GRANT CREATE ON DATABASE %I TO pg_monitor', current_database());
    EXECUTE format('COMMENT ON DATABASE %I IS ''it''''s ours''', current_database());
END $$;
"""
# Whatever autovacuum may write meanwhile is left out.
CATALOGUE = """
SELECT 'database', datname, (to_jsonb(d) - ARRAY['datfrozenxid', 'datminmxid'])::text FROM pg_database AS d
UNION ALL SELECT 'role', rolname, a::text FROM pg_authid AS a
UNION ALL SELECT 'relation', c.oid::text, (to_jsonb(c) - ARRAY[
    'relpages', 'reltuples', 'relallvisible', 'relfrozenxid', 'relminmxid', 'relhasindex'])::text FROM pg_class AS c
UNION ALL SELECT 'description', objoid::text, s::text FROM pg_shdescription AS s
UNION ALL SELECT 'setting', setdatabase::text, s::text FROM pg_db_role_setting AS s
UNION ALL
SELECT 'written', relname, concat_ws(',', n_tup_ins, n_tup_upd, n_tup_del, last_analyze) FROM pg_stat_all_tables
WHERE relname NOT IN ('pg_statistic', 'pg_class', 'pg_database')
ORDER BY 1, 2, 3
"""


@pytest.fixture(scope="module")
def made(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    at = ground(postgres, DATABASE, tmp_path_factory.mktemp("live"), SCRIPT)
    at.dump()
    return at


@pytest.fixture
def at(made: Ground, inventory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    """60 rows are live, the set has 50; the inventory in force says how."""
    monkeypatch.setenv("PASSWORD", made.server.password)
    made.execute("DELETE FROM agents; INSERT INTO agents SELECT n, 'b' FROM generate_series(1, 60) AS n")
    configure(made, inventory)
    yield made
    made.drop_ours()
    (made.folder / "running").touch()


def configure(at: Ground, inventory: Path, **scripts: str) -> None:
    commands = flag_runtime(at.folder, **scripts)
    write(
        inventory,
        postgres=f'dsn = "{at.server.dsn(DATABASE)}"\npassword = "env:PASSWORD"',
        backups=f'store = "{at.folder}/store"',
        runtime="\n".join(f"{name} = {json.dumps(value)}" for name, value in commands.items()),
    )


def restored(**parameters: object) -> tuple[Any, Any]:
    return run(restore_database, **({"dry_run": False} | parameters))


def findings(report: Any) -> dict[str, Any]:  # noqa: ANN401 - a report, or the error that it raised
    return {finding.code: finding for finding in report.findings}


def rows(at: Ground) -> int:
    return int(at.rows("SELECT count(*) FROM agents")[0])


def on_record(at: Ground) -> list[Any]:
    return [json.loads(line) for line in (at.folder / "store" / "test" / "audit.jsonl").read_text().splitlines()]


def catalogue(at: Ground) -> list[object]:
    """Everything that a server holds: what pg_dumpall tells of it, and what the catalogues of every database do."""
    held: list[object] = []
    with at.server.connect() as session:
        names = [name for (name,) in session.execute("SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1")]
    for name in names:
        with at.server.connect(name) as session:
            session.execute("SELECT pg_stat_clear_snapshot()")
            held.append(session.execute(CATALOGUE.encode()).fetchall())
    argv = [str(bundled_binaries() / "bin" / "pg_dumpall"), "--schema-only", f"--dbname={at.server.dsn()}"]
    output = asyncio.run(shell.run(argv, timeout=PATIENCE, env={"PGPASSWORD": at.server.password}))
    return [*held, [line for line in output.stdout.splitlines() if b"restrict" not in line]]


def files(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*")}


def test_a_dry_run_changes_nothing_at_all_and_is_what_happens_unless_it_is_told(at: Ground, inventory: Path) -> None:
    history = inventory.parent / "history"
    before, kept = catalogue(at), files(at.folder)

    state, report = run(restore_database)

    assert state.is_completed()
    assert "would bring back" in report.summary
    assert catalogue(at) == before
    assert files(at.folder) == kept
    assert {path.suffix for path in history.rglob("*") if path.is_file()} == {".json", ".html"}  # its own report
    assert not list(history.rglob("unfinished.json"))
    assert not list(at.folder.rglob("audit.jsonl"))


def test_its_plan_is_what_is_carried_out_statement_by_statement(at: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    _, report = run(restore_database)
    plan = [exactly for _, exactly in findings(report)["RESTORE-RUN"].evidence.rows]
    with at.server.connect() as session:
        session.execute("ALTER SYSTEM SET log_statement TO 'ddl'")
        session.execute("SELECT pg_reload_conf()")

    restored()

    with at.server.connect() as session:
        session.execute("ALTER SYSTEM RESET log_statement")
        session.execute("SELECT pg_reload_conf()")
    log = at.server.server.log.read_text().splitlines()
    said = {timeless(line.partition("statement: ")[2]) for line in log if "DATABASE" in line}
    planned = [each for each in plan if "DATABASE" in each and "terminate" not in each]
    for each in planned:
        assert timeless(each) in said, each
    print_report(report)
    printed = "".join(capsys.readouterr().out.split())
    in_json = json.loads(to_json(report))
    (told,) = [each for each in in_json["findings"] if each["code"] == "RESTORE-RUN"]
    for _, exactly in told["evidence"]["rows"]:
        assert exactly in plan
        assert "".join(exactly.split()) in printed


def timeless(statement: str) -> str:
    """Moments differ between a plan and what is done some seconds later."""
    return re.sub(r"\d{8}t\d{9}|\d{4}-\d\d-\d\dT[\d:.]+", "MOMENT", statement.strip())


def test_a_restore_is_on_record_with_what_was_and_what_is(at: Ground) -> None:
    state, report = restored()
    assert (state.name, str(report.level)) == ("UNKNOWN", "UNKNOWN")  # nobody can ask whether it is ready
    assert rows(at) == 50
    found = findings(report)
    assert found["RESTORE-COPY-DIFFERS"].summary == "1 table, 50 rows equal"
    assert found["RESTORE-KEPT"].observed == 1
    started, done = on_record(at)[-2:]
    assert (started["result"], done["result"]) == ("started", "done")
    assert done["before"]["live"]["name"] == DATABASE
    assert done["after"]["copy"]["rows"] == 50
    assert done["after"]["exchange"]["kept"] in at.ours()
    assert any("RENAME TO" in step for step in done["plan"])
    assert any("1 table, 50 rows equal" in str(shown.data) for shown in artifacts("restore-database-test"))

    _, back = restored(backup="previous")

    assert findings(back)["RESTORE-RUN"].summary.startswith("the replaced database restored as")
    assert rows(at) == 60


def test_a_safety_dump_is_a_proven_set_of_what_was_live(at: Ground) -> None:
    earlier = {each.id for each in LocalStore(at.folder / "store", "test").listing().sets}
    _, report = restored(safety_dump=True)
    (new,) = [each for each in LocalStore(at.folder / "store", "test").listing().sets if each.id not in earlier]
    assert new.is_proven
    assert new.manifest.contents.rows == 60
    kept = dict(findings(report)["RESTORE-KEPT"].evidence.rows)
    assert kept["a dump of it"] == new.id
    assert rows(at) == 50
    restored(backup=f"before:{new.at:%Y-%m-%dT%H:%M:%S.%fZ}")
    assert rows(at) == 50
    restored(backup=new.id, keep_old_days=0)
    assert rows(at) == 60


def test_an_obstacle_is_critical_and_nothing_was_done(at: Ground, inventory: Path) -> None:
    with at.server.connect() as session:
        role = sql.SQL("CREATE ROLE restricted LOGIN PASSWORD {}").format(sql.Literal(at.server.password))
        session.execute(role)
        with inventory.open("a") as more:
            more.write(f'\n[targets.test.changes]\ndsn = "{at.server.dsn("postgres", "restricted")}"\n')
            more.write('password = "env:PASSWORD"\n')
        state, report = restored()
        session.execute("DROP ROLE restricted")
    assert state.is_failed()
    told = findings(report)["RESTORE-OBSTACLES"]
    assert {row[2] for row in told.evidence.rows} >= {'ALTER ROLE "restricted" CREATEDB'}
    assert "nothing was done" in findings(report)["RESTORE-RUN"].summary
    assert rows(at) == 60
    assert at.ours() == []


def test_a_step_that_fails_is_critical_says_what_is_live_and_is_on_record(at: Ground, inventory: Path) -> None:
    configure(at, inventory, stop="echo it is stuck >&2; exit 7")
    state, report = restored()
    assert state.is_failed()
    assert "it is stuck" in findings(report)["RESTORE-RUN"].summary
    assert findings(report)["RESTORE-COPY-DIFFERS"].observed == 0
    assert rows(at) == 60
    assert at.ours() == []
    assert on_record(at)[-1]["result"] == "failed"


def mark_incoming(session: psycopg.Connection, name: str, target: str) -> None:
    mark = {"kind": "incoming", "of": DATABASE, "at": "2026-11-25T00:00:00+00:00", "target": target}
    session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    comment = sql.SQL("COMMENT ON DATABASE {} IS {}").format(
        sql.Identifier(name), sql.Literal(f"atomops {json.dumps(mark)}")
    )
    session.execute(comment)


def test_what_a_killed_restore_has_left_is_finished_first_and_told(at: Ground) -> None:
    target = load_inventory().target("test", read=lambda _: at.server.password)
    (at.folder / "running").unlink()
    with at.server.connect() as session:
        for name, target_name in (("left_incoming", "test"), ("theirs_incoming", "another")):
            mark_incoming(session, name, target_name)
    ran = Running("command", wanted=1, instances=(Instance("it", "running", is_ready=True),))
    details = {"live": DATABASE, "comes": "left_incoming", "goes": "never_made", "was_ready": "true"}
    remember(target, Unfinished("restore-database", "a run", dt.datetime.now(dt.UTC), "exchange", ran, details))

    _, report = restored(mode="beside")

    assert at.runs
    assert "left_incoming" in findings(report)["RESTORE-CLEARED"].summary
    left = at.rows("SELECT datname FROM pg_database WHERE datname IN ('left_incoming', 'theirs_incoming')")
    assert left == ["theirs_incoming"]  # what another target is making of the same database is its own
    at.execute("DROP DATABASE theirs_incoming", "postgres")


def test_who_holds_the_target_is_named(at: Ground) -> None:
    target = load_inventory().target("test", read=lambda _: at.server.password)

    async def while_it_is_held() -> tuple[Any, Any]:
        async with one_change_at_a_time(target, "nightly-backup"):
            return await asyncio.to_thread(restored)

    state, report = asyncio.run(while_it_is_held())
    assert state.is_failed()
    assert "test is being changed by atomops nightly-backup" in findings(report)["RESTORE-RUN"].summary


@pytest.mark.parametrize("nonsense", [{"mode": "swop"}, {"backup": "no such; thing"}, {"keep_old_days": 999}])
def test_what_the_form_does_not_allow_is_refused_before_anything_begins(
    at: Ground, nonsense: dict[str, object]
) -> None:
    state, error = restored(**nonsense)
    assert state.is_failed()
    assert isinstance(error, ParameterTypeError)
    assert rows(at) == 60


def test_no_password_is_left_anywhere(at: Ground, inventory: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), contextlib.suppress(Exception):
        restored()
    shown = "".join(str(each.data) for each in artifacts("restore-database-test"))
    folders = (inventory.parent / "history", at.folder / "store")
    kept = [path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert kept
    assert at.server.password not in shown
    assert at.server.password not in caplog.text
    assert not any(at.server.password.encode() in content for content in kept)
