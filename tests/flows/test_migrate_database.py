"""A migration as Prefect runs it: what it shows, what it asks, what it does, and what it leaves."""

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.settings import PREFECT_UI_URL, temporary_settings

from atomops.migration.scripts import record_of
from atomops.scratch.postgres import PostgresServer
from flows.migrate_database import migrate_database
from tests.flows.running import artifacts, run
from tests.migrations import HEAD, PASSWORD, SUMMARIES, TICKETS, UNIQUE, Scene
from tests.nights import back_up
from tests.waiting import wait_until

pytestmark = pytest.mark.slow(60)


@pytest.fixture(scope="module")
def origin(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    made = Scene(postgres, tmp_path_factory.mktemp("migrate")).make(TICKETS)
    back_up(made.target())
    return made


@pytest.fixture
def scene(origin: Scene, inventory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """The database that all these share, with a proven set of it, scripts and history of its own."""
    monkeypatch.setenv("SUPERUSER_PASSWORD", origin.server.password)
    monkeypatch.setenv("ROLE_PASSWORD", PASSWORD)
    made = origin.elsewhere(tmp_path)
    made.store.home.parent.symlink_to(origin.store.home.parent)
    inventory.write_text(made.inventory())
    return made


def findings(report: Any) -> dict[str, Any]:  # noqa: ANN401 - a report, or the error that it raised
    return {finding.code: finding for finding in report.findings}


def cells(finding: Any) -> str:  # noqa: ANN401 - a finding
    return "\n".join(" | ".join(row) for row in finding.evidence.rows)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_dry_run_shows_every_statement_and_how_it_went_on_a_copy_and_changes_nothing(scene: Scene) -> None:
    store = scene.store.home.parent
    before = scene.catalogue(), files(store), files(scene.scripts)

    state, report = run(migrate_database, rehearse_downgrade=True)

    found = findings(report)
    assert state.is_completed(), report.summary
    assert (scene.catalogue(), files(store), files(scene.scripts)) == before
    assert not record_of(scene.target()).exists()
    assert "ALTER TABLE episode ADD COLUMN summary text" in cells(found["MIGRATION-RUN"])
    assert f"{SUMMARIES} | Episodes have a summary" in cells(found["MIGRATION-STEPS"])
    assert "public.episode | AccessExclusiveLock | reads and writes" in cells(found["MIGRATION-LOCKS"])
    assert "locked public.episode | AccessExclusiveLock for" in cells(found["MIGRATION-REHEARSED"])
    assert found["MIGRATION-REHEARSAL-TIME"].observed > 0.3
    assert "lost nothing" in found["MIGRATION-WAY-BACK"].summary
    assert "MIGRATION-DONE" not in found
    (sql,) = artifacts("migrate-database-test-sql")
    assert "CREATE INDEX episode_by_tier" in sql.data


def test_action_show_changes_nothing_and_tells_what_would_be_refused(scene: Scene) -> None:
    second = 'revision = "second_head"\ndown_revision = "4be2f3a4b5c6"\n\n\ndef upgrade() -> None:\n    pass\n'
    (scene.scripts / "versions" / "second.py").write_text(second)
    state, report = run(migrate_database, action="show", dry_run=False)
    assert (state.name, findings(report)["MIGRATION-AMBIGUOUS"].observed) == ("WARNING", 1)
    state, report = run(migrate_database, dry_run=False, approve="auto")
    assert state.is_failed()
    assert "2 heads" in findings(report)["MIGRATION-REFUSED"].summary
    assert scene.revision == TICKETS


@contextmanager
def answering(**answer: str) -> Iterator[list[str]]:
    """Somebody who resumes the next run that waits, and keeps what it has shown."""
    shown: list[str] = []

    async def paused() -> list[UUID]:
        waiting = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED])))
        async with get_client() as client:
            return [each.id for each in await client.read_flow_runs(flow_run_filter=waiting)]

    async def resume(run_id: UUID) -> None:
        async with get_client() as client:
            state = (await client.read_flow_run(run_id)).state
            assert state is not None
            keys = state.state_details.run_input_keyset or {}
            shown.append(await client.read_flow_run_input(run_id, keys["description"]))
            await client.resume_flow_run(run_id, run_input=answer)

    def wait_and_answer() -> None:
        wait_until(lambda: bool(asyncio.run(paused())), "the question")
        asyncio.run(resume(asyncio.run(paused())[0]))

    person = threading.Thread(target=wait_and_answer)
    person.start()
    yield shown
    person.join()


