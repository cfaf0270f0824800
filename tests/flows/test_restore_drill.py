"""The drill as Prefect runs it: from every store, on the scratch server and beside the live database."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from atomops.backup.access import backups_of
from atomops.backup.making import SetInTheMaking, workshop
from atomops.backup.places import keep, places_of
from atomops.backup.preflight import plan_backup
from atomops.facts.backup import Manifest
from atomops.inventory import Target
from atomops.scratch.postgres import PostgresServer
from atomops.stores.local import LocalStore
from flows.restore_drill import restore_drill
from tests.flows.running import artifacts, run, write
from tests.peers import refused_port
from tests.processes import children
from tests.s3_servers import KEY, SECRET, S3Server
from tests.targets import target
from tests.waiting import PATIENCE

DATABASE = "drilled"
PREFIX = "drills"
SCRIPT = """
CREATE TABLE agents (id serial PRIMARY KEY, name text);
INSERT INTO agents (name) SELECT 'a' || n FROM generate_series(1, 500) AS n;
CREATE FUNCTION is_slow(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN true; END $$;
CREATE TABLE waits (id int CHECK (is_slow(id)));
INSERT INTO waits SELECT generate_series(1, 100);
"""
SLOWLY = """
CREATE OR REPLACE FUNCTION is_slow(int) RETURNS boolean LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep({seconds}); RETURN true; END $$
"""
CATALOGUE = """
    SELECT array_agg(datname::text || coalesce(shobj_description(oid, 'pg_database'), '') ORDER BY 1) FROM pg_database
    UNION ALL SELECT array_agg(rolname::text ORDER BY 1) FROM pg_roles
"""


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> PostgresServer:
    postgres.create_database(DATABASE, SCRIPT)
    postgres.create_reader("drill_reader", "hunter2-of-a-reader", grants=("pg_read_all_data", "pg_monitor"))
    return postgres


@pytest.fixture
def work(server_folder: Path, request: pytest.FixtureRequest) -> Path:
    """Where runs have their folders, that the scratch server's user may walk to."""
    folder = server_folder / f"drill-{request.node.name.partition('[')[0]}"
    folder.mkdir(mode=0o711, exist_ok=True)
    return folder


@pytest.fixture
def folder(server: PostgresServer, tmp_path: Path) -> LocalStore:
    """A store with one set of the database."""
    store = LocalStore(tmp_path / "store", "test")
    make_set(server, store.name)
    return store


def make_set(server: PostgresServer, *stores: str, **settings: object) -> Manifest:
    """A set in each of the stores, which nobody has restored."""
    backups = {"stores": [{"store": each} for each in stores], **settings}
    dsn = {"dsn": server.dsn(DATABASE), "password": "env:X"}
    return asyncio.run(_make_set(target(server.password, postgres=dsn, backups=backups)))


async def _make_set(at: Target) -> Manifest:
    settings = backups_of(at)
    with workshop(settings) as folder:
        plan, places = await plan_backup(at), await places_of(at, settings)
        stores = [place.store for place in places]
        draft = await SetInTheMaking(plan, plan.databases[0], stores, folder).make(jobs=settings.jobs)
        kept = await keep(draft, places)
    assert not [each for each in kept if each.problem]
    return draft.manifest


@pytest.fixture
def configured(
    server: PostgresServer, inventory: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Writes the inventory."""
    secrets = {"PASSWORD": server.password, "KEY": KEY, "SECRET": SECRET, "READER": "hunter2-of-a-reader"}
    for name, secret in secrets.items():
        monkeypatch.setenv(name, secret)

    def written(backups: str, **parts: str) -> None:
        dsn = f'dsn = "{server.dsn(DATABASE)}"\npassword = "env:PASSWORD"'
        write(inventory, **{"postgres": dsn, "backups": f'work_folder = "{work}"\n{backups}', **parts})

    return written


def s3_store(url: str) -> str:
    access = 'access_key_id = "env:KEY", secret_access_key = "env:SECRET"'
    return f'{{store = "s3://atom/{PREFIX}", endpoint_url = "{url}", {access}, timeout = 5}}'


def catalogue(server: PostgresServer) -> list[Any]:
    with server.connect() as session:
        return session.execute(CATALOGUE).fetchall()


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def findings(report: Any) -> dict[str, Any]:  # noqa: ANN401 - a report, or the error that it raised
    return {finding.code: finding for finding in report.findings}


def levels(report: Any) -> dict[str, str]:  # noqa: ANN401 - a report, or the error that it raised
    return {code: str(finding.level) for code, finding in findings(report).items()}


def copy_into(s3: S3Server, store: LocalStore) -> None:
    for path in store.home.rglob("*"):
        if path.is_file():
            key = f"{PREFIX}/test/{path.relative_to(store.home)}"
            s3.client().put_object(Bucket="atom", Key=key, Body=path.read_bytes())


def test_the_newest_set_of_every_store_is_restored_from_there_timed_and_gone_again(
    server: PostgresServer,
    configured: Callable[..., None],
    folder: LocalStore,
    s3: Callable[[str], S3Server],
    work: Path,
) -> None:
    moto, kept = s3("moto"), Path(folder.name)
    copy_into(moto, folder)
    configured(f'store = "{folder.name}"\nstores = [{s3_store(moto.url)}]')
    before, stored = catalogue(server), files(kept)

    _, planned = run(restore_drill, dry_run=True)
    assert (files(kept), catalogue(server)) == (stored, before)
    assert findings(planned)["DRILL-RUN"].summary.startswith("2 sets would be tried on a scratch server of ")
    assert list(planned.trends) == []
    assert not (kept / "test" / "audit.jsonl").exists()

    state, report = run(restore_drill)

    assert (state.name, str(report.level)) == ("Completed", "OK"), report.summary
    assert findings(report)["DRILL-FAILED"].summary == "2 sets restored, 4 tables and 1,200 rows equal"
    columns = findings(report)["DRILL-FAILED"].evidence.columns
    assert columns[2:6] == ("read", "restore", "analyze", "compare")
    assert set(report.trends) >= {"drill.seconds", "drill.recovery_seconds", f"drill.rate of {folder.name}"}
    assert [name for name in report.trends if name.startswith(f"drill.seconds of s3://atom/{PREFIX}")]
    assert findings(report)["DRILL-RECOVERY-TIME"].observed == findings(report)["DRILL-TIME"].observed
    assert folder.listing().sets[0].is_proven
    assert catalogue(server) == before
    assert list(work.iterdir()) == []
    assert '"what":"restore-drill"' in (kept / "test" / "audit.jsonl").read_text()
    assert artifacts("restore-drill-test")

    _, again = run(restore_drill, database=DATABASE)
    promised = [findings(each)["DRILL-RECOVERY-TIME"].observed for each in (report, again)]
    assert promised[0] == promised[1], "a drill of one database alone promises nothing"
    assert len(again.trends[f"drill.seconds of {folder.name}"]) == 2


def test_a_damaged_store_an_empty_one_and_one_that_does_not_answer_are_told_apart(
    configured: Callable[..., None], folder: LocalStore, tmp_path: Path
) -> None:
    (made,) = folder.listing().sets
    largest = max(made.manifest.files, key=lambda file: file.bytes)
    path = folder.folder(made.id) / largest.path
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    shutil.copytree(folder.home, tmp_path / "whole" / "test")
    shutil.rmtree(tmp_path / "whole" / "test" / made.id / "data")
    empty, gone = tmp_path / "empty", s3_store(f"http://127.0.0.1:{refused_port()}")
    others = f'[{{store = "{empty}"}}, {gone}, {{store = "{tmp_path}/whole"}}]'
    configured(f'store = "{folder.name}"\nstores = {others}')

    state, report = run(restore_drill)

    assert state.is_failed()
    found = findings(report)
    assert (found["DRILL-FAILED"].level, found["DRILL-FAILED"].observed) == ("CRITICAL", 2)
    assert largest.path in found["DRILL-FAILED"].summary
    assert not folder.listing().sets[0].is_proven
    assert found["DRILL-MISSING"].level == "CRITICAL"
    assert found["DRILL-MISSING"].summary == f"{empty} has no set of {DATABASE}"
    assert found["DRILL-UNTRIED"].level == "UNKNOWN"
    assert f"{DATABASE} in s3://atom/{PREFIX} at http" in found["DRILL-UNTRIED"].summary
    assert found["DRILL-RECOVERY-TIME"].level == "UNKNOWN"
    assert "DRILL-TIME" not in found


def test_an_encrypted_set_without_its_identity_is_unknown_and_keeps_the_proof_that_it_has(
    server: PostgresServer, configured: Callable[..., None], tmp_path: Path
) -> None:
    import pyrage  # noqa: PLC0415 - only here

    key = pyrage.x25519.Identity.generate()
    store = LocalStore(tmp_path / "sealed", "test")
    make_set(server, store.name, recipients=[str(key.to_public())])
    configured(f'store = "{store.name}"')

    _, report = run(restore_drill)

    assert levels(report)["DRILL-UNTRIED"] == "UNKNOWN"
    assert "it is encrypted, and no identity is at hand" in findings(report)["DRILL-UNTRIED"].summary
    assert findings(report)["DRILL-UNTRIED"].action.startswith("set backups.identity")
    assert store.listing().sets[0].proof is None


def test_beside_the_live_database_where_that_is_wanted_and_may_be_else_on_a_scratch_server(
    server: PostgresServer, configured: Callable[..., None], folder: LocalStore
) -> None:
    before = catalogue(server)
    backups = f'store = "{folder.name}"\ndrill_on = "live"'

    configured(backups)
    _, live = run(restore_drill)
    configured(backups, changes=f'dsn = "{server.dsn(DATABASE, "drill_reader")}"\npassword = "env:READER"')
    _, elsewhere = run(restore_drill)

    assert str(live.level) == "OK", live.summary
    assert (
        f"beside the live database on PostgreSQL 127.0.0.1:{server.port}/{DATABASE}"
        in findings(live)["DRILL-PLACE"].summary
    )
    assert "create" in findings(live)["DRILL-FAILED"].evidence.columns
    assert str(elsewhere.level) == "WARNING"
    assert findings(elsewhere)["DRILL-PLACE"].action.startswith('ALTER ROLE "drill_reader" CREATEDB')
    assert levels(elsewhere)["DRILL-FAILED"] == "OK"
    promise = findings(elsewhere)["DRILL-RECOVERY-TIME"]
    assert "the slowest of 1 drill" in promise.summary, "drills elsewhere are no measure of this one"
    assert [row[3] for row in promise.evidence.rows] == ["on a scratch server", "beside the live database"]
    assert catalogue(server) == before


@pytest.mark.parametrize("where", ["scratch", "live"])
def test_a_drill_that_is_cancelled_in_its_middle_leaves_nothing(
    server: PostgresServer, configured: Callable[..., None], tmp_path: Path, work: Path, where: str
) -> None:
    with server.connect(DATABASE) as session:
        session.execute(SLOWLY.format(seconds=10))
    store = LocalStore(tmp_path / "slow", "test")
    make_set(server, store.name)
    with server.connect(DATABASE) as session:
        session.execute(SLOWLY.format(seconds=0))
    configured(f'store = "{store.name}"\ndrill_on = "{where}"')
    before = catalogue(server)

    async def cancelled() -> None:
        asking: Any = restore_drill(target="test", return_state=True)
        drill = asyncio.ensure_future(asking)
        async with asyncio.timeout(PATIENCE):
            while not restoring():
                await asyncio.sleep(0.05)
                assert not drill.done(), drill.result()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait([drill], timeout=PATIENCE)
        assert drill.done()

    asyncio.run(cancelled())

    assert catalogue(server) == before
    assert list(work.iterdir()) == []
    assert not restoring()
    assert '"result":"cancelled"' in (tmp_path / "slow" / "test" / "audit.jsonl").read_text()


def restoring() -> list[psutil.Process]:
    """The processes of ours that restore."""
    return [each for each, name in children().items() if name == "pg_restore"]
