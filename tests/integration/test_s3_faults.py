"""Every way in which a bucket, or the way to it, can fail: one error that says where, what, and what to do."""

import datetime as dt
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from atomops.errors import (
    AccessDenied,
    AtomOpsError,
    BadAnswer,
    InventoryError,
    NotThere,
    PermanentError,
    TemporaryError,
    TimedOut,
    Unreachable,
)
from atomops.stores.choose import store_of
from atomops.stores.s3.bucket import PART
from atomops.stores.store import Store
from tests.backup_sets import manifest, prepared
from tests.certificates import authority, leaf, shown
from tests.peers import http_server, refused_port
from tests.s3_proxy import Fault, Proxy, proxy
from tests.s3_servers import BUCKET, KEY, SECRET, SERVERS, S3Server
from tests.store_places import Prefix

pytestmark = pytest.mark.slow(45)

SET = manifest()
BIG = {"data/1.dat": 3 * PART}
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
HTML = b"<!DOCTYPE html><html><body><p>Please log in<br></body></html>"
XHTML = b"<html><body><p>Please log in</p></body></html>"


@pytest.fixture(params=[*SERVERS])
def place(request: pytest.FixtureRequest, s3: Callable[[str], S3Server]) -> Prefix:
    return Prefix(s3(request.param), request.node.name)


@pytest.fixture
def spoiled(place: Prefix) -> Iterator[Proxy]:
    with proxy(place.server.url) as ours:
        yield ours


@pytest.fixture
def store(place: Prefix, spoiled: Proxy) -> Store:
    return place.by(spoiled.url)


