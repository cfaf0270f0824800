"""The examples of docs/compose-your-own-flow.md, as they stand."""

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from atomops.scratch.postgres import PostgresServer
from atomops.verdict import Level
from tests.flows.conftest import PASSWORD
from tests.flows.running import run, write

PAGE = (Path(__file__).parents[2] / "docs" / "compose-your-own-flow.md").read_text(encoding="utf-8")


def example(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - a module of the page
    (code,) = re.findall(rf"```python\n# flows/{name}\.py\n(.*?)```", PAGE, re.DOTALL)
    path = folder / f"{name}.py"
    path.write_text(code, encoding="utf-8")
    found = importlib.util.spec_from_file_location(name, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    monkeypatch.setitem(sys.modules, name, module)
    found.loader.exec_module(module)
    return module


@pytest.fixture
def at(postgres: PostgresServer, inventory: Path, monkeypatch: pytest.MonkeyPatch) -> PostgresServer:
    with postgres.connect() as session:
        session.execute("DROP DATABASE IF EXISTS composed")
    postgres.create_database("composed", "CREATE TABLE t (n int); CREATE INDEX t_n ON t (n)")
    monkeypatch.setenv("PASSWORD", postgres.password)
    settings = f'dsn = "{postgres.dsn("composed")}"\npassword = "env:PASSWORD"'
    write(inventory, postgres=settings, backups=f'store = "{inventory.parent}/store"')
    return postgres


def test_the_reading_example_reports_what_it_looked_at(
    at: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert at.password != PASSWORD
    _, report = run(example("before_release", tmp_path, monkeypatch).before_release)
    levels = {finding.code: finding.level for finding in report.findings}
    assert levels["PG-REACHABLE"] is Level.OK
    assert levels["BACKUP-AGE"] is Level.CRITICAL
    assert ("Health", "not configured") in {(gap.section, gap.reason.partition(":")[0]) for gap in report.not_checked}


def test_the_changing_example_backs_up_builds_anew_and_is_on_record(
    at: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    which = "SELECT relfilenode FROM pg_class WHERE relname = 't_n'"
    with at.connect("composed") as session:
        before = session.execute(which).fetchone()

        flow = example("release_night", tmp_path, monkeypatch).release_night
        run(flow, index="t_n")
        assert session.execute(which).fetchone() == before
        assert not list((tmp_path / "store").rglob("manifest.json"))

        _, report = run(flow, index="t_n", dry_run=False)
        assert session.execute(which).fetchone() != before
    assert report.flow == "morning-checklist"
    assert list((tmp_path / "store").rglob("manifest.json"))
    (audit,) = (tmp_path / "store").rglob("audit.jsonl")
    assert 'REINDEX INDEX CONCURRENTLY \\"t_n\\"' in audit.read_text(encoding="utf-8")
