"""`atomops backups` as a person or a script calls it."""

import datetime as dt
import functools
import gzip
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from atomops.facts.backup import MANIFEST, BackupSet, Result
from atomops.scratch.postgres import PostgresServer
from atomops.stores.local import LocalStore
from tests.backup_sets import backup_set, manifest, prepared, proof
from tests.nights import everything_in
from tests.starter import clean_environment, run_atomops

pytestmark = pytest.mark.slow(30)

INVENTORY = """
[targets.production]
[targets.production.postgres]
dsn = "{dsn}"
password = "env:ATOM_PASSWORD"
[targets.production.backups]
store = "{first}"
keep_days = 5
keep_last = 2
max_deletions = 3
[[targets.production.backups.stores]]
store = "{second}"
[targets.bare]
"""
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def first(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "first", "production")


@pytest.fixture
def second(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "second", "production")


@pytest.fixture
def backups(tmp_path: Path, first: LocalStore, second: LocalStore, postgres: PostgresServer) -> Command:
    path = tmp_path / "inventory.toml"
    path.write_text(INVENTORY.format(dsn=postgres.dsn(), first=first.name, second=second.name))

    def run(*arguments: str, password: str = postgres.password) -> subprocess.CompletedProcess[str]:
        env = clean_environment() | {"ATOM_PASSWORD": password}
        ended = run_atomops("backups", *arguments, "--inventory", str(path), env=env, cwd=tmp_path)
        assert "Traceback" not in ended.stderr, ended.stderr
        return ended

    return run


@functools.cache
def last_night() -> dt.datetime:
    """Ten hours ago; one moment for all of the file, as the sets of two stores have the same ids."""
    return dt.datetime.now(dt.UTC) - dt.timedelta(hours=10)


def of_night(night: int, *, proven: bool = True) -> BackupSet:
    """A set that was made that many nights before the last."""
    return backup_set(night, now=last_night(), proven=proven)


def publish(store: LocalStore, made: BackupSet) -> str:
    store.publish(prepared(store.staging(made.id)), made.manifest)
    if made.proof:
        store.add_proof(made.id, made.proof)
    return made.id


def nights(store: LocalStore, number: int) -> list[str]:
    return [publish(store, of_night(night)) for night in range(number)]


def test_list_shows_every_store_with_its_sets_and_all_that_is_none(
    backups: Command, first: LocalStore, second: LocalStore
) -> None:
    _, newest = nights(first, 2)
    failed = of_night(3)
    publish(second, BackupSet(failed.manifest, proof(Result.FAILED, reason="2 tables differ")))
    publish(second, of_night(4, proven=False))
    (second.home / "notes").mkdir()
    plain = Path(first.name) / "backup_20200101_020000.sql.gz"
    plain.write_bytes(gzip.compress(b""))

    ended = backups("list")

    assert ended.returncode == 0, ended.stderr
    told = " ".join(ended.stdout.split())
    assert f"{newest} database atom 1 day and 10 hours 3.9 KiB restored, 1 table, 3 rows equal" in told
    assert f"{failed.id} database atom 3 days and 10 hours 3.9 KiB failed: 2 tables differ" in told
    assert "no proof yet" in told
    assert "notes manifest.json cannot be read (No such file or directory)" in told
    assert "1 plain dump of the guide's own script, 20 Bytes, never pruned" in told
    assert "empty: pg_dump failed, and the pipe into gzip hid it" in told


def test_list_as_json_is_for_scripts(backups: Command, first: LocalStore) -> None:
    (newest, _) = nights(first, 2)

    ended = backups("list", "--json", "--store", first.name)

    (store,) = json.loads(ended.stdout)["stores"]
    assert (store["store"], store["error"], len(store["sets"])) == (first.name, None, 2)
    assert (store["sets"][0]["id"], store["sets"][0]["is_proven"]) == (newest, True)
    assert store["sets"][0]["proof"]["result"] == "restored"
    longest = (dt.datetime.now(dt.UTC) - last_night()).total_seconds()
    assert 10 * 3600 <= store["sets"][0]["age_seconds"] <= longest