def _big(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    with (folder / "data/1.dat").open("wb") as file:
        file.truncate(BIG["data/1.dat"])
    return folder


def _failure(work: Callable[[], object]) -> AtomOpsError:
    with pytest.raises(AtomOpsError) as caught:
        work()
    error: AtomOpsError = caught.value
    chain = [error, error.__cause__, error.__context__]
    assert not any(SECRET in f"{each!r} {each}" for each in chain)
    assert BUCKET in str(error)
    return error


@pytest.mark.parametrize("place", ["moto"], indirect=True)
@pytest.mark.parametrize(("status", "body"), [(500, b""), (503, SLOW_DOWN), (502, HTML)])
def test_a_server_that_is_ill_for_a_moment_is_asked_again(
    store: Store, spoiled: Proxy, tmp_path: Path, status: int, body: bytes
) -> None:
    spoiled.first(2, Fault(status, body), method="PUT")
    store.publish(prepared(tmp_path / "made"), SET)

    spoiled.first(2, Fault(status, body), method="GET")
    assert [each.id for each in store.listing().sets] == [SET.id]


@pytest.mark.parametrize("place", ["moto"], indirect=True)
@pytest.mark.parametrize(("status", "body"), [(500, b""), (503, SLOW_DOWN), (502, HTML)])
def test_a_server_that_stays_ill_is_a_temporary_error_after_a_few_attempts(
    store: Store, spoiled: Proxy, status: int, body: bytes
) -> None:
    spoiled.always(Fault(status, body))

    error = _failure(store.listing)

    assert isinstance(error, TemporaryError)
    assert spoiled.url in str(error)
    assert 2 <= len(spoiled.seen) <= 5


@pytest.mark.parametrize("place", ["moto"], indirect=True)
def test_a_server_that_is_silent_is_a_time_out(place: Prefix, spoiled: Proxy) -> None:
    silence = socket.socketpair()  # never written to
    silence[0].settimeout(1.5)  # seconds; the store waits 1

    def wait() -> None:
        with pytest.raises(TimeoutError):
            silence[0].recv(1)

    spoiled.always(Fault(before=wait))

    error = _failure(place.by(spoiled.url, timeout=1).listing)

    assert isinstance(error, TimedOut)
    assert "timeout" in str(error)


def test_a_connection_that_is_cut_half_way_through_an_upload_is_made_again(
    place: Prefix, store: Store, spoiled: Proxy, tmp_path: Path
) -> None:
    big = manifest(sizes=BIG)
    spoiled.first(2, Fault(cut_request_after=PART // 2), method="PUT")

    store.publish(_big(tmp_path / "made"), big)

    assert [each.id for each in place.store.listing().sets] == [SET.id]


def test_an_upload_that_breaks_off_leaves_no_parts_and_no_set(
    place: Prefix, store: Store, spoiled: Proxy, tmp_path: Path
) -> None:
    spoiled.fault = lambda request: (
        Fault(cut_request_after=PART // 2) if request.method == "PUT" and "partNumber=2" in request.query else None
    )

    error = _failure(lambda: store.publish(_big(tmp_path / "made"), manifest(sizes=BIG)))

    assert isinstance(error, Unreachable)
    assert place.unfinished() == []
    assert place.store.listing().sets == ()


@pytest.mark.parametrize("sent", [PART // 2, BIG["data/1.dat"] - 1])
def test_a_download_that_breaks_off_is_a_temporary_error(
    place: Prefix, store: Store, spoiled: Proxy, tmp_path: Path, sent: int
) -> None:
    """Also when it breaks off just before the end, where only the announced length tells."""
    place.store.publish(_big(tmp_path / "made"), manifest(sizes=BIG))
    spoiled.always(Fault(cut_response_after=sent), method="GET")

    def download() -> None:
        with store.open(SET.id, "data/1.dat") as stream:
            while stream.read(1 << 20):
                pass

    assert isinstance(_failure(download), Unreachable)


def test_the_callers_own_error_passes_through_an_open_file(place: Prefix, tmp_path: Path) -> None:
    place.store.publish(prepared(tmp_path / "made"), SET)

    with pytest.raises(OSError, match="the disk of the reader"), place.store.open(SET.id, "roles.sql"):
        raise OSError("the disk of the reader is full")


@pytest.mark.parametrize("place", ["moto"], indirect=True)
@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("page", [HTML, XHTML])
def test_a_web_page_is_not_taken_for_a_bucket(
    store: Store, spoiled: Proxy, tmp_path: Path, page: bytes, method: str
) -> None:
    """The login page of a proxy comes with 200, and for the parser XHTML is as good as an empty listing."""
    spoiled.always(Fault(200, page, headers={"Content-Type": "text/html"}), method=method)

    error = _failure(lambda: store.publish(prepared(tmp_path / "made"), SET))

    assert isinstance(error, BadAnswer)
    assert "endpoint_url" in str(error)


def test_an_upload_that_something_on_the_way_has_swallowed_is_noticed(
    place: Prefix, store: Store, spoiled: Proxy, tmp_path: Path
) -> None:
    page = Fault(200, headers={"ETag": '"x"'})
    spoiled.fault = lambda request: page if request.method == "PUT" and "roles" in request.path else None

    error = _failure(lambda: store.publish(prepared(tmp_path / "made"), SET))

    assert "roles.sql" in str(error)
    assert place.store.listing().sets == ()


def test_a_clock_that_is_off_is_seen(store: Store, spoiled: Proxy) -> None:
    earlier = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    spoiled.always(Fault(headers={"Date": f"{earlier:%a, %d %b %Y %H:%M:%S} GMT"}))

    assert abs(store.now() - earlier) < dt.timedelta(seconds=5)


@pytest.mark.parametrize("place", ["moto"], indirect=True)
@pytest.mark.parametrize("date", ["", "yesterday"])
def test_a_server_that_does_not_know_the_time_is_one_clear_error(store: Store, spoiled: Proxy, date: str) -> None:
    spoiled.always(Fault(headers={"Date": date}))

    assert "what time it is" in str(_failure(store.now))


@pytest.mark.parametrize(
    ("status", "code", "kind", "hint"),
    [
        (403, "RequestTimeTooSkewed", PermanentError, "clock"),
        (403, "ExpiredToken", AccessDenied, "renew"),
        (403, "AccessDenied", AccessDenied, "s3:ListBucket"),
        (301, "PermanentRedirect", PermanentError, "region"),
        (301, "301", PermanentError, "endpoint_url"),
        (308, "308", PermanentError, "endpoint_url"),
        (400, "AuthorizationHeaderMalformed", PermanentError, "region"),
        (400, "KMS.DisabledException", AccessDenied, "kms_key_id"),
        (507, "XMinioStorageFull", PermanentError, "free some space"),
        (409, "OperationAborted", TemporaryError, "again"),
        (418, "Teapot", PermanentError, "log"),
    ],
)
@pytest.mark.parametrize("place", ["moto"], indirect=True)
def test_what_a_server_says_no_with_becomes_the_next_step(  # noqa: PLR0913, PLR0917 - a table
    store: Store, spoiled: Proxy, status: int, code: str, kind: type[AtomOpsError], hint: str
) -> None:
    spoiled.always(Fault(status, f"<Error><Code>{code}</Code><Message>Its words</Message></Error>".encode()))

    error = _failure(store.listing)

    assert isinstance(error, kind)
    assert isinstance(error, TemporaryError) == (kind is TemporaryError)
    assert hint in str(error)
    assert code in str(error)


def test_an_archived_object_says_that_it_must_be_restored_first(
    store: Store, spoiled: Proxy, place: Prefix, tmp_path: Path
) -> None:
    place.store.publish(prepared(tmp_path / "made"), SET)
    spoiled.always(Fault(403, b"<Error><Code>InvalidObjectState</Code></Error>"), method="GET")

    def download() -> None:
        with store.open(SET.id, "roles.sql"):
            pass

    assert "archive" in str(_failure(download))


@pytest.mark.parametrize("place", [name for name in SERVERS if name != "moto"], indirect=True)
@pytest.mark.parametrize("wrong", ["access_key_id", "secret_access_key"])
def test_a_wrong_key_is_refused_without_showing_it(place: Prefix, tmp_path: Path, wrong: str) -> None:
    store = place.by(**{wrong: "env:WRONG"})

    for work in (store.listing, store.now, lambda: store.publish(prepared(tmp_path / "made"), SET)):
        error = _failure(work)
        assert isinstance(error, AccessDenied)
        assert "secret_access_key" in str(error)
        assert KEY not in str(error)


def test_a_bucket_that_does_not_exist_is_named_and_no_set_is_taken_for_gone(place: Prefix, tmp_path: Path) -> None:
    store = place.by(store="s3://atom-typo/sets")

    def download() -> None:
        with store.open(SET.id, "roles.sql"):
            pass

    publish = lambda: store.publish(prepared(tmp_path / "made"), SET)  # noqa: E731
    for work in (store.listing, store.now, publish, lambda: store.remove(SET.id), download):
        with pytest.raises(PermanentError, match=r"atom-typo.*create it") as caught:
            work()
        assert not isinstance(caught.value, NotThere)


@pytest.mark.parametrize("place", ["moto"], indirect=True)
def test_a_store_where_nobody_listens_is_unreachable(place: Prefix) -> None:
    url = f"http://127.0.0.1:{refused_port()}"

    error = _failure(place.by(url).listing)

    assert isinstance(error, Unreachable)
    assert url in str(error)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("place", ["moto"], indirect=True)
def test_a_certificate_of_nobody_we_know_is_not_trusted(place: Prefix, tmp_path: Path) -> None:
    ours = authority()
    (tmp_path / "ca.pem").write_bytes(ours.pem)
    with http_server({}, shown(tmp_path, leaf(ours))) as url:
        error = _failure(place.by(url).listing)
        assert isinstance(error, PermanentError)
        assert "ca_file" in str(error)

        trusted = _failure(place.by(url, ca_file=tmp_path / "ca.pem").listing)
        assert isinstance(trusted, NotThere)  # it answers, though not as an S3 server
        assert isinstance(_failure(place.by(url, verify_tls=False).listing), NotThere)


@pytest.mark.parametrize("place", ["moto"], indirect=True)
def test_a_ca_file_that_is_sent_is_named(place: Prefix, tmp_path: Path) -> None:
    with pytest.raises(NotThere, match=r"nowhere\.pem"):
        place.by(ca_file=tmp_path / "nowhere.pem").listing()


@pytest.mark.parametrize("place", ["moto"], indirect=True)
def test_a_store_without_any_credentials_asks_for_them(
    place: Prefix, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    error = _failure(place.by(access_key_id=None, secret_access_key=None).listing)

    assert isinstance(error, AccessDenied)
    assert "access_key_id" in str(error)


@pytest.mark.parametrize("place", ["moto"], indirect=True)
def test_a_file_that_has_gone_before_it_was_uploaded_is_named(place: Prefix, tmp_path: Path) -> None:
    folder = prepared(tmp_path / "made")
    (folder / "roles.sql").unlink()

    with pytest.raises(PermanentError, match=r"roles\.sql"):
        place.store.publish(folder, SET)
    assert place.store.listing().sets == ()


@pytest.mark.parametrize("place", ["moto"], indirect=True)
def test_a_file_that_has_changed_since_its_manifest_is_not_published(place: Prefix, tmp_path: Path) -> None:
    folder = prepared(tmp_path / "made")
    (folder / "roles.sql").write_bytes(b"cut")

    with pytest.raises(AtomOpsError, match=r"roles\.sql"):
        place.store.publish(folder, SET)
    assert place.store.listing().sets == ()


@pytest.mark.parametrize("place", ["moto"], indirect=True)
def test_a_profile_that_does_not_exist_is_an_error_of_the_settings(
    place: Prefix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    with pytest.raises(InventoryError, match="nobody"):
        store_of(place.server.settings(access_key_id=None, secret_access_key=None), "production").listing()
