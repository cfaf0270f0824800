"""What a server, or the way to it, has answered: as one of our errors, which names the store and the next step."""

import contextlib
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError
from s3transfer.exceptions import CancelledError

from atomops.errors import (
    AccessDenied,
    AtomOpsError,
    BadAnswer,
    NotThere,
    PermanentError,
    TemporaryError,
    TimedOut,
    Unreachable,
)


class Exists(PermanentError, FileExistsError):
    """There is something under that key already, and we asked not to overwrite it."""


class NotKnown(PermanentError, NotImplementedError):
    """A server that does not know what it was asked for."""


class NoUpload(TemporaryError, LookupError):
    """The server knows no such upload, or none at all."""


class _Kind(NamedTuple):
    error: type[AtomOpsError]
    what: str
    action: str = ""


_WRONG_KEY = _Kind(
    AccessDenied, "does not accept our key", "check access_key_id and secret_access_key, and which server they are for"
)
_EXPIRED = _Kind(AccessDenied, "says that our credentials have expired", "renew them")
_REFUSED = _Kind(AccessDenied, "refuses {permission}", "allow it; docs/stores.md has the whole policy")
_BUSY = _Kind(TemporaryError, "is busy or ill", "try again later; look at the server when it goes on")
_WRONG_REGION = _Kind(PermanentError, "lies in another region", "set `region` to that of the bucket")
_ELSEWHERE = _Kind(PermanentError, "sends us elsewhere", "set endpoint_url to where it sends us, or `region`")
_FULL = _Kind(PermanentError, "is full", "free some space there, or raise the quota")
_UNKNOWN = _Kind(NotKnown, "does not know {permission}", 'with checksums: set checksums = "when_required"')
_NO_CHECKSUM = _Kind(
    PermanentError, "wants a checksum with every upload, as object lock does", 'set checksums = "when_supported"'
)
_NO_BUCKET = _Kind(  # not NotThere, which says that one set or file has gone, and all others have not
    PermanentError, "has no such bucket", "create it, or correct `store`"
)
_KINDS: Mapping[str, _Kind] = {
    "InvalidAccessKeyId": _WRONG_KEY,
    "SignatureDoesNotMatch": _WRONG_KEY,
    "InvalidSecurity": _WRONG_KEY,
    "InvalidToken": _WRONG_KEY,
    "ExpiredToken": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "AccessDenied": _REFUSED,
    "AllAccessDisabled": _REFUSED,
    "AccountProblem": _REFUSED,
    "RequestTimeTooSkewed": _Kind(PermanentError, "has another time than we", "set the clock of this machine (NTP)"),
    "NoSuchBucket": _NO_BUCKET,
    "NoSuchKey": _Kind(NotThere, "has no such object"),
    "NoSuchUpload": _Kind(NoUpload, "has lost an upload on its way", "run it again"),
    "PreconditionFailed": _Kind(Exists, "has it already"),
    "PermanentRedirect": _WRONG_REGION,
    "AuthorizationHeaderMalformed": _WRONG_REGION,
    "IllegalLocationConstraintException": _WRONG_REGION,
    "InvalidObjectState": _Kind(PermanentError, "has it in an archive", "restore the objects from the archive first"),
    "NotImplemented": _UNKNOWN,
    "MethodNotAllowed": _UNKNOWN,
    "MissingContentMD5": _NO_CHECKSUM,
    "MissingUploadObjectWithObjectLockHeaders": _NO_CHECKSUM,
    "QuotaExceeded": _FULL,
    "XMinioStorageFull": _FULL,
    "XMinioAdminBucketQuotaExceeded": _FULL,
    "ConditionalRequestConflict": _Kind(TemporaryError, "hears from two writers at once", "try again"),
    "OperationAborted": _BUSY,
    "SlowDown": _BUSY,
    "RequestTimeout": _BUSY,
    "Throttling": _BUSY,
}
_STATUSES: Mapping[int, _Kind] = {  # for answers without a body that can be read, as HEAD gives them
    HTTPStatus.MOVED_PERMANENTLY: _ELSEWHERE,
    HTTPStatus.FOUND: _ELSEWHERE,
    HTTPStatus.TEMPORARY_REDIRECT: _ELSEWHERE,
    HTTPStatus.PERMANENT_REDIRECT: _ELSEWHERE,
    HTTPStatus.UNAUTHORIZED: _WRONG_KEY,
    HTTPStatus.FORBIDDEN: _REFUSED,
    HTTPStatus.NOT_FOUND: _KINDS["NoSuchKey"],
    HTTPStatus.METHOD_NOT_ALLOWED: _UNKNOWN,
    HTTPStatus.REQUEST_TIMEOUT: _BUSY,
    HTTPStatus.CONFLICT: _KINDS["ConditionalRequestConflict"],
    HTTPStatus.PRECONDITION_FAILED: _KINDS["PreconditionFailed"],
    HTTPStatus.TOO_MANY_REQUESTS: _BUSY,
    HTTPStatus.NOT_IMPLEMENTED: _UNKNOWN,
    HTTPStatus.INSUFFICIENT_STORAGE: _FULL,
}
_WEB_PAGE = _Kind(BadAnswer, "answers with a web page", "check endpoint_url, and what stands between")
_ODD = _Kind(PermanentError, "refuses {permission}", "look at the server's log")
_PERMISSIONS: Mapping[str, str] = {  # where the permission is not called like the request
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "DeleteObject": "s3:DeleteObject",
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "ListObjectsV2": "s3:ListBucket",
}


