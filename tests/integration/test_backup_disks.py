"""Full, missing and forbidden disks: the error names the disk, nothing half is listed, and other stores get the set."""

import asyncio
import os
import pwd
import sys
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from atomops import shell
from atomops.errors import AtomOpsError, PermanentError
from atomops.facts.backup import Result
from atomops.scratch.place import UNPRIVILEGED, make_folder
from atomops.scratch.postgres import PostgresServer
from atomops.stores.local import LocalStore
from tests.nights import Made, back_up, backups_at
from tests.waiting import PATIENCE

MEGABYTES = 6
FILL = """
CREATE TABLE noise (n int, body text);
INSERT INTO noise
SELECT n, md5(random()::text) || md5(random()::text) || md5(random()::text) FROM generate_series(1, 250000) AS n;
"""


@pytest.fixture(scope="module")
def noise(postgres: PostgresServer) -> PostgresServer:
    """A database whose dump is larger than the small disk."""
    postgres.create_database("noise", FILL)
    return postgres


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of a few megabytes, which only root can make."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = make_folder("atomops-small-disk-")
    try:
        run("mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=711", "none", folder)
    except AtomOpsError as error:
        folder.rmdir()
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must be able to mount: {error}")
        pytest.skip(f"no mount here: {error}")
    yield folder
    run("umount", "--lazy", folder)
    folder.rmdir()


def run(*argv: str | Path) -> None:
    asyncio.run(shell.run(argv, timeout=PATIENCE))


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_full_store_is_named_and_nothing_is_left_in_it(noise: PostgresServer, small_disk: Path) -> None:
    with pytest.raises(PermanentError) as full:
        back_up(backups_at(noise, "noise", small_disk))
    assert f"the disk of {small_disk}" in str(full.value)
    assert "is full" in str(full.value)
    assert files_below(small_disk) == []
    assert LocalStore(small_disk, "test").listing().sets == ()


def test_a_full_work_folder_is_named(noise: PostgresServer, small_disk: Path, tmp_path: Path) -> None:
    key = str(pyrage.x25519.Identity.generate().to_public())  # so that the plain dump lies in the work folder
    at = backups_at(noise, "noise", tmp_path / "store", work_folder=str(small_disk), recipients=[key])
    with pytest.raises(PermanentError) as full:
        back_up(at)
    assert f"the disk of {small_disk}" in str(full.value)
    assert files_below(small_disk) == []
    assert files_below(tmp_path) == []


def test_a_work_folder_too_small_for_the_proof_makes_it_unknown_with_the_reason(
    noise: PostgresServer, small_disk: Path, tmp_path: Path
) -> None:
    [made] = back_up(backups_at(noise, "noise", tmp_path / "store", work_folder=str(small_disk)))
    assert made.proof.result is Result.INTACT
    assert made.proof.reason
    assert "free" in made.proof.action
    assert files_below(small_disk) == []


def test_a_second_store_that_is_full_costs_the_first_nothing_and_keeps_no_half_copy(
    noise: PostgresServer, small_disk: Path, tmp_path: Path
) -> None:
    first, second = only(back_up(backups_at(noise, "noise", tmp_path, stores=[{"store": str(small_disk)}]))).stored
    assert first.is_proven
    assert second.problem is not None
    assert str(small_disk) in second.problem.reason
    assert "No space left on device" in second.problem.reason
    assert files_below(small_disk) == []


def only(made: list[Made]) -> Made:
    [one] = made
    return one


def test_a_first_store_that_is_broken_costs_the_second_nothing(noise: PostgresServer, tmp_path: Path) -> None:
    (tmp_path / "first").write_text("a file where a folder belongs")
    at = backups_at(noise, "noise", tmp_path / "first", stores=[{"store": str(tmp_path / "second")}])
    made = only(back_up(at))
    first, second = made.stored
    assert first.problem is not None
    assert str(tmp_path / "first") in first.problem.reason
    assert second.is_proven
    assert [each.id for each in LocalStore(tmp_path / "second", "test").listing().sets] == [made.manifest.id]


def test_a_file_where_the_only_store_should_be_is_told_before_anything_is_dumped(
    noise: PostgresServer, tmp_path: Path
) -> None:
    (tmp_path / "store").write_text("a file")
    with pytest.raises(PermanentError, match=f"the store {tmp_path}/store cannot be written"):
        back_up(backups_at(noise, "noise", tmp_path / "store"))


def test_a_file_where_the_work_folder_should_be_is_told(noise: PostgresServer, tmp_path: Path) -> None:
    (tmp_path / "work").write_text("a file")
    with pytest.raises(PermanentError, match=f"the disk of {tmp_path}/work cannot be written"):
        back_up(backups_at(noise, "noise", tmp_path / "store", work_folder=str(tmp_path / "work")))


_AS_NOBODY = """
import os, sys
from pathlib import Path
os.setgid({gid}); os.setuid({uid})
from atomops.errors import PermanentError
from atomops.stores.local import LocalStore
try:
    LocalStore(Path(sys.argv[1]), "test").staging("a-set")
except PermanentError as error:
    print(error)
"""


def test_a_folder_that_we_may_not_write_is_told_with_what_to_do() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    folder = make_folder("atomops-forbidden-")
    try:
        account = pwd.getpwnam(UNPRIVILEGED)
        script = _AS_NOBODY.format(uid=account.pw_uid, gid=account.pw_gid)
        root = Path(__file__).parents[2]
        # everything is imported before the change of user, who may not walk to the checkout
        script = script.replace("os.setgid", "import atomops.stores.local; os.setgid", 1)
        ended = asyncio.run(shell.run([sys.executable, "-c", script, folder], timeout=PATIENCE, cwd=root))
        assert f"the store {folder} cannot be written (Permission denied): " in ended.stdout.decode()
    finally:
        folder.rmdir()
