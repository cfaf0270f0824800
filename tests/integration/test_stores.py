"""What every store of backup sets promises, whatever it is made of."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from atomops.errors import InventoryError, NotThere, PermanentError
from atomops.facts.backup import MANIFEST, PROOFS, Result
from atomops.inventory import BackupStore
from atomops.stores.choose import store_of
from atomops.stores.local import LocalStore
from atomops.stores.manifests import encode
from atomops.stores.store import Store
from tests.backup_sets import FILES, NIGHT, manifest, prepared, proof
from tests.rounds import thoroughly
from tests.s3_servers import SERVERS, S3Server
from tests.store_places import Folder, Place, Prefix

pytestmark = pytest.mark.slow(30)

SET = manifest()


@pytest.fixture(params=["local", *thoroughly([*SERVERS], short=["rclone"])])
def place(request: pytest.FixtureRequest, tmp_path: Path, s3: Callable[[str], S3Server]) -> Place:
    if request.param == "local":
        return Folder(tmp_path / "backups")
    return Prefix(s3(request.param), f"{request.node.name}/deep")


@pytest.fixture
def store(place: Place) -> Store:
    return place.store


def _publish(store: Store, tmp_path: Path, set_id: str = SET.id) -> None:
    folder = store.staging(set_id) or tmp_path / "elsewhere" / set_id
    store.publish(prepared(folder), manifest(set_id))


def test_an_empty_store_lists_nothing(store: Store) -> None:
    assert store.listing().sets == ()
    assert store.listing().unreadable == ()


def test_a_published_set_is_listed_as_it_was_written(store: Store, tmp_path: Path) -> None:
    _publish(store, tmp_path)

    (listed,) = store.listing().sets
    assert listed.manifest == SET
    assert listed.proof is None
    for path, text in FILES.items():
        with store.open(SET.id, path) as stream:
            assert stream.read() == text


def test_a_published_set_leaves_nothing_else(place: Place, tmp_path: Path) -> None:
    _publish(place.store, tmp_path)

    assert place.paths() == {f"{SET.id}/{path}" for path in [*FILES, MANIFEST]}


def test_a_file_is_read_piece_by_piece(store: Store, tmp_path: Path) -> None:
    _publish(store, tmp_path)

    with store.open(SET.id, "data/1.dat") as stream:
        pieces = list(iter(lambda: stream.read(7), b""))

    assert {len(piece) for piece in pieces[:-1]} == {7}
    assert b"".join(pieces) == FILES["data/1.dat"]


def test_an_empty_file_is_kept_too(store: Store, tmp_path: Path) -> None:
    folder = prepared(tmp_path / "elsewhere")
    (folder / "roles.sql").write_bytes(b"")
    files = {**{path: len(text) for path, text in FILES.items()}, "roles.sql": 0}
    store.publish(folder, manifest(sizes=files))

    with store.open(SET.id, "roles.sql") as stream:
        assert stream.read() == b""


def test_a_set_from_another_folder_is_published_too(store: Store, tmp_path: Path) -> None:
    store.publish(prepared(tmp_path / "elsewhere"), SET)

    assert [each.id for each in store.listing().sets] == [SET.id]
    with store.open(SET.id, "data/1.dat") as stream:
        assert stream.read() == FILES["data/1.dat"]


def test_the_newest_set_comes_first(store: Store, tmp_path: Path) -> None:
    for day in (1, 3, 2):
        made = manifest(f"atom-{day}", at=NIGHT + dt.timedelta(days=day))
        store.publish(prepared(tmp_path / str(day)), made)

    assert [each.id for each in store.listing().sets] == ["atom-3", "atom-2", "atom-1"]


def test_a_set_is_never_overwritten(store: Store, tmp_path: Path) -> None:
    store.publish(prepared(tmp_path / "first"), SET)

    with pytest.raises(PermanentError, match="already"):
        store.publish(prepared(tmp_path / "second"), SET)


def test_the_newest_proof_counts(store: Store, tmp_path: Path) -> None:
    _publish(store, tmp_path)
    store.add_proof(SET.id, proof(at=NIGHT + dt.timedelta(hours=1)))
    store.add_proof(SET.id, proof(Result.FAILED, at=NIGHT + dt.timedelta(hours=2), reason="a flipped bit"))

    (listed,) = store.listing().sets
    assert listed.proof is not None
    assert listed.proof.result is Result.FAILED
    assert not listed.is_proven


def test_a_set_that_has_gone_gets_no_proof(place: Place) -> None:
    with pytest.raises(PermanentError):
        place.store.add_proof(SET.id, proof())

    assert place.paths() == set()


def test_a_removed_set_is_gone_and_the_others_stay(place: Place, tmp_path: Path) -> None:
    store = place.store
    _publish(store, tmp_path, "atom-1")
    _publish(store, tmp_path, "atom-2")
    store.add_proof("atom-1", proof())

    assert store.remove("atom-1").retained == ""

    assert [each.id for each in store.listing().sets] == ["atom-2"]
    assert store.listing().unreadable == ()
    assert {path.partition("/")[0] for path in place.paths()} == {"atom-2"}
    with pytest.raises(NotThere), store.open("atom-1", "roles.sql"):
        pass


def test_a_set_whose_name_begins_like_anothers_is_another(place: Place, tmp_path: Path) -> None:
    store = place.store
    _publish(store, tmp_path, "atom-1")
    _publish(store, tmp_path, "atom-11")

    store.remove("atom-1")

    assert [each.id for each in store.listing().sets] == ["atom-11"]
    assert place.paths() == {f"atom-11/{path}" for path in [*FILES, MANIFEST]}


def test_removing_what_is_not_there_says_so(store: Store) -> None:
    with pytest.raises(NotThere):
        store.remove("atom-1")


def test_a_missing_file_is_named(store: Store, tmp_path: Path) -> None:
    _publish(store, tmp_path)

    with pytest.raises(NotThere, match=r"data/2\.dat"), store.open(SET.id, "data/2.dat"):
        pass


def test_the_clock_of_the_store_is_about_ours(store: Store) -> None:
    before = dt.datetime.now(dt.UTC)
    told = store.now()
    tolerance = dt.timedelta(seconds=2)  # HTTP tells whole seconds, and file systems are a tick behind
    assert before - tolerance < told < dt.datetime.now(dt.UTC) + tolerance


def test_the_clock_is_read_without_writing_anything_or_not_at_all(place: Place) -> None:
    told = place.store.now_by_reading()
    assert place.paths() == set()
    if isinstance(place, Folder):
        assert told is None
        assert not place.root.exists()
    else:
        assert told is not None


def test_a_folder_of_somebody_else_is_shown_and_never_touched(place: Place) -> None:
    place.write("something/else.txt", b"not ours")
    store = place.store

    (shown,) = store.listing().unreadable
    assert shown.name == "something"
    assert MANIFEST in shown.reason
    assert store.listing().sets == ()

    assert store.sweep(dt.timedelta(0)) == ()
    with pytest.raises(NotThere):
        store.remove("nothing")
    assert place.paths() == {"something/else.txt"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{", "damaged"),
        (b'{"schema": 2}', "another version"),
        (b'{"schema": 1}', "damaged"),
        (b"[]", "damaged"),
    ],
)
def test_a_set_that_cannot_be_read_is_shown_with_the_reason(
    place: Place, tmp_path: Path, text: bytes, reason: str
) -> None:
    place.store.publish(prepared(tmp_path / "elsewhere"), SET)
    place.write(f"{SET.id}/{MANIFEST}", text)

    listing = place.store.listing()

    assert listing.sets == ()
    assert reason in listing.unreadable[0].reason


def test_a_damaged_proof_is_no_proof(place: Place, tmp_path: Path) -> None:
    place.store.publish(prepared(tmp_path / "elsewhere"), SET)
    place.write(f"{SET.id}/{PROOFS}/20261124T020000.000000Z.json", b"{")

    listing = place.store.listing()

    assert listing.sets == ()
    assert "proof is damaged" in listing.unreadable[0].reason


def test_a_set_under_another_name_is_not_taken_for_ours(place: Place) -> None:
    place.write(f"copy-by-hand/{MANIFEST}", encode(SET))

    listing = place.store.listing()

    assert listing.sets == ()
    assert listing.unreadable[0].name == "copy-by-hand"


def test_a_flipped_bit_or_a_lost_end_reaches_the_reader_as_it_is_stored(place: Place, tmp_path: Path) -> None:
    """Nothing between the store and the reader may repair, cache or refuse it: the SHA-256 is the reader's."""
    store = place.store
    store.publish(prepared(tmp_path / "elsewhere"), SET)
    whole = FILES["data/1.dat"]
    for step in range(60):
        cut = step % 2 * (step + 1)
        damaged = bytearray(whole[: len(whole) - cut])
        damaged[step * 61] ^= 1 << step % 8
        place.write(f"{SET.id}/data/1.dat", bytes(damaged))

        with store.open(SET.id, "data/1.dat") as stream:
            assert stream.read() == bytes(damaged)


def test_a_folder_that_a_killed_run_has_left_is_swept_when_it_is_old(tmp_path: Path) -> None:
    store = LocalStore(tmp_path, "production")
    prepared(store.staging(SET.id))

    assert store.listing().unreadable == ()
    assert store.sweep(dt.timedelta(hours=1)) == ()
    assert store.sweep(dt.timedelta(0)) == (f".incoming-{SET.id}",)
    assert list((tmp_path / "production").iterdir()) == []


def test_a_store_that_is_no_folder_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "backups").write_text("a file")
    store = LocalStore(tmp_path / "backups", "production")

    with pytest.raises(PermanentError, match="cannot be written"):
        store.staging(SET.id)


@pytest.mark.parametrize("address", ["gs://bucket/prefix", "s3://", "s3:///prefix", "s3://b/x//y", "https://bucket"])
def test_an_address_that_no_store_understands_is_refused(address: str) -> None:
    with pytest.raises(InventoryError, match="s3://bucket/prefix"):
        store_of(BackupStore(store=address), "production")
