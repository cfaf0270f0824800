"""One bucket, as plain verbs on keys. It knows S3, and nothing of backup sets."""

import contextlib
import datetime as dt
import functools
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from s3transfer.manager import TransferConfig, TransferManager

from atomops.errors import BadAnswer, NotThere, TemporaryError
from atomops.inventory import BackupStore
from atomops.stores.s3.address import CONNECTIONS, address_of, client_of
from atomops.stores.s3.refusals import Exists, NotKnown, NoUpload, at_work
from atomops.stores.s3.stream import buffered

if TYPE_CHECKING:  # types only, of the extra `dev`
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef

PART = 16 << 20  # bytes; s3transfer doubles it for a file that would need more than the 10,000 parts that S3 allows
_UPLOADS = TransferConfig(
    multipart_threshold=PART,
    multipart_chunksize=PART,
    max_request_concurrency=CONNECTIONS // 2,
    max_submission_concurrency=2,
)
_NONCE = "atomops-nonce"
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_Page = TypeVar("_Page", bound=Mapping[str, object])


@dataclass(frozen=True)
class Found:
    """An object, or an upload that was never finished, in a listing."""

    key: str
    bytes: int
    at: dt.datetime
    upload_id: str = ""


class Bucket:
    """A bucket that is reached at the first call. Keys are whole. Every error is an AtomOpsError that names it."""

    def __init__(self, settings: BackupStore) -> None:
        self._settings = settings
        self._address = address_of(settings)
        self.name = self._address.name
        self.prefix = self._address.prefix

    def clock(self, prefix: str) -> dt.datetime:
        """The server's time; asking for it is a look at `prefix`, so that whoever may list may ask."""
        date = self._glance(prefix)["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        try:
            return parsedate_to_datetime(date).astimezone(dt.UTC)
        except (TypeError, ValueError) as error:
            raise BadAnswer(f"the store {self.name} does not say what time it is (Date: {date})") from error

    def folders(self, prefix: str) -> list[str]:
        """The names between `prefix` and the next slash."""
        asked = self._client.get_paginator("list_objects_v2")
        pages = self._pages(asked.paginate(Bucket=self._address.bucket, Prefix=prefix, Delimiter="/"))
        found = (each["Prefix"] for page in pages for each in page.get("CommonPrefixes", ()))
        return [folder.removeprefix(prefix).removesuffix("/") for folder in found]

    def objects(self, prefix: str) -> Iterator[Found]:
        """Every object whose key begins so, in the order of keys."""
        asked = self._client.get_paginator("list_objects_v2")
        for page in self._pages(asked.paginate(Bucket=self._address.bucket, Prefix=prefix)):
            for each in page.get("Contents", ()):
                yield Found(each["Key"], each["Size"], each["LastModified"])

    def unfinished(self, prefix: str) -> Iterator[Found]:
        """Every multipart upload below `prefix` that was begun and neither completed nor aborted."""
        asked = self._client.get_paginator("list_multipart_uploads")
        with contextlib.suppress(NoUpload, NotKnown):  # some say so when there is none; some do not keep parts at all
            for page in self._pages(asked.paginate(Bucket=self._address.bucket, Prefix=prefix)):
                for each in page.get("Uploads", ()):
                    if each["Key"].startswith(prefix):  # not every server heeds the prefix
                        yield Found(each["Key"], 0, each["Initiated"], each["UploadId"])

    def has(self, key: str) -> bool:
        """Whether it exists: by a listing, since the answer to a HEAD has no body that could say what is wrong."""
        return [each["Key"] for each in self._glance(key).get("Contents", ())] == [key]

    def get(self, key: str) -> bytes:
        """A small object. Raises NotThere."""
        with self.stream(key) as stream:
            return stream.read()

    @contextlib.contextmanager
    def stream(self, key: str) -> Iterator[BinaryIO]:
        """An object of any size, read as it comes. Raises NotThere; reading raises TemporaryError when it breaks."""
        with at_work(self.name):
            body = self._client.get_object(Bucket=self._address.bucket, Key=key)["Body"]
        with contextlib.closing(body), buffered(body, self.name) as stream:
            yield stream

    def put(self, key: str, body: bytes) -> None:
        """A small object, over what was there before."""
        self._put(key, body)

    def put_new(self, key: str, body: bytes) -> bool:
        """Whether we were the one who put it there: of any number of callers, one is.

        On a server without conditional writes two callers in the same moment may both be told so.
        """
        if self.has(key):  # some servers ignore the condition, some refuse it
            return False
        nonce = secrets.token_hex(8)
        try:
            self._put(key, body, only_new=nonce)
        except NotKnown:
            self._put(key, body)
        except (Exists, TemporaryError) as error:  # our own first attempt may have come through, its answer been lost
            if self._nonce(key) == nonce:
                return True
            if isinstance(error, TemporaryError):
                raise
            return False
        return True

    def upload(self, files: Iterable[tuple[Path, str]], *, storage_class: str | None) -> None:
        """Every file is stored under its key, several side by side. No unfinished upload is left when it raises."""
        extra = self._encryption | ({"StorageClass": storage_class} if storage_class else {})
        with at_work(self.name), TransferManager(self._client, _UPLOADS) as manager:
            uploads = [manager.upload(str(path), self._address.bucket, key, extra_args=extra) for path, key in files]
            for upload in uploads:
                upload.result()

    def delete(self, keys: Iterable[str]) -> None:
        """They are gone, one request each: not every server knows how to delete many at once."""
        self.side_by_side(self._delete, keys)

    def abort(self, upload: Found) -> None:
        """The parts of an unfinished upload are gone."""
        with contextlib.suppress(NoUpload), at_work(self.name):
            self._client.abort_multipart_upload(Bucket=self._address.bucket, Key=upload.key, UploadId=upload.upload_id)

    def lock(self, key: str) -> str:
        """What keeps an object from going; "" for nothing, or nothing that we may see."""
        head = self._head(key)
        until = head.get("ObjectLockRetainUntilDate")
        if until and until > dt.datetime.now(dt.UTC):
            return f"locked until {until:%Y-%m-%d %H:%M} UTC ({head.get('ObjectLockMode', 'object lock')})"
        return "on legal hold" if head.get("ObjectLockLegalHoldStatus") == "ON" else ""

    def side_by_side(self, work: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
        """The results in the order of the items; the first error ends it."""
        _ = self._client  # made by one thread alone
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            return list(pool.map(work, items))

    @functools.cached_property
    def _client(self) -> "S3Client":
        return client_of(self._settings)

    @functools.cached_property
    def _encryption(self) -> dict[str, Any]:
        asked = {"ServerSideEncryption": self._settings.encryption, "SSEKMSKeyId": self._settings.kms_key_id}
        return {name: value for name, value in asked.items() if value}

    def _put(self, key: str, body: bytes, *, only_new: str = "") -> None:
        """With `only_new`, a nonce that marks the object as ours, raises Exists when there is one already."""
        asked: dict[str, Any] = {"IfNoneMatch": "*", "Metadata": {_NONCE: only_new}} if only_new else {}
        with at_work(self.name):
            answer = self._client.put_object(
                Bucket=self._address.bucket, Key=key, Body=body, **self._encryption, **asked
            )
        if "ETag" not in answer:  # a proxy's login page is a 200 as well
            raise _nonsense(self.name)

    def _delete(self, key: str) -> None:
        with at_work(self.name):
            self._client.delete_object(Bucket=self._address.bucket, Key=key)

    def _head(self, key: str) -> Mapping[str, Any]:
        with at_work(self.name):
            return self._client.head_object(Bucket=self._address.bucket, Key=key)

    def _nonce(self, key: str) -> str:
        with contextlib.suppress(NotThere):
            return str(self._head(key)["Metadata"].get(_NONCE, ""))
        return ""

    def _glance(self, prefix: str) -> "ListObjectsV2OutputTypeDef":
        with at_work(self.name):
            page = self._client.list_objects_v2(Bucket=self._address.bucket, Prefix=prefix, MaxKeys=1)
        return _listed(page, self.name)

    def _pages(self, pages: Iterable[_Page]) -> Iterator[_Page]:
        with at_work(self.name):
            for page in pages:
                yield _listed(page, self.name)


def _listed(page: _Page, store: str) -> _Page:
    """The page, if it is one: a web page that is well-formed XML would pass for an empty bucket."""
    if not page.keys() & {"Name", "KeyCount", "MaxKeys", "IsTruncated", "Bucket"}:
        raise _nonsense(store)
    return page


def _nonsense(store: str) -> BadAnswer:
    action = "check endpoint_url, and what stands between"
    return BadAnswer(f"the store {store} answers what no S3 server would", action=action)
