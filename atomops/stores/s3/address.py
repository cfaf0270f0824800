"""Where a bucket is, and how its server is spoken to."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from atomops.errors import InventoryError, NotThere
from atomops.inventory import BackupStore
from atomops.secret import Secret

if TYPE_CHECKING:  # types only, of the extra `dev`
    from mypy_boto3_s3 import S3Client

CONNECTIONS = 16  # requests side by side; a backup shares its machine and its network with the application
_ATTEMPTS = 4  # of each request, the first one included, with 7 seconds of pauses at most
_CONNECT_SECONDS = 10  # whoever takes longer to say hello is not there
_ADDRESS = re.compile(r"s3://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]+)(?P<prefix>(/[^/]+)*)/?")


@dataclass(frozen=True)
class Address:
    """A bucket, the prefix that is ours in it ("" or with a slash at its end), and the name that errors call it by."""

    bucket: str
    prefix: str
    name: str


def address_of(settings: BackupStore) -> Address:
    """The address behind `store`. Raises InventoryError."""
    parts = _ADDRESS.fullmatch(settings.store)
    if parts is None:
        raise InventoryError(f"the store {settings.store} names no bucket", action="write s3://bucket/prefix")
    prefix = parts["prefix"].removeprefix("/")
    server = f" at {settings.endpoint_url}" if settings.endpoint_url else ""
    return Address(parts["bucket"], f"{prefix}/" if prefix else "", f"{settings.store}{server}")


def client_of(settings: BackupStore) -> "S3Client":
    """A client that has not spoken yet; threads may share it. Raises InventoryError or NotThere."""
    if settings.ca_file and not settings.ca_file.is_file():
        raise NotThere(f"the ca_file {settings.ca_file} cannot be read", action="check its path and mode")
    try:
        client: S3Client = boto3.session.Session().client(
            "s3",
            endpoint_url=settings.endpoint_url,
            region_name=settings.region or (settings.endpoint_url and "us-east-1"),  # what most servers call themselves
            aws_access_key_id=_revealed(settings.access_key_id),
            aws_secret_access_key=_revealed(settings.secret_access_key),
            verify=str(settings.ca_file) if settings.ca_file else settings.verify_tls,
            config=_config(settings),
        )
    except (BotoCoreError, ValueError) as error:  # a profile that does not exist, an address that is none
        raise InventoryError(f"the store {settings.store} cannot be used: {error}") from error
    client.meta.events.register("before-call.s3.HeadBucket", _ask_once)
    return client


def _ask_once(params: dict[str, Any], **_: object) -> None:
    """boto3 asks HeadBucket where a redirect leads, and would ask for ever when that is redirected too."""
    params["context"].setdefault("s3_redirect", {})["redirected"] = True


def _config(settings: BackupStore) -> Config:
    """A server with an endpoint of its own is taken for a plain one: it may know neither checksums nor host names."""
    is_custom = settings.endpoint_url is not None
    checksums = settings.checksums or ("when_required" if is_custom else "when_supported")
    path_style = is_custom if settings.path_style is None else settings.path_style
    return Config(
        connect_timeout=min(_CONNECT_SECONDS, settings.timeout),
        read_timeout=settings.timeout,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        max_pool_connections=CONNECTIONS,
        s3={"addressing_style": "path" if path_style else "auto"},
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
        user_agent_extra="atom-ops",
    )


def _revealed(secret: Secret | None) -> str | None:
    return secret.reveal() if secret else None
