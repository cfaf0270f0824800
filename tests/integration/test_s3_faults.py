"""Every way in which a bucket, or the way to it, can fail: one error that says where, what, and what to do."""

import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from atomops.errors import (
    AccessDenied,
    AtomOpsError,
    BadAnswer,
    PermanentError,
    TemporaryError,
    TimedOut,
    Unreachable,
)
from atomops.stores.s3.bucket import PART
from atomops.stores.store import Store
from tests.backup_sets import manifest, prepared
from tests.s3_proxy import Fault, Proxy, proxy
from tests.store_places import Prefix, failure_of

pytestmark = pytest.mark.slow(45)

SET = manifest()
BIG = {"data/1.dat": 3 * PART}
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
HTML = b"<!DOCTYPE html><html><body><p>Please log in<br></body></html>"
XHTML = b"<html><body><p>Please log in</p></body></html>"


@pytest.fixture
def spoiled(s3_place: Prefix) -> Iterator[Proxy]:
    with proxy(s3_place.server.url) as ours:
        yield ours


@pytest.fixture
def store(s3_place: Prefix, spoiled: Proxy) -> Store:
    return s3_place.by(spoiled.url)


def _big(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    with (folder / "data/1.dat").open("wb") as file:
        file.truncate(BIG["data/1.dat"])
    return folder


@pytest.mark.few(1)
@pytest.mark.parametrize("s3_place", ["moto"], indirect=True)
@pytest.mark.parametrize(("status", "body"), [(500, b""), (503, SLOW_DOWN), (502, HTML)])
def test_a_server_that_is_ill_for_a_moment_is_asked_again(
    store: Store, spoiled: Proxy, tmp_path: Path, status: int, body: bytes
) -> None:
    spoiled.first(2, Fault(status, body), method="PUT")
    store.publish(prepared(tmp_path / "made"), SET)

    spoiled.first(2, Fault(status, body), method="GET")
    assert [each.id for each in store.listing().sets] == [SET.id]


@pytest.mark.few(1)
@pytest.mark.parametrize("s3_place", ["moto"], indirect=True)
@pytest.mark.parametrize(("status", "body"), [(500, b""), (503, SLOW_DOWN), (502, HTML)])
def test_a_server_that_stays_ill_is_a_temporary_error_after_a_few_attempts(
    store: Store, spoiled: Proxy, status: int, body: bytes
) -> None:
    spoiled.always(Fault(status, body))

    error = failure_of(store.listing)

    assert isinstance(error, TemporaryError)
    assert spoiled.url in str(error)
    assert 2 <= len(spoiled.seen) <= 5


@pytest.mark.parametrize("s3_place", ["moto"], indirect=True)
def test_a_server_that_is_silent_is_a_time_out(s3_place: Prefix, spoiled: Proxy) -> None:
    over = threading.Event()
    spoiled.always(Fault(before=over.wait))

    error = failure_of(s3_place.by(spoiled.url, timeout=1).listing)

    over.set()
    assert isinstance(error, TimedOut)
    assert "timeout" in str(error)


def test_a_connection_that_is_cut_half_way_through_an_upload_is_made_again(
    s3_place: Prefix, store: Store, spoiled: Proxy, tmp_path: Path
) -> None:
    big = manifest(sizes=BIG)
    spoiled.first(2, Fault(cut_request_after=PART // 2), method="PUT")

    store.publish(_big(tmp_path / "made"), big)

    assert [each.id for each in s3_place.store.listing().sets] == [SET.id]


def test_an_upload_that_breaks_off_leaves_no_parts_and_no_set(
    s3_place: Prefix, store: Store, spoiled: Proxy, tmp_path: Path
) -> None:
    spoiled.fault = lambda request: (
        Fault(cut_request_after=PART // 2) if request.method == "PUT" and "partNumber=2" in request.query else None
    )

    error = failure_of(lambda: store.publish(_big(tmp_path / "made"), manifest(sizes=BIG)))

    assert isinstance(error, Unreachable)
    assert s3_place.unfinished() == []
    assert s3_place.store.listing().sets == ()


@pytest.mark.few(1)
@pytest.mark.parametrize("sent", [PART // 2, BIG["data/1.dat"] - 1])
def test_a_download_that_breaks_off_is_a_temporary_error(
    s3_place: Prefix, store: Store, spoiled: Proxy, tmp_path: Path, sent: int
) -> None:
    """Also when it breaks off just before the end, where only the announced length tells."""
    s3_place.store.publish(_big(tmp_path / "made"), manifest(sizes=BIG))
    spoiled.always(Fault(cut_response_after=sent), method="GET")

    def download() -> None:
        with store.open(SET.id, "data/1.dat") as stream:
            while stream.read(1 << 20):
                pass

    assert isinstance(failure_of(download), Unreachable)


def test_the_callers_own_error_passes_through_an_open_file(s3_place: Prefix, tmp_path: Path) -> None:
    s3_place.store.publish(prepared(tmp_path / "made"), SET)

    with pytest.raises(OSError, match="the disk of the reader"), s3_place.store.open(SET.id, "roles.sql"):
        raise OSError("the disk of the reader is full")


@pytest.mark.parametrize("s3_place", ["moto"], indirect=True)
@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("page", [HTML, XHTML])
def test_a_web_page_is_not_taken_for_a_bucket(
    store: Store, spoiled: Proxy, tmp_path: Path, page: bytes, method: str
) -> None:
    """The login page of a proxy comes with 200, and for the parser XHTML is as good as an empty listing."""
    spoiled.always(Fault(200, page, headers={"Content-Type": "text/html"}), method=method)

    error = failure_of(lambda: store.publish(prepared(tmp_path / "made"), SET))

    assert isinstance(error, BadAnswer)
    assert "endpoint_url" in str(error)


def test_an_upload_that_something_on_the_way_has_swallowed_is_noticed(
    s3_place: Prefix, store: Store, spoiled: Proxy, tmp_path: Path
) -> None:
    page = Fault(200, headers={"ETag": '"x"'})
    spoiled.fault = lambda request: page if request.method == "PUT" and "roles" in request.path else None

    error = failure_of(lambda: store.publish(prepared(tmp_path / "made"), SET))

    assert "roles.sql" in str(error)
    assert s3_place.store.listing().sets == ()


def test_a_clock_that_is_off_is_seen(store: Store, spoiled: Proxy) -> None:
    earlier = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=1)
    spoiled.always(Fault(headers={"Date": f"{earlier:%a, %d %b %Y %H:%M:%S} GMT"}))

    assert store.now() == earlier


@pytest.mark.parametrize("s3_place", ["moto"], indirect=True)
@pytest.mark.parametrize("date", ["", "yesterday"])
def test_a_server_that_does_not_know_the_time_is_one_clear_error(store: Store, spoiled: Proxy, date: str) -> None:
    spoiled.always(Fault(headers={"Date": date}))

    assert "what time it is" in str(failure_of(store.now))


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
@pytest.mark.parametrize("s3_place", ["moto"], indirect=True)
def test_what_a_server_says_no_with_becomes_the_next_step(  # noqa: PLR0913, PLR0917 - a table
    store: Store, spoiled: Proxy, status: int, code: str, kind: type[AtomOpsError], hint: str
) -> None:
    spoiled.always(Fault(status, f"<Error><Code>{code}</Code><Message>Its words</Message></Error>".encode()))

    error = failure_of(store.listing)

    assert isinstance(error, kind)
    assert isinstance(error, TemporaryError) == (kind is TemporaryError)
    assert hint in str(error)
    assert code in str(error)


def test_an_archived_object_says_that_it_must_be_restored_first(
    store: Store, spoiled: Proxy, s3_place: Prefix, tmp_path: Path
) -> None:
    s3_place.store.publish(prepared(tmp_path / "made"), SET)
    spoiled.always(Fault(403, b"<Error><Code>InvalidObjectState</Code></Error>"), method="GET")

    def download() -> None:
        with store.open(SET.id, "roles.sql"):
            pass

    assert "archive" in str(failure_of(download))
