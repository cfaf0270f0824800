"""A folder as a store. A set appears by the rename of a whole, synced folder, on the same file system."""

import contextlib
import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, TypeVar

from atomops.errors import AtomOpsError, NotThere, PermanentError
from atomops.facts.backup import MANIFEST, PROOFS, BackupSet, Listing, Manifest, Proof, Unreadable
from atomops.stores.manifests import decode_manifest, decode_proof, encode
from atomops.stores.store import Removal
from atomops.stores.whole_files import sync, write_whole

_INCOMING = ".incoming-"
_OUTGOING = ".outgoing-"
_OWNER_ONLY = 0o700  # a dump is the whole database
_T = TypeVar("_T")


class LocalStore:
    """Sets below `root`/`target`. The folder need not exist yet."""

    def __init__(self, root: Path, target: str) -> None:
        self.name = str(root)
        self.home = root / target

    def now(self) -> dt.datetime:
        """The file system's clock, which is another one on a network share."""
        with self._at_work("written"):
            self.home.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY)
            probe = self.home / f"{_INCOMING}clock-{os.getpid()}"
            probe.write_bytes(b"")
            try:
                return dt.datetime.fromtimestamp(probe.stat().st_mtime, dt.UTC)
            finally:
                probe.unlink()

    def now_by_reading(self) -> None:
        """None: a file system tells its time by what is written."""
        return

    def staging(self, set_id: str) -> Path:
        """A new, empty folder beside the sets."""
        folder = self.home / f"{_INCOMING}{set_id}"
        with self._at_work("written"):
            folder.mkdir(parents=True, mode=_OWNER_ONLY)
        return folder

    def publish(self, folder: Path, manifest: Manifest) -> None:
        """Sync every byte, then rename. A folder from elsewhere is copied into a staging of our own first."""
        with self._at_work("written"):
            place = self.home / manifest.id
            if place.exists():
                raise PermanentError(f"the store {self.name} has a set {manifest.id} already")
            with self._gone_if_unpublished(folder, manifest) as ready:
                (ready / MANIFEST).write_bytes(encode(manifest))
                _sync_all(ready)
                ready.rename(place)
            sync(self.home)

    @contextlib.contextmanager
    def _gone_if_unpublished(self, folder: Path, manifest: Manifest) -> Iterator[Path]:
        """The set's files in a staging of ours; what was copied there goes at once when that fails."""
        if folder.parent == self.home:
            yield folder
            return
        staging = self.staging(manifest.id)
        try:
            yield _copy(folder, staging, manifest)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise

    def listing(self) -> Listing:
        """Every folder with a manifest; the others are named with what is wrong."""
        sets: list[BackupSet] = []
        unreadable: list[Unreadable] = []
        with self._at_work("read"):
            for folder in self._folders():
                try:
                    sets.append(_read_set(folder))
                except AtomOpsError as error:
                    unreadable.append(Unreadable(folder.name, str(error)))
        newest_first = sorted(sets, key=lambda each: each.at, reverse=True)
        return Listing(self.name, tuple(newest_first), tuple(unreadable))

    def open(self, set_id: str, path: str) -> AbstractContextManager[BinaryIO]:
        """The file itself."""
        return self._open(self.home / set_id / path)

    def folder(self, set_id: str) -> Path:
        """Where the set's files lie, to be read in place."""
        return self.home / set_id

    def add_proof(self, set_id: str, proof: Proof) -> None:
        """One more file in the set's folder of proofs."""
        proofs = self.home / set_id / PROOFS
        with self._at_work("written"):
            proofs.mkdir(exist_ok=True, mode=_OWNER_ONLY)
            write_whole(proofs / f"{proof.at.astimezone(dt.UTC):%Y%m%dT%H%M%S.%fZ}.json", encode(proof))

    def remove(self, set_id: str) -> Removal:
        """Renamed out of the listing, then removed."""
        gone = self.home / f"{_OUTGOING}{set_id}"
        try:
            (self.home / set_id).rename(gone)
            shutil.rmtree(gone)
        except FileNotFoundError:
            raise NotThere(f"the store {self.name} has no set {set_id}") from None
        except PermissionError as error:
            return Removal(set_id, retained=f"the file system refuses it ({error.strerror})")
        except OSError as error:
            raise self._refusal("written", error) from error
        return Removal(set_id)

    def sweep(self, older_than: dt.timedelta) -> tuple[str, ...]:
        """Half-written and half-removed folders whose newest file is that old."""
        limit = dt.datetime.now(dt.UTC).timestamp() - older_than.total_seconds()
        with self._at_work("swept"):
            left = [path for path in self._entries() if path.name.startswith((_INCOMING, _OUTGOING))]
            abandoned = [path for path in left if _touched(path) <= limit]
            for path in abandoned:
                _remove(path)
        return tuple(path.name for path in abandoned if not path.exists())

    def _entries(self) -> list[Path]:
        try:
            return sorted(self.home.iterdir())
        except FileNotFoundError:
            return []

    def _folders(self) -> list[Path]:
        return [path for path in self._entries() if path.is_dir() and not path.name.startswith(".")]

    @contextlib.contextmanager
    def _open(self, path: Path) -> Iterator[BinaryIO]:
        try:
            with path.open("rb") as file:
                yield file
        except FileNotFoundError:
            raise NotThere(f"{path} is missing", action="the set is damaged: use another one") from None

    @contextlib.contextmanager
    def _at_work(self, done: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if isinstance(error, AtomOpsError):
                raise
            raise self._refusal(done, error) from error

    def _refusal(self, done: str, error: OSError) -> PermanentError:
        action = "free some space there, or mount it, or let this user write; then run the backup again"
        return PermanentError(f"the store {self.name} cannot be {done} ({error.strerror})", action=action)


def _read_set(folder: Path) -> BackupSet:
    manifest = decode_manifest(_read(folder / MANIFEST), folder.name)
    proofs = sorted((folder / PROOFS).glob("*.json"), reverse=True)
    return BackupSet(manifest, _first(decode_proof, [_read(path) for path in proofs[:1]]))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotThere(f"{path.name} cannot be read ({error.strerror})") from error


def _first(decode: Callable[[bytes], _T], texts: list[bytes]) -> _T | None:
    return decode(texts[0]) if texts else None


def _copy(folder: Path, into: Path, manifest: Manifest) -> Path:
    for file in manifest.files:
        place = into / file.path
        place.parent.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY)
        shutil.copyfile(folder / file.path, place)
    return into


def _sync_all(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        sync(path)
    sync(folder)


def _remove(path: Path) -> None:
    """A folder, or the file by which the clock was read; what cannot be removed stays."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        path.unlink()


def _touched(folder: Path) -> float:
    """When something in it was last written; 0 for what has gone meanwhile."""
    newest = 0.0
    for path in [folder, *folder.rglob("*")]:
        with contextlib.suppress(FileNotFoundError):
            newest = max(newest, path.stat().st_mtime)
    return newest
