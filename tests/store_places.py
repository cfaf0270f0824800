"""An empty store of each kind, and the way behind its back: to damage what it holds, and to see what it left."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from atomops.errors import AtomOpsError
from atomops.inventory import BackupStore
from atomops.stores.choose import store_of
from atomops.stores.store import Store
from tests.s3_servers import BUCKET, SECRET, S3Server

TARGET = "production"


class Place(Protocol):
    """Where a store's sets of one target lie; paths are below the target."""

    @property
    def store(self) -> Store: ...

    def write(self, path: str, content: bytes) -> None: ...

    def paths(self) -> set[str]: ...


@dataclass(frozen=True)
class Folder:
    root: Path

    @property
    def store(self) -> Store:
        return store_of(BackupStore(store=str(self.root)), TARGET)

    def write(self, path: str, content: bytes) -> None:
        place = self.root / TARGET / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def paths(self) -> set[str]:
        home = self.root / TARGET
        return {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}


@dataclass(frozen=True)
class Prefix:
    server: S3Server
    prefix: str
    bucket: str = BUCKET

    @property
    def store(self) -> Store:
        return self.by()

    def by(self, url: str | None = None, **others: object) -> Store:
        """The store with other settings, or reached by another way."""
        server = self.server.behind(url) if url else self.server
        settings = server.settings(self.prefix, **({"store": f"s3://{self.bucket}/{self.prefix}"} | others))
        return store_of(settings, TARGET)

    @property
    def home(self) -> str:
        return f"{self.prefix}/{TARGET}/"

    def write(self, path: str, content: bytes) -> None:
        self.server.client().put_object(Bucket=self.bucket, Key=f"{self.home}{path}", Body=content)

    def paths(self) -> set[str]:
        pages = self.server.client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.home)
        return {each["Key"].removeprefix(self.home) for page in pages for each in page.get("Contents", ())}

    def unfinished(self) -> list[str]:
        """The keys of uploads that were begun, and neither completed nor aborted."""
        page = self.server.client().list_multipart_uploads(Bucket=self.bucket, Prefix=self.home)
        return [each["Key"].removeprefix(self.home) for each in page.get("Uploads", ())]


def failure_of(work: Callable[[], object]) -> AtomOpsError:
    """The error of a store in a bucket, which names the bucket and shows no secret."""
    with pytest.raises(AtomOpsError) as caught:
        work()
    error: AtomOpsError = caught.value
    chain = [error, error.__cause__, error.__context__]
    assert not any(SECRET in f"{each!r} {each}" for each in chain)
    assert BUCKET in str(error)
    return error