def test_a_store_out_of_reach_does_not_hide_the_other_and_the_exit_code_is_unknown(
    backups: Command, first: LocalStore, second: LocalStore
) -> None:
    (newest,) = nights(second, 1)
    Path(first.name).write_text("a file")

    ended = backups("list")

    assert ended.returncode == 3
    assert "cannot be listed" in ended.stdout
    assert newest in ended.stdout


def test_show_tells_all_of_a_set_and_how_to_restore_it_by_hand(
    backups: Command, first: LocalStore, second: LocalStore
) -> None:
    (newest,) = nights(first, 1)
    nights(second, 1)

    ended = backups("show", newest)

    assert ended.returncode == 0, ended.stderr
    shown = " ".join(ended.stdout.split())  # however wide the terminal
    for told in (
        f"{first.name}, {second.name}",
        "atom of PostgreSQL db:5432/atom, PostgreSQL 17.10",
        "restored, 1 table, 3 rows equal",
        "data/1.dat",
        f"pg_restore --exit-on-error --jobs=2 --dbname=atom_restored {first.folder(newest)}/data",
    ):
        assert told in shown


def test_show_as_json_has_the_whole_manifest(backups: Command, first: LocalStore) -> None:
    (newest,) = nights(first, 1)

    told = json.loads(backups("show", newest, "--json").stdout)

    assert told["manifest"] == json.loads((first.folder(newest) / MANIFEST).read_text())
    assert told["stores"] == [first.name]
    assert told["proof"]["rows"] == 3
    assert told["by_hand"][-1].startswith("# compare: 3 rows")


def test_verify_ends_with_0_for_a_set_as_it_was_written_2_for_a_damaged_one_and_3_when_nobody_knows(
    backups: Command, first: LocalStore, second: LocalStore
) -> None:
    (newest,) = nights(first, 1)
    nights(second, 1)

    fine = backups("verify", "--checksums-only", newest)
    assert (fine.returncode, fine.stdout.count("every byte as it was written")) == (0, 2)

    (second.folder(newest) / "roles.sql").write_bytes(b"CREATE ROLE b;\n")
    damaged = backups("verify", "--checksums-only", newest)
    assert damaged.returncode == 2
    assert f"{newest} in {second.name}: roles.sql has changed: its SHA-256 is another one" in damaged.stdout
    assert backups("verify", "--checksums-only", newest, "--store", first.name).returncode == 0

    Path(second.name).rename(f"{second.name}-elsewhere")
    Path(second.name).write_text("a file")
    unknown = backups("verify", "--checksums-only", newest)
    assert unknown.returncode == 3
    assert "may be in" in unknown.stderr


def test_fetch_takes_the_first_copy_that_is_whole_and_overwrites_nothing(
    backups: Command, first: LocalStore, second: LocalStore, tmp_path: Path
) -> None:
    (newest,) = nights(first, 1)
    nights(second, 1)
    (first.folder(newest) / "roles.sql").write_bytes(b"CREATE ROLE b;\n")

    fetched = backups("fetch", newest, str(tmp_path / "set"))
    assert fetched.returncode == 0, fetched.stderr
    assert f"roles.sql of {newest} in {first.name} is not as it was written" in fetched.stderr
    assert f"{newest} from {second.name} is in {tmp_path / 'set'}" in fetched.stdout
    assert f"--file={tmp_path / 'set'}/roles.sql" in fetched.stdout
    assert (tmp_path / "set" / "roles.sql").read_bytes() == (second.folder(newest) / "roles.sql").read_bytes()
    assert not (tmp_path / "set.unfinished").exists()

    again = backups("fetch", newest, str(tmp_path / "set"))
    assert (again.returncode, again.stdout) == (3, "")
    assert f"{tmp_path / 'set'} is there already: name a folder that is not" in again.stderr


def test_a_set_of_another_version_is_shown_and_neither_verified_nor_pruned(backups: Command, first: LocalStore) -> None:
    sets = nights(first, 8)
    path = first.folder(sets[-1]) / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 2}))

    assert "another version of Atom Ops (schema 2)" in backups("list").stdout
    verified = backups("verify", "--checksums-only", sets[-1])
    assert verified.returncode == 3
    assert "another version" in verified.stderr
    assert backups("prune", "--store", first.name).returncode == 0
    assert path.exists()
    assert {each.id for each in first.listing().sets} == set(sets[:5])