def test_a_no_and_no_answer_change_nothing(scene: Scene) -> None:
    before = scene.catalogue()
    with answering(approve="no", who="Ada", reason="not on a Friday") as shown:
        state, report = run(migrate_database, dry_run=False, rehearse=False)
    assert state.name == "WARNING"
    assert findings(report)["MIGRATION-APPROVAL"].summary.endswith("refused by Ada: not on a Friday")
    assert "ALTER TABLE episode ADD COLUMN summary text" in shown[0]

    state, report = run(migrate_database, dry_run=False, rehearse=False, approve_within_minutes=0.02)

    assert state.name == "WARNING"
    assert "nobody answered within 1.2 s" in findings(report)["MIGRATION-APPROVAL"].summary
    assert scene.catalogue() == before
    assert not record_of(scene.target()).exists()


def test_where_nobody_can_be_asked_nothing_is_begun(scene: Scene) -> None:
    with temporary_settings({PREFECT_UI_URL: ""}):
        state, report = run(migrate_database, dry_run=False)
    assert state.is_failed()
    assert "approve=auto" in findings(report)["MIGRATION-RUN"].action
    assert scene.revision == TICKETS


def test_an_approved_migration_is_backed_up_rehearsed_done_verified_and_on_record(
    origin: Scene, scene: Scene, inventory: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mine = replace(origin.copy(tmp_path / "mine"), own_scratch=True)
    inventory.write_text(mine.inventory())
    with caplog.at_level(logging.DEBUG), answering(approve="yes", who="Ada", reason="") as shown:
        state, report = run(migrate_database, dry_run=False)

    found = findings(report)
    assert state.is_completed(), report.summary
    assert mine.revision == HEAD
    assert scene.revision == TICKETS
    assert "made for this" in found["MIGRATION-BACKUP"].summary
    assert found["MIGRATION-APPROVAL"].summary == "approved by Ada"
    assert found["MIGRATION-SCHEMA"].summary.endswith("changed, as in the rehearsal")
    assert "agent_execution | 300 | 300" in cells(found["MIGRATION-ROWS"])
    assert "AccessExclusiveLock" in shown[0]
    assert HEAD in record_of(mine.target()).read_text()
    started, ended = map(json.loads, (mine.store.home / "audit.jsonl").read_text().splitlines())
    assert (started["result"], ended["result"]) == ("started", "done")
    assert (ended["before"]["revisions"], ended["after"]["revisions"]) == ([TICKETS], [HEAD])

    everywhere = caplog.text + shown[0] + "".join(str(each.data) for each in artifacts("migrate-database-test"))
    everywhere += "".join(content.decode(errors="replace") for content in files(mine.folder).values())
    for secret in (PASSWORD, quote(PASSWORD, safe=""), mine.server.password):
        assert secret not in everywhere


def test_an_application_that_logs_critical_errors_afterwards_gets_its_old_schema_back(
    origin: Scene, inventory: Path, tmp_path: Path, scene: Scene
) -> None:
    mine, log = origin.copy(tmp_path / "mine"), tmp_path / "atom.log"
    log.write_text("")
    mine.store.home.parent.mkdir(parents=True)
    line = """import datetime, json, os
    if "/migrate_" in os.environ["DATABASE_URL"]:
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        record = {"level": "CRITICAL", "message": "no column tier", "timestamp": now, "logger": "core"}
        print(json.dumps(record), file=open("LOG", "a"))""".replace("LOG", str(log))
    mine.edit("versions/r13_tiers.py", "def upgrade() -> None:", f"def upgrade() -> None:\n    {line}")
    inventory.write_text(mine.inventory(more=f'[targets.test.logs]\npaths = ["{log}"]'))
    before = mine.catalogue()

    state, report = run(migrate_database, dry_run=False, approve="auto", rehearse_downgrade=True, settle_seconds=0)

    assert state.is_failed()
    done = findings(report)["MIGRATION-DONE"]
    assert "it was taken back to 4be2f3a4b5c6: revision and schema are as before" in done.summary
    assert str(findings(report)["SETTLE-ERRORS-CRITICAL"].level) == "CRITICAL"
    assert mine.catalogue() == before
    assert scene.revision == TICKETS


def test_a_downgrade_goes_to_a_named_revision_only(scene: Scene) -> None:
    _, report = run(migrate_database, action="downgrade")
    assert "named revision only" in findings(report)["MIGRATION-REFUSED"].summary
    _, report = run(migrate_database, action="downgrade", revision=UNIQUE, rehearse=False)
    assert [row[1] for row in findings(report)["MIGRATION-STEPS"].evidence.rows] == [TICKETS, "3ad1e2f3a4b5"]
    assert scene.revision == TICKETS
