"""What a bucket adds to the promises of a store: markers, locks, versions."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from atomops.errors import PermanentError, TemporaryError
from atomops.facts.backup import MANIFEST
from tests.backup_sets import FILES, manifest, prepared, proof
from tests.rounds import thoroughly
from tests.s3_proxy import Fault, Request, proxy
from tests.s3_servers import SERVERS, S3Server
from tests.store_places import Prefix

pytestmark = pytest.mark.slow(25)

SET = manifest()
LOCKING = thoroughly([name for name in SERVERS if name != "rclone"], short=["moto"])
NOW = dt.timedelta(0)


def _interrupted(s3_place: Prefix, tmp_path: Path, *, at: str = MANIFEST) -> Path:
    """The folder of a set whose publishing broke off when it came to this file."""
    folder = prepared(tmp_path / "made")
    with proxy(s3_place.server.url) as spoiled:
        spoiled.fault = lambda request: Fault(503) if request.method == "PUT" and request.path.endswith(at) else None
        with pytest.raises(TemporaryError):
            s3_place.by(spoiled.url).publish(folder, SET)
    return folder


def test_an_interrupted_set_is_neither_listed_nor_taken_for_somebody_elses(s3_place: Prefix, tmp_path: Path) -> None:
    _interrupted(s3_place, tmp_path)

    assert s3_place.paths() == {f".incoming-{SET.id}", *(f"{SET.id}/{path}" for path in FILES)}
    listing = s3_place.store.listing()
    assert listing.sets == ()
    assert listing.unreadable == ()


def test_publishing_again_goes_on_where_it_was_interrupted(s3_place: Prefix, tmp_path: Path) -> None:
    folder = _interrupted(s3_place, tmp_path)

    s3_place.store.publish(folder, SET)

    assert [each.id for each in s3_place.store.listing().sets] == [SET.id]
    assert s3_place.paths() == {f"{SET.id}/{path}" for path in [*FILES, MANIFEST]}


def test_another_run_does_not_take_an_interrupted_id(s3_place: Prefix, tmp_path: Path) -> None:
    _interrupted(s3_place, tmp_path)

    with pytest.raises(PermanentError, match="another run"):
        s3_place.store.publish(prepared(tmp_path / "of another"), SET)


@pytest.mark.parametrize("at", [MANIFEST, "roles.sql", ".incoming-" + SET.id])
def test_what_was_interrupted_is_swept_whatever_it_was_at(s3_place: Prefix, tmp_path: Path, at: str) -> None:
    _interrupted(s3_place, tmp_path, at=at)
    s3_place.write("something/else.txt", b"not ours")

    swept = s3_place.store.sweep(NOW)

    assert set(swept) <= {SET.id}
    assert s3_place.paths() == {"something/else.txt"}


def test_a_set_on_its_way_is_not_swept(s3_place: Prefix, tmp_path: Path) -> None:
    _interrupted(s3_place, tmp_path)
    before = s3_place.paths()

    assert s3_place.store.sweep(dt.timedelta(hours=1)) == ()
    assert s3_place.paths() == before


def test_a_sweep_leaves_whole_sets_and_their_proofs_alone(s3_place: Prefix, tmp_path: Path) -> None:
    store = s3_place.store
    store.publish(prepared(tmp_path / "made"), SET)
    store.add_proof(SET.id, proof())
    before = s3_place.paths()
    s3_place.write(f".incoming-{SET.id}", b"its run was killed just before it took this away")

    assert store.sweep(NOW) == (SET.id,)
    assert s3_place.paths() == before


def test_a_set_that_was_swept_on_its_way_is_not_published(s3_place: Prefix, tmp_path: Path) -> None:
    """A laptop that slept for two days over its upload may not wake up and list a set whose files have gone."""
    folder = prepared(tmp_path / "made")

    def sweep(request: Request) -> Fault | None:
        if request.method == "GET" and request.path.endswith(f".incoming-{SET.id}"):
            s3_place.store.sweep(NOW)
        return None

    with proxy(s3_place.server.url) as spoiled:
        spoiled.fault = sweep
        with pytest.raises(TemporaryError, match="swept"):
            s3_place.by(spoiled.url).publish(folder, SET)
    assert s3_place.paths() == set()


def test_a_removal_that_broke_off_is_finished_by_the_next_sweep(s3_place: Prefix, tmp_path: Path) -> None:
    s3_place.store.publish(prepared(tmp_path / "made"), SET)
    with proxy(s3_place.server.url) as spoiled:
        spoiled.fault = lambda request: Fault(503) if request.path.endswith("roles.sql") else None
        with pytest.raises(TemporaryError):
            s3_place.by(spoiled.url).remove(SET.id)

    listing = s3_place.store.listing()
    assert (listing.sets, listing.unreadable) == ((), ())
    assert s3_place.store.sweep(NOW) == (SET.id,)
    assert s3_place.paths() == set()


def test_unfinished_uploads_are_swept_and_named(s3_place: Prefix) -> None:
    client = s3_place.server.client()
    begun = client.create_multipart_upload(Bucket=s3_place.bucket, Key=f"{s3_place.home}{SET.id}/data/9.dat")
    client.upload_part(Bucket=s3_place.bucket, Key=begun["Key"], UploadId=begun["UploadId"], PartNumber=1, Body=b"part")
    outside = client.create_multipart_upload(Bucket=s3_place.bucket, Key=f"{s3_place.prefix}/staging/{SET.id}/9.dat")

    if "ages" in s3_place.server.knows:  # moto says that every upload was begun in 2010
        assert s3_place.store.sweep(dt.timedelta(hours=1)) == ()
    assert s3_place.store.sweep(NOW) == (f"{SET.id}/data/9.dat (never finished)",)

    assert s3_place.unfinished() == []
    assert [each["Key"] for each in client.list_multipart_uploads(Bucket=s3_place.bucket)["Uploads"]] == [
        outside["Key"]
    ]
    client.abort_multipart_upload(Bucket=s3_place.bucket, Key=outside["Key"], UploadId=outside["UploadId"])


@pytest.fixture
def locked(request: pytest.FixtureRequest, s3: Callable[[str], S3Server]) -> Prefix:
    """A bucket whose objects are locked for a day from when they are put."""
    server = s3(request.param)
    client = server.client()
    bucket = f"locked-{request.param}-{abs(hash(request.node.name)) % 10**8}"
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    client.put_object_lock_configuration(
        Bucket=bucket,
        ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule},  # type: ignore[typeddict-item]
    )
    return Prefix(server, "sets", bucket)


@pytest.mark.parametrize("locked", LOCKING, indirect=True)
def test_a_locked_set_is_retained_and_stays_listed(locked: Prefix, tmp_path: Path) -> None:
    store = locked.by(checksums="when_supported")
    store.publish(prepared(tmp_path / "made"), SET)

    removal = store.remove(SET.id)

    assert "locked until" in removal.retained
    assert [each.id for each in store.listing().sets] == [SET.id]
    assert {f"{SET.id}/{path}" for path in FILES} < locked.paths()


@pytest.mark.parametrize("locked", LOCKING, indirect=True)
def test_an_unlocked_set_in_a_bucket_with_versions_is_hidden_and_kept(locked: Prefix, tmp_path: Path) -> None:
    client = locked.server.client()
    client.put_object_lock_configuration(Bucket=locked.bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    store = locked.store
    store.publish(prepared(tmp_path / "made"), SET)

    assert store.remove(SET.id).retained == ""

    assert store.listing().sets == ()
    assert locked.paths() == set()
    versions = client.list_object_versions(Bucket=locked.bucket, Prefix=f"{locked.home}{SET.id}/{MANIFEST}")
    assert len(versions["Versions"]) == 1


def test_a_store_that_refuses_to_delete_retains_the_set(s3_place: Prefix, tmp_path: Path) -> None:
    refusal = b"<Error><Code>AccessDenied</Code><Message>object is WORM protected</Message></Error>"
    s3_place.store.publish(prepared(tmp_path / "made"), SET)
    with proxy(s3_place.server.url) as spoiled:
        spoiled.always(Fault(403, refusal), method="DELETE")
        removal = s3_place.by(spoiled.url).remove(SET.id)

    assert "WORM protected" in removal.retained
    assert "s3:DeleteObject" in removal.retained
    assert [each.id for each in s3_place.store.listing().sets] == [SET.id]


def test_a_key_that_may_not_delete_can_still_publish(s3_place: Prefix, tmp_path: Path) -> None:
    with proxy(s3_place.server.url) as spoiled:
        spoiled.always(Fault(403, b"<Error><Code>AccessDenied</Code></Error>"), method="DELETE")
        s3_place.by(spoiled.url).publish(prepared(tmp_path / "made"), SET)

    assert [each.id for each in s3_place.store.listing().sets] == [SET.id]


@pytest.mark.parametrize("s3_place", ["moto"], indirect=True)
def test_what_listings_read_stays_at_hand_and_everything_is_encrypted(s3_place: Prefix, tmp_path: Path) -> None:
    settings = {"storage_class": "GLACIER", "encryption": "aws:kms", "kms_key_id": "alias/backups"}
    s3_place.by(**settings).publish(prepared(tmp_path / "made"), SET)

    client = s3_place.server.client()
    stored = {
        path: client.head_object(Bucket=s3_place.bucket, Key=f"{s3_place.home}{SET.id}/{path}")
        for path in ("roles.sql", MANIFEST)
    }
    assert stored["roles.sql"]["StorageClass"] == "GLACIER"
    assert "StorageClass" not in stored[MANIFEST]  # as the server says STANDARD
    assert {each["ServerSideEncryption"] for each in stored.values()} == {"aws:kms"}
    assert {each["SSEKMSKeyId"] for each in stored.values()} == {"alias/backups"}
