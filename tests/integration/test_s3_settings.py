"""A bucket whose settings are wrong, or a set that is not what it says: what is wrong is named, and no key is shown."""

from pathlib import Path

import pytest

from atomops.errors import (
    AccessDenied,
    AtomOpsError,
    InventoryError,
    NotThere,
    PermanentError,
    Unreachable,
)
from atomops.stores.choose import store_of
from tests.backup_sets import manifest, prepared
from tests.certificates import authority, leaf, shown
from tests.peers import http_server, refused_port
from tests.rounds import thoroughly
from tests.s3_servers import KEY, SERVERS
from tests.store_places import Prefix, failure_of

SET = manifest()
KNOW_KEYS = thoroughly([name for name in SERVERS if name != "moto"], short=["rclone"])


@pytest.mark.parametrize("s3_place", KNOW_KEYS, indirect=True)
@pytest.mark.parametrize("wrong", ["access_key_id", "secret_access_key"])
def test_a_wrong_key_is_refused_without_showing_it(s3_place: Prefix, tmp_path: Path, wrong: str) -> None:
    store = s3_place.by(**{wrong: "env:WRONG"})

    for work in (store.listing, store.now, lambda: store.publish(prepared(tmp_path / "made"), SET)):
        error = failure_of(work)
        assert isinstance(error, AccessDenied)
        assert "secret_access_key" in str(error)
        assert KEY not in str(error)


def test_a_bucket_that_does_not_exist_is_named_and_no_set_is_taken_for_gone(s3_place: Prefix, tmp_path: Path) -> None:
    store = s3_place.by(store="s3://atom-typo/sets")

    def download() -> None:
        with store.open(SET.id, "roles.sql"):
            pass

    publish = lambda: store.publish(prepared(tmp_path / "made"), SET)  # noqa: E731
    for work in (store.listing, store.now, publish, lambda: store.remove(SET.id), download):
        with pytest.raises(PermanentError, match=r"atom-typo.*create it") as caught:
            work()
        assert not isinstance(caught.value, NotThere)


@pytest.mark.parametrize("s3_place", ["moto"], indirect=True)
def test_a_store_where_nobody_listens_is_unreachable(s3_place: Prefix) -> None:
    url = f"http://127.0.0.1:{refused_port()}"

    error = failure_of(s3_place.by(url).listing)

    assert isinstance(error, Unreachable)
    assert url in str(error)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("s3_place", ["moto"], indirect=True)
def test_a_certificate_of_nobody_we_know_is_not_trusted(s3_place: Prefix, tmp_path: Path) -> None:
    ours = authority()
    (tmp_path / "ca.pem").write_bytes(ours.pem)
    with http_server({}, shown(tmp_path, leaf(ours))) as url:
        error = failure_of(s3_place.by(url).listing)
        assert isinstance(error, PermanentError)
        assert "ca_file" in str(error)

        trusted = failure_of(s3_place.by(url, ca_file=tmp_path / "ca.pem").listing)
        assert isinstance(trusted, NotThere)  # it answers, though not as an S3 server
        assert isinstance(failure_of(s3_place.by(url, verify_tls=False).listing), NotThere)


@pytest.mark.parametrize("s3_place", ["moto"], indirect=True)
def test_a_ca_file_that_is_sent_is_named(s3_place: Prefix, tmp_path: Path) -> None:
    with pytest.raises(NotThere, match=r"nowhere\.pem"):
        s3_place.by(ca_file=tmp_path / "nowhere.pem").listing()


@pytest.mark.parametrize("s3_place", ["moto"], indirect=True)
def test_a_store_without_any_credentials_asks_for_them(
    s3_place: Prefix, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    error = failure_of(s3_place.by(access_key_id=None, secret_access_key=None).listing)

    assert isinstance(error, AccessDenied)
    assert "access_key_id" in str(error)


@pytest.mark.parametrize("s3_place", ["moto"], indirect=True)
def test_a_file_that_has_gone_before_it_was_uploaded_is_named(s3_place: Prefix, tmp_path: Path) -> None:
    folder = prepared(tmp_path / "made")
    (folder / "roles.sql").unlink()

    with pytest.raises(PermanentError, match=r"roles\.sql"):
        s3_place.store.publish(folder, SET)
    assert s3_place.store.listing().sets == ()


@pytest.mark.parametrize("s3_place", ["moto"], indirect=True)
def test_a_file_that_has_changed_since_its_manifest_is_not_published(s3_place: Prefix, tmp_path: Path) -> None:
    folder = prepared(tmp_path / "made")
    (folder / "roles.sql").write_bytes(b"cut")

    with pytest.raises(AtomOpsError, match=r"roles\.sql"):
        s3_place.store.publish(folder, SET)
    assert s3_place.store.listing().sets == ()


@pytest.mark.parametrize("s3_place", ["moto"], indirect=True)
def test_a_profile_that_does_not_exist_is_an_error_of_the_settings(
    s3_place: Prefix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    with pytest.raises(InventoryError, match="nobody"):
        store_of(s3_place.server.settings(access_key_id=None, secret_access_key=None), "production").listing()
