"""The configuration backed up and put back as Prefect runs it: files whole, secrets nowhere, dry runs only look."""

import json
from pathlib import Path
from typing import Any

import pytest

from atomops.cli.backups import list_sets, show_set, verify_set
from atomops.cli.backups import prune as prune_sets
from atomops.cli.doctor import doctor
from atomops.scratch.postgres import PostgresServer
from flows.config_backup import config_backup
from flows.end_of_day_checklist import end_of_day_checklist
from flows.restore_config import restore_config
from tests.configurations import new_keys
from tests.flows.running import artifacts, run, write

SECRET = "swordfish-of-the-cache"
ENVIRONMENT = f"LOG_LEVEL=info\nREDIS_PASSWORD={SECRET}\n"


@pytest.fixture
def world(postgres: PostgresServer, inventory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of two files that are backed up."""
    keys, folder = new_keys(), inventory.parent
    monkeypatch.setenv("PASSWORD", postgres.password)
    monkeypatch.setenv("IDENTITY", keys.private)
    (folder / "atom.env").write_text(ENVIRONMENT)
    (folder / "atom.env").chmod(0o640)
    (folder / "compose.yml").write_text("services:\n  atom:\n    image: atom:1\n")
    files = json.dumps([str(folder / "atom.env"), str(folder / "compose.yml")])
    write(
        inventory,
        postgres=f'dsn = "{postgres.dsn("postgres")}"\npassword = "env:PASSWORD"',
        backups=f'store = "{folder}/store"',
        configuration=f'files = {files}\nrecipients = ["{keys.public}"]\nidentity = "env:IDENTITY"',
    )
    return folder


def findings(report: Any) -> dict[str, Any]:  # noqa: ANN401 - a report, or the error that it raised
    return {finding.code: finding for finding in report.findings}


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_are_backed_up_changes_are_told_and_they_are_put_back(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(world)
    state, report = run(config_backup, dry_run=True)
    assert (state.is_completed(), str(report.level)) == (True, "OK")
    kept_reports = {path for path in everything(world) if "/history/test/" in path}
    assert {path for path in everything(world) if path not in kept_reports} == set(before)
    assert not [path for path in kept_reports if path.endswith("configuration.key")]

    state, report = run(config_backup)
    assert (state.name, str(report.level)) == ("Completed", "OK")
    first = next((world / "store" / "test.configuration").iterdir()).name
    (world / "compose.yml").write_text("services:\n  atom:\n    image: atom:2\n")
    (world / "atom.env").write_text(ENVIRONMENT.replace(SECRET, "another").replace("info", "debug"))
    state, report = run(config_backup)
    rows = findings(report)["CONFIG-CHANGED"].evidence.rows
    assert [(Path(row[0]).name, row[1], row[2], row[3]) for row in rows] == [
        ("atom.env", "LOG_LEVEL", "changed", ""),
        ("atom.env", "REDIS_PASSWORD", "changed", ""),
        ("compose.yml", "content", "changed", "-    image: atom:1\n+    image: atom:2"),
    ]
    _nothing_leaks(world)

    there = everything(world / "store" / "test.configuration")
    state, report = run(restore_config, backup=first)
    assert findings(report)["CONFIG-RESTORE-RUN"].summary.startswith("dry run: nothing was changed;")
    assert "atom:2" in (world / "compose.yml").read_text()
    state, report = run(restore_config, backup=first, dry_run=False, without_lock=True)
    assert state.is_completed(), report
    assert (world / "atom.env").read_text() == ENVIRONMENT
    assert oct((world / "atom.env").stat().st_mode)[-3:] == "640"
    (former,) = world.glob("atom.env.before-*")
    assert "another" in former.read_text()
    assert everything(world / "store" / "test.configuration") == there
    assert "restart-service" in findings(report)["CONFIG-RESTORE-APPLIED"].action
    audit = [json.loads(line) for line in (world / "store" / "test" / "audit.jsonl").read_text().splitlines()]
    assert audit[-1]["after"] == {str(world / name): "change: done" for name in ("atom.env", "compose.yml")}
    _nothing_leaks(world)
    _commands(world, first, capsys)


def _nothing_leaks(world: Path) -> None:
    ours = {path: text for path, text in everything(world).items() if "/store/" in path or "/history/" in path}
    assert not [path for path, text in ours.items() if SECRET.encode() in text or b"another" in text]
    for key in ("config-backup-test", "restore-config-test"):
        assert not [each for each in artifacts(key) if SECRET in str(each.data)]


def _commands(world: Path, set_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What `atomops backups` says of such a set, the end-of-day checklist of the newest, and the doctor of all."""
    where: dict[str, Any] = {"target": "test", "store": None, "inventory": world / "inventory.toml"}
    capsys.readouterr()
    assert list_sets(**where) == 0
    assert "configuration" in capsys.readouterr().out
    assert list_sets(**where, kind="database") == 0
    assert set_id not in capsys.readouterr().out
    assert show_set(**where, set_id=set_id) == 0
    said = capsys.readouterr().out
    assert "age -d -i key.txt" in said
    assert SECRET not in said
    assert verify_set(**where, set_id=set_id) == 0
    assert "decrypted" in capsys.readouterr().out
    assert verify_set(**where, set_id=set_id, checksums_only=True) == 0
    assert prune_sets(**where, kind="configuration", dry_run=True) == 0
    assert set_id in capsys.readouterr().out
    _, report = run(end_of_day_checklist)
    assert str(findings(report)["CONFIG-AGE"].level) == "OK"
    assert str(findings(report)["CONFIG-NEWEST-WHOLE"].level) == "OK"
    doctor(target="test", inventory=world / "inventory.toml")
    said = " ".join(capsys.readouterr().out.split())
    assert "config-backup will work" in said
    assert "restore-config will work" in said


def test_secrets_without_a_recipient_fail_and_missing_files_are_told_and_the_rest_is_kept(world: Path) -> None:
    text = (world / "inventory.toml").read_text()
    recipients = next(line for line in text.splitlines() if line.startswith("recipients"))
    text = text.replace(recipients, "").replace("compose.yml", "gone.yml", 1)
    text = text.replace("files = [", f'files = ["{world}/other.yml", ')
    (world / "other.yml").write_text("workers: 4\n")
    (world / "inventory.toml").write_text(text)

    state, report = run(config_backup)

    assert state.is_failed()
    found = findings(report)
    assert "recipients" in found["CONFIG-SECRETS-REFUSED"].action
    assert found["CONFIG-MISSING"].observed == 1
    stored = everything(world / "store")
    assert any(path.endswith("/other.yml") for path in stored)
    assert not [path for path, content in stored.items() if SECRET.encode() in content]
    state, report = run(restore_config)
    assert "is proven" in findings(report)["CONFIG-RESTORE-RUN"].summary
