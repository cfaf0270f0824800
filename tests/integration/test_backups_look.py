"""The part Backups on real folders: what is seen, and what the checks make of it."""

import asyncio
import datetime as dt
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from atomops.errors import InventoryError, NotThere
from atomops.facts.backup import MANIFEST, BackupSet, Listing
from atomops.facts.backup_stores import BackupFacts, PlainDumps
from atomops.inventory import Target
from atomops.probes import backups
from atomops.probes.parts import BACKUPS
from atomops.stores.history import keep_facts, load_facts
from atomops.stores.local import LocalStore
from atomops.verdict import Level, Unseen
from tests.backup_sets import FILES, backup_set, prepared
from tests.targets import findings, look, target


def publish(root: Path, made: BackupSet) -> None:
    store = LocalStore(root, "test")
    store.publish(prepared(store.staging(made.id)), made.manifest)
    if made.proof:
        store.add_proof(made.id, made.proof)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Five proven nights."""
    now = dt.datetime.now(dt.UTC) - dt.timedelta(hours=16)
    for night in range(5):
        publish(tmp_path / "kept", backup_set(night, now=now))
    return tmp_path / "kept"


def at(*stores: Path, **settings: Any) -> Target:  # noqa: ANN401 - as in an inventory
    first, *others = map(str, stores)
    further = [{"store": each} for each in others]
    return target(backups={"store": first, "stores": further, "databases": ["atom"], **settings})


def newest(root: Path) -> str:
    return LocalStore(root, "test").listing().sets[0].id


def test_proven_sets_of_every_night_are_ok_and_read_to_the_last_byte(kept: Path) -> None:
    seen = look(BACKUPS, at(kept))

    assert {finding.level for finding in findings(BACKUPS, seen).values()} == {Level.OK}
    (reread,) = seen.stores[0].reread
    assert (reread.id, reread.files, reread.bytes) == (newest(kept), 3, sum(map(len, FILES.values())))


def test_the_facts_are_kept_and_come_back(kept: Path, tmp_path: Path) -> None:
    (kept / "backup_20261124_020000.sql.gz").write_bytes(b"no gzip")
    seen = look(BACKUPS, at(kept, tmp_path / "empty"))

    keep_facts(tmp_path / "history", "test", seen)

    assert load_facts(tmp_path / "history", "test", BackupFacts) == (seen, [])


def test_a_changed_byte_in_the_newest_set_is_critical_and_one_further_back_is_not_read(kept: Path) -> None:
    sets = LocalStore(kept, "test").listing().sets
    (kept / "test" / sets[1].id / "roles.sql").write_bytes(b"CREATE ROLE b;\n")
    assert findings(BACKUPS, look(BACKUPS, at(kept)))["BACKUP-CHECKSUM"].level is Level.OK

    (kept / "test" / sets[0].id / "roles.sql").write_bytes(b"CREATE ROLE b;\n")
    finding = findings(BACKUPS, look(BACKUPS, at(kept)))["BACKUP-CHECKSUM"]

    assert finding.level is Level.CRITICAL
    assert "roles.sql has changed" in finding.summary


def test_reading_again_ends_in_time_and_is_then_unknown(kept: Path) -> None:
    finding = findings(BACKUPS, look(BACKUPS, at(kept, look_deadline=1e-6)))["BACKUP-CHECKSUM"]

    assert finding.level is Level.UNKNOWN
    assert "0 of 3 files" in finding.summary
    assert "look_deadline" in finding.action


def test_a_store_that_is_no_folder_is_critical_and_the_other_one_is_still_judged(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    judged = findings(BACKUPS, look(BACKUPS, at(tmp_path / "file", kept)))

    assert judged["BACKUP-STORE-REACHABLE"].level is Level.CRITICAL
    assert "Not a directory" in judged["BACKUP-STORE-REACHABLE"].summary
    assert judged["BACKUP-AGE"].level is Level.UNKNOWN
    assert judged["BACKUP-SIZE"].level is Level.OK


def test_a_store_that_hangs_is_left_behind_and_the_other_one_is_still_told(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, over = LocalStore.listing, threading.Event()

    def hanging(self: LocalStore) -> Listing:
        if self.home.parent.name == "dead-share":
            over.wait()
        return listing(self)

    monkeypatch.setattr(LocalStore, "listing", hanging)
    monkeypatch.setattr(backups, "_GRACE", 1)

    seen = look(BACKUPS, at(tmp_path / "dead-share", kept, look_deadline=3))

    over.set()
    assert isinstance(seen.stores[0].sets, Unseen)
    assert "did not answer within 4 s" in seen.stores[0].sets.reason
    assert len(seen.stores[1].sets) == 5


def test_sets_of_another_version_and_foreign_folders_are_told(kept: Path) -> None:
    path = kept / "test" / newest(kept) / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 2}))

    finding = findings(BACKUPS, look(BACKUPS, at(kept)))["BACKUP-UNREADABLE"]

    assert finding.level is Level.WARNING
    assert "another version of Atom Ops (schema 2)" in finding.summary


def test_the_guides_own_files_beside_the_sets_are_read_and_stay_as_they_are(kept: Path) -> None:
    plain = kept / "backup_20261124_020000.sql.gz"
    plain.write_bytes(b"\x1f\x8b\x08")
    plain.chmod(0o600)

    seen = look(BACKUPS, at(kept))

    assert isinstance(seen.stores[0].plain, PlainDumps)
    assert seen.stores[0].plain.number == 1
    assert plain.read_bytes() == b"\x1f\x8b\x08"


def test_every_database_that_is_there_is_judged_when_all_are_wanted(kept: Path) -> None:
    publish(kept, backup_set(10, now=dt.datetime.now(dt.UTC), database="billing"))

    seen = look(BACKUPS, at(kept, databases=["*"]))

    assert seen.databases == ("atom", "billing")
    assert len(seen.stores[0].reread) == 2
    assert "billing" in findings(BACKUPS, seen)["BACKUP-AGE"].summary


def test_the_doctors_look_reads_no_set_again(kept: Path) -> None:
    (kept / "test" / newest(kept) / "roles.sql").unlink()

    (seen,) = asyncio.run(backups.reach(at(kept))).stores

    assert not isinstance(seen.sets, Unseen)
    assert len(seen.sets) == 5
    assert seen.reread == ()


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"databases": ["one", "two"]}, ("one", "two")),
        ({"dsn": "postgresql://atom@db:5432/billing"}, ("billing",)),
        ({"dsn": "postgresql:///?dbname=other"}, ("other",)),
        ({"dsn": "postgresql://atom@db"}, ("atom",)),
        ({}, ("app",)),
    ],
)
def test_the_expected_databases_are_the_named_ones_or_that_of_the_dsn(
    parts: dict[str, Any], expected: tuple[str, ...]
) -> None:
    where = target(backups={"store": "/backups", **parts}, postgres={"dsn": "postgresql://atom@db/app"})

    assert backups.expected_databases(where) == expected


def test_an_inventory_that_names_no_database_says_what_to_add() -> None:
    with pytest.raises(InventoryError, match=r"backups\.databases"):
        backups.expected_databases(target(backups={"store": "/backups"}))
    with pytest.raises(NotThere, match="no backups"):
        backups.configured(target())