@contextlib.contextmanager
def at_work(store: str) -> Iterator[None]:
    """Whatever the client raises leaves as an AtomOpsError that names the store, and never a secret."""
    try:
        yield
    except boto.ClientError as error:
        raise refusal(store, error) from error
    except (boto.BotoCoreError, ResponseParserError, CancelledError) as error:
        raise failure(store, error) from error
    except OSError as error:
        if isinstance(error, AtomOpsError):
            raise
        what = f"{error.filename or 'a file'} cannot be read for the store {store} ({error.strerror or error})"
        raise PermanentError(what, action="run the backup again; nobody may touch its folder meanwhile") from error


def refusal(store: str, error: boto.ClientError) -> AtomOpsError:
    """The server has answered, and it was no."""
    code, message, status = _answer(error.response)
    kind = _WEB_PAGE if _is_web_page(error, code) else _kind(code, message, status)
    permission = _PERMISSIONS.get(error.operation_name, "s3:PutObject")
    words = f"{code}: {message}" if message else code
    return kind.error(f"the store {store} {kind.what.format(permission=permission)} ({words})", action=kind.action)


def failure(store: str, error: Exception) -> AtomOpsError:
    """There is no answer, or none that S3 would give."""
    for kinds, kind in _FAILURES:
        if isinstance(error, kinds):
            return kind.error(f"the store {store} {kind.what}", action=kind.action)
    return PermanentError(f"the store {store} cannot be used ({error})")


def _answer(response: Mapping[str, Any]) -> tuple[str, str, int]:
    told = response.get("Error", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return str(told.get("Code") or status), str(told.get("Message") or ""), status


def _is_web_page(error: boto.ClientError, code: str) -> bool:
    """A page of something that is no S3 server. A gateway's own page says that the server behind it is ill.

    The answer to a HEAD is no page, whatever it calls itself. boto3 takes a 200 that it cannot read for a 500.
    """
    if not code.isdigit() or error.operation_name.startswith("Head"):
        return False
    about = error.response.get("ResponseMetadata", {})
    is_html = str(about.get("HTTPHeaders", {}).get("content-type", "")).startswith("text/html")
    return is_html and about.get("HTTPStatusCode", 0) <= HTTPStatus.INTERNAL_SERVER_ERROR


def _kind(code: str, message: str, status: int) -> _Kind:
    if code.startswith("KMS."):
        return _Kind(AccessDenied, "cannot use the KMS key", "check kms_key_id, and that our key may use it")
    if "Content-MD5" in message:  # AWS calls it InvalidRequest
        return _NO_CHECKSUM
    if code in _KINDS:
        return _KINDS[code]
    return _STATUSES.get(status, _BUSY if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _ODD)


_FAILURES: tuple[tuple[tuple[type[Exception], ...], _Kind], ...] = (  # the first that fits
    (
        (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError),
        _Kind(AccessDenied, "wants credentials, and there are none", "set access_key_id and secret_access_key"),
    ),
    (
        (boto.SSLError,),
        _Kind(
            PermanentError, "shows a certificate that we do not trust", "set ca_file to the authority that signed it"
        ),
    ),
    (
        (boto.ConnectTimeoutError, boto.ReadTimeoutError),
        _Kind(TimedOut, "is silent for longer than `timeout`", "try again, or raise `timeout`"),
    ),
    (
        (boto.EndpointConnectionError, boto.ProxyConnectionError),
        _Kind(Unreachable, "does not answer", "check endpoint_url, the network, and that the server runs"),
    ),
    (
        (boto.HTTPClientError, boto.IncompleteReadError, CancelledError),
        _Kind(Unreachable, "has broken the connection off", "try again; look at the network when it goes on"),
    ),
    (
        (ResponseParserError, boto.FlexibleChecksumError),
        _Kind(BadAnswer, "answers what no S3 server would", "check endpoint_url, and what stands between"),
    ),
)