def test_a_dry_run_tells_what_would_go_and_why_the_rest_stays_and_changes_nothing(
    backups: Command, first: LocalStore
) -> None:
    sets = nights(first, 7)
    before = everything_in(Path(first.name))

    ended = backups("prune", "--dry-run", "--store", first.name)

    assert ended.returncode == 0, ended.stderr
    lines = [line.split() for line in ended.stdout.splitlines()]
    assert "2 of 7 sets would go" in ended.stdout
    assert [line[1] for line in lines if line[:1] == ["goes"]] == sets[5:]
    assert [line[1] for line in lines if line[:1] == ["stays"]] == sets[:5]
    assert "younger than 5 days (keep_days); among the newest 2 proven sets (keep_last)" in ended.stdout
    assert "its clock was not compared with ours" in ended.stdout
    assert everything_in(Path(first.name)) == before


def test_a_dry_run_makes_no_folder_where_there_is_none(backups: Command, first: LocalStore) -> None:
    assert backups("prune", "--dry-run", "--store", first.name).returncode == 0
    assert not Path(first.name).exists()


def test_prune_removes_what_is_due_and_nothing_else(backups: Command, first: LocalStore) -> None:
    sets = nights(first, 7)
    (first.home / "notes.txt").write_text("mine")
    plain = Path(first.name) / "backup_20200101_020000.sql.gz"
    plain.write_bytes(b"old")

    ended = backups("prune")

    assert ended.returncode == 0, ended.stderr
    assert "2 sets removed" in ended.stdout
    assert [each.id for each in first.listing().sets] == sets[:5]
    assert plain.exists()
    assert (first.home / "notes.txt").exists()


def test_a_refused_prune_says_why_and_how_to_go_on_and_its_way_out_works(backups: Command, first: LocalStore) -> None:
    sets = nights(first, 9)

    refused = backups("prune", "--store", first.name)
    assert refused.returncode == 1
    assert "refused: 4 sets would go at once, more than max_deletions = 3" in refused.stdout
    assert len(first.listing().sets) == 9

    by_hand = backups("prune", "--store", first.name, "--max-deletions", "4")
    assert by_hand.returncode == 0, by_hand.stdout
    assert [each.id for each in first.listing().sets] == sets[:5]


def test_one_store_that_fails_does_not_keep_the_other_from_being_pruned(
    backups: Command, first: LocalStore, second: LocalStore
) -> None:
    for night in range(33):
        publish(second, of_night(night))
    Path(first.name).write_text("a file")

    ended = backups("prune")

    assert ended.returncode == 3
    assert f"{first.name} was not pruned" in ended.stderr
    assert len(second.listing().sets) == 30


def test_nothing_is_pruned_without_the_lock_of_the_target_but_looking_needs_none(
    backups: Command, first: LocalStore
) -> None:
    sets = nights(first, 7)

    refused = backups("prune", password="another one")

    assert refused.returncode == 3
    assert "refuses the password" in refused.stderr
    assert len(first.listing().sets) == 7
    assert backups("prune", "--dry-run", password="another one").returncode == 0
    assert sets[0] in backups("list", password="another one").stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["list", "--target", "prodution"], "no target 'prodution': did you mean 'production'?"),
        (["list", "--target", "bare"], "the target bare has no backups"),
        (["list", "--store", "/fist"], "first'?"),
        (["show", "atom-20261124T020000Z-bee"], "did you mean 'atom-20261124T020000Z-beef'?"),
        (["verify", "zzz"], "see: atomops backups list"),
        (["prune", "--max-deletions", "0"], "see atomops --help"),
    ],
)
def test_an_error_is_one_clear_line_and_exit_code_3(
    backups: Command, first: LocalStore, arguments: list[str], told: str
) -> None:
    publish(first, BackupSet(manifest()))

    ended = backups(*arguments)

    assert ended.returncode == 3
    assert told in ended.stderr
    assert ended.stderr.startswith("atomops: ")
    assert ended.stderr.count("\n") == 1
