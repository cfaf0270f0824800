"""Real S3 servers on free ports of 127.0.0.1: moto, rclone (which ignores conditions) and SeaweedFS (which locks)."""

import contextlib
import functools
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from atomops import shell
from atomops.inventory import BackupStore
from tests import servers
from tests.ports import own_port
from tests.waiting import wait_until_up

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "atom"
KEY = "AKIDEXAMPLE"
SECRET = "open sesame"


@dataclass(frozen=True)
class S3Server:
    """A running server, and how its own client finds it; `knows` what a test may ask of it."""

    url: str
    knows: frozenset[str]

    def client(self) -> "S3Client":
        """To look behind the back of a store, and to make buckets."""
        return _client(self.url)

    def behind(self, url: str) -> "S3Server":
        """The same server, reached by another way."""
        return replace(self, url=url)

    def settings(self, prefix: str = "", **others: object) -> BackupStore:
        """A store in the bucket, below `prefix`, whose secrets have been read."""
        secrets = {"env:KEY": KEY, "env:SECRET": SECRET}
        asked: dict[str, object] = {
            "store": f"s3://{BUCKET}/{prefix}".rstrip("/"),
            "endpoint_url": self.url,
            "access_key_id": "env:KEY",
            "secret_access_key": "env:SECRET",
            "timeout": 20,
        }
        read = {"read_secret": lambda reference: secrets.get(reference, "none of ours")}
        return BackupStore.model_validate(asked | others, context=read)


@functools.cache
def _client(url: str) -> "S3Client":
    client: S3Client = boto3.session.Session().client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )
    return client


@contextlib.contextmanager
def moto_server(home: Path, env: Mapping[str, str] | None = None) -> Iterator[S3Server]:
    """It believes every key unless `env` says otherwise, but knows conditions, versions, object lock and policies."""

    def argv(port: int) -> list[str | Path]:
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]

    yield from _serving(argv, home, frozenset({"conditions", "locks"}), env)


@contextlib.contextmanager
def rclone_server(home: Path) -> Iterator[S3Server]:
    """A plain folder behind S3: it checks keys, and overwrites whatever the condition says."""
    program = servers.required(servers.rclone)
    (home / "data").mkdir(parents=True)

    def argv(port: int) -> list[str | Path]:
        return [program, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--config", "", home / "data"]

    yield from _serving(argv, home, frozenset({"keys", "ages"}), {"RCLONE_AUTH_KEY": f'"{KEY},{SECRET}"'})


@contextlib.contextmanager
def seaweed_server(home: Path) -> Iterator[S3Server]:
    """A distributed store, all parts of it in one process."""
    program = servers.required(servers.seaweedfs)
    home.mkdir(parents=True, exist_ok=True)
    identity = {"name": "us", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin"]}
    (home / "s3.json").write_text(json.dumps({"identities": [identity]}), encoding="utf-8")

    own = {part: own_port() for part in ("master", "volume", "filer", "s3")}

    def argv(port: int) -> list[str | Path]:
        named = {"-dir": home, "-ip": "127.0.0.1", "-s3.config": home / "s3.json", "-s3.port": port}
        named |= {f"-{part}.port": own_port() for part in ("master", "volume", "filer")}
        named |= {f"-{part}.port.grpc": number for part, number in own.items()}
        named |= {f"-{part}.localSocket": home / part for part in ("filer", "s3")}
        named |= {"-s3.port.iceberg": 0, "-s3.port.lance": 0}  # else on fixed ports
        named |= {"-master.volumeSizeLimitMB": 64, "-volume.max": 40}
        return [program, "server", "-filer", "-s3", *(f"{name}={value}" for name, value in named.items())]

    try:
        yield from _serving(argv, home, frozenset({"conditions", "locks", "keys", "ages"}))
    finally:
        for part, number in own.items():  # it leaves its sockets behind, and knows no other place for them
            Path("/tmp", f"seaweedfs-{part}-grpc-{number}.sock").unlink(missing_ok=True)  # noqa: S108


SERVERS: Mapping[str, Callable[[Path], contextlib.AbstractContextManager[S3Server]]] = {
    "moto": moto_server,
    "rclone": rclone_server,
    "seaweed": seaweed_server,
}


def _serving(
    argv: Callable[[int], list[str | Path]], home: Path, knows: frozenset[str], env: Mapping[str, str] | None = None
) -> Iterator[S3Server]:
    home.mkdir(parents=True, exist_ok=True)
    port = own_port()
    process = shell.start(argv(port), log=home / "server.log", cwd=home, env=env)
    server = S3Server(f"http://127.0.0.1:{port}", knows)
    try:
        wait_until_up(process, lambda: _is_ready(server))
        yield server
    finally:
        process.stop(grace=2)


def _is_ready(server: S3Server) -> bool:
    """Whether it has made the bucket that every test uses, and taken a first object, for which some make room first."""
    with contextlib.suppress(BotoCoreError, ClientError):
        server.client().create_bucket(Bucket=BUCKET)
    with contextlib.suppress(BotoCoreError, ClientError):
        server.client().put_object(Bucket=BUCKET, Key="first")
        return True
    return False
