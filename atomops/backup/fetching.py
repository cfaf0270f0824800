"""A set's files as pg_restore reads them: taken from a store, every byte checked on the way, decrypted."""

import contextlib
import hashlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import BinaryIO

from atomops.backup.encryption import SUFFIX, decrypt
from atomops.backup.making import telling_full_disk
from atomops.errors import BadAnswer, NotThere, PermanentError
from atomops.facts.backup import Manifest, StoredFile
from atomops.secret import Secret
from atomops.stores.checksums import THREADS, verify
from atomops.stores.local import LocalStore
from atomops.stores.store import Store
from atomops.threads import beside, start

_ANOTHER = "use another set or store, and look at that disk"


class Damaged(PermanentError):
    """The stored bytes are not those that were written."""


@contextlib.asynccontextmanager
async def plain_files(store: Store, manifest: Manifest, identity: Secret | None, work: Path) -> AsyncIterator[Path]:
    """A folder with the set's files, for the block. Plain files of a folder store are read where they lie.

    Raises Damaged when a byte is not as it was written, NotThere when it is encrypted and no identity is at hand, and
    what the store raises.
    """
    if manifest.encrypted_for and identity is None:
        raise NotThere(f"{manifest.id} is encrypted, and no identity is at hand", action="set backups.identity")
    if isinstance(store, LocalStore) and not manifest.encrypted_for:
        problems = await beside(lambda: verify(store, manifest))
        if problems:
            raise Damaged(f"{manifest.id} in {store.name} is damaged: {problems[0]}", action=_ANOTHER)
        yield store.folder(manifest.id)
        return
    folder = work / manifest.id
    try:
        await beside(lambda: fetch(store, manifest, folder, identity))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fetch(store: Store, manifest: Manifest, folder: Path, identity: Secret | None) -> None:
    """Every file of the set is in the folder, decrypted. Raises Damaged, and PermanentError for a full disk."""
    waiting: SimpleQueue[StoredFile] = SimpleQueue()
    for file in manifest.files:
        waiting.put(file)

    def drain() -> None:
        with contextlib.suppress(Empty):
            while True:
                _fetch_one(store, manifest, waiting.get_nowait(), folder, identity)

    for reader in [start(drain) for _ in range(THREADS)]:
        reader.result()


def _fetch_one(store: Store, manifest: Manifest, file: StoredFile, folder: Path, identity: Secret | None) -> None:
    is_sealed = bool(manifest.encrypted_for) and file.path.endswith(SUFFIX)
    place = folder / (file.path.removesuffix(SUFFIX) if is_sealed else file.path)
    with telling_full_disk(folder), store.open(manifest.id, file.path) as stream:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        read = _Hashing(stream)
        if is_sealed and identity:
            try:
                decrypt(read, place, identity.reveal())  # type: ignore[arg-type]  # it only reads
            except BadAnswer as error:
                raise Damaged(f"{file.path} of {manifest.id} in {store.name} is damaged", action=_ANOTHER) from error
        else:
            with place.open("wb") as copy:
                shutil.copyfileobj(read, copy, 1 << 20)
        while read.read(1 << 20):
            pass  # what follows the end of the encrypted message
    if read.sha256 != file.sha256:
        raise Damaged(f"{file.path} of {manifest.id} in {store.name} is not as it was written", action=_ANOTHER)


class _Hashing:
    """A stream that is hashed as it is read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._hash = stream, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        self._hash.update(block)
        return block

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()
