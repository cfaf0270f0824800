"""Backup sets in a bucket: `PREFIX/TARGET/ID/...`, and beside the sets a marker for each that comes or goes.

`.incoming-ID` is there before the first file of a set and until its manifest is, `.outgoing-ID` from before its
manifest goes until its last file has gone. So a folder without a manifest is either marked, and ours to clear up, or it
is somebody else's, and never touched.
"""

import contextlib
import datetime as dt
import hashlib
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO

from atomops.errors import AccessDenied, AtomOpsError, NotThere, PermanentError, TemporaryError
from atomops.facts.backup import MANIFEST, PROOFS, BackupSet, Listing, Manifest, Proof, Unreadable
from atomops.inventory import BackupStore
from atomops.stores.manifests import decode_manifest, decode_proof, encode
from atomops.stores.s3.bucket import Bucket
from atomops.stores.store import Removal

_INCOMING = ".incoming-"
_OUTGOING = ".outgoing-"


class S3Store:
    """Sets below `PREFIX/TARGET/` of one bucket."""

    def __init__(self, settings: BackupStore, target: str) -> None:
        self._bucket = Bucket(settings)
        self._storage_class = settings.storage_class
        self._home = f"{self._bucket.prefix}{target}/"
        self.name = self._bucket.name

    def now(self) -> dt.datetime:
        """The `Date` of an answer."""
        return self._bucket.clock(self._home)

    def now_by_reading(self) -> dt.datetime:
        """The same."""
        return self.now()

    def staging(self, _set_id: str) -> Path | None:
        """None: any folder will do."""
        return None

    def publish(self, folder: Path, manifest: Manifest) -> None:
        """Claim the id, upload the files, look that all are there, and only then put the manifest.

        What a failure leaves is marked: the same call again goes on from there, or a sweep removes it.
        """
        claim = self._claim(folder, manifest)
        files = [(folder / file.path, self._key(manifest.id, file.path)) for file in manifest.files]
        self._bucket.upload(files, storage_class=self._storage_class)
        self._verify(manifest)
        if self._read_marker(manifest.id) != claim:
            raise TemporaryError(f"the store {self.name} was swept while {manifest.id} was on its way to it")
        if not self._bucket.put_new(self._key(manifest.id, MANIFEST), encode(manifest)):
            raise self._already(manifest.id)
        self._unclaim(manifest.id)

    def listing(self) -> Listing:
        """Every folder with a manifest; the others, except those that come or go, are named with what is wrong."""
        names = [name for name in self._bucket.folders(self._home) if not name.startswith(".")]
        seen = self._bucket.side_by_side(self._look, names)
        sets = sorted((each for each in seen if isinstance(each, BackupSet)), key=attrgetter("at"), reverse=True)
        unreadable = [each for each in seen if isinstance(each, Unreadable)]
        marked = self._marked() if unreadable else {}
        return Listing(self.name, tuple(sets), tuple(each for each in unreadable if each.name not in marked))

    def open(self, set_id: str, path: str) -> AbstractContextManager[BinaryIO]:
        """The object's bytes as they come over the network."""
        return self._open(self._key(set_id, path))

    def add_proof(self, set_id: str, proof: Proof) -> None:
        """One more object among the set's proofs. Raises NotThere when the set has gone."""
        if not self._is_published(set_id):
            raise self._no_set(set_id)
        self._bucket.put(
            self._key(set_id, f"{PROOFS}/{proof.at.astimezone(dt.UTC):%Y%m%dT%H%M%S.%fZ}.json"), encode(proof)
        )

    def remove(self, set_id: str) -> Removal:
        """Marked, its manifest deleted, then the rest; in a bucket with versions all of it is hidden, not erased.

        A set under object lock stays listed: it can be restored for as long as it is locked.
        """
        manifest = self._key(set_id, MANIFEST)
        if not self._bucket.has(manifest):
            raise self._no_set(set_id)
        reason = self._bucket.lock(manifest)
        if reason:
            return Removal(set_id, retained=reason)
        try:
            self._discard(set_id)
        except AccessDenied as error:
            return Removal(set_id, retained=str(error))
        return Removal(set_id)

    def sweep(self, older_than: dt.timedelta) -> tuple[str, ...]:
        """Uploads that were never finished, and what is marked as coming or going, when nothing of it is younger."""
        limit = self.now() - older_than
        return (*self._sweep_uploads(limit), *self._sweep_marked(limit))

    def _key(self, set_id: str, path: str) -> str:
        return f"{self._home}{set_id}/{path}"

    def _marker(self, kind: str, set_id: str) -> str:
        return f"{self._home}{kind}{set_id}"

    def _claim(self, folder: Path, manifest: Manifest) -> bytes:
        """Nobody else publishes this id from now on. What is written is the same when the same call is tried again."""
        if self._is_published(manifest.id):
            raise self._already(manifest.id)
        digest = hashlib.sha256(encode(manifest)).hexdigest()
        claim = f"{socket.gethostname()} {folder} {digest}\n".encode()
        if (
            not self._bucket.put_new(self._marker(_INCOMING, manifest.id), claim)
            and self._read_marker(manifest.id) != claim
        ):
            what = (
                f"the store {self.name} already gets a set {manifest.id} from another run, or from one that was killed"
            )
            raise PermanentError(what, action="take a new id; what was left is swept when it is old")
        if self._is_published(manifest.id):  # between the look and the claim: our files would be written over its own
            self._unclaim(manifest.id)
            raise self._already(manifest.id)
        return claim

    def _unclaim(self, set_id: str) -> None:
        """The set is there; a marker that stays behind is swept."""
        with contextlib.suppress(AtomOpsError):
            self._bucket.delete([self._marker(_INCOMING, set_id)])

    def _is_published(self, set_id: str) -> bool:
        return self._bucket.has(self._key(set_id, MANIFEST))

    def _read_marker(self, set_id: str) -> bytes:
        with contextlib.suppress(NotThere):
            return self._bucket.get(self._marker(_INCOMING, set_id))
        return b""

    def _verify(self, manifest: Manifest) -> None:
        """Every file is there, and as long as it should be: not every answer of 200 comes from a store."""
        stored = {found.key: found.bytes for found in self._bucket.objects(self._key(manifest.id, ""))}
        for file in manifest.files:
            there = stored.get(self._key(manifest.id, file.path))
            if there != file.bytes:
                has = "nothing" if there is None else f"{there} bytes"
                what = f"the store {self.name} has {has} for {manifest.id}/{file.path}, which has {file.bytes} bytes"
                raise TemporaryError(what, action="publish it again")

    def _look(self, name: str) -> BackupSet | Unreadable | None:
        """None for a folder without objects, as servers on top of a file system keep them.

        Raises TemporaryError: a set that cannot be read at the moment is neither damaged nor somebody else's.
        """
        try:
            return self._read_set(name)
        except TemporaryError:
            raise
        except NotThere:
            is_empty = next(self._bucket.objects(self._key(name, "")), None) is None
            return None if is_empty else Unreadable(name, f"there is no {MANIFEST}")
        except AtomOpsError as error:
            return Unreadable(name, str(error))

    def _read_set(self, name: str) -> BackupSet:
        manifest = decode_manifest(self._bucket.get(self._key(name, MANIFEST)), name)
        newest = max((found.key for found in self._bucket.objects(self._key(name, f"{PROOFS}/"))), default=None)
        return BackupSet(manifest, decode_proof(self._bucket.get(newest)) if newest else None)

    @contextlib.contextmanager
    def _open(self, key: str) -> Iterator[BinaryIO]:
        with contextlib.ExitStack() as stack:
            try:
                stream = stack.enter_context(self._bucket.stream(key))
            except NotThere as error:
                what = f"{key} is missing in the store {self.name}"
                raise NotThere(what, action="the set is damaged: use another one") from error
            yield stream

    def _marked(self) -> dict[str, dt.datetime]:
        """The sets that come or go, each with the time of its newest marker."""
        marked: dict[str, dt.datetime] = {}
        for found in self._bucket.objects(f"{self._home}."):
            name = found.key.removeprefix(self._home)
            if name.startswith((_INCOMING, _OUTGOING)):
                set_id = name.removeprefix(_INCOMING).removeprefix(_OUTGOING)
                marked[set_id] = max(found.at, marked.get(set_id, found.at))
        return marked

    def _sweep_uploads(self, limit: dt.datetime) -> list[str]:
        left = [upload for upload in self._bucket.unfinished(self._home) if _second(upload.at) <= limit]
        self._bucket.side_by_side(self._bucket.abort, left)
        return [f"{upload.key.removeprefix(self._home)} (never finished)" for upload in left]

    def _sweep_marked(self, limit: dt.datetime) -> list[str]:
        return [
            set_id for set_id, at in self._marked().items() if _second(at) <= limit and self._clear_up(set_id, limit)
        ]

    def _clear_up(self, set_id: str, limit: dt.datetime) -> bool:
        """Whether something old was removed: the files of half a set, or the markers of a whole one."""
        objects = list(self._bucket.objects(self._key(set_id, "")))
        if any(_second(found.at) > limit for found in objects):
            return False
        with contextlib.suppress(AccessDenied):  # under object lock; the other sets are cleared up all the same
            if self._key(set_id, MANIFEST) in {found.key for found in objects}:
                self._bucket.delete([self._marker(_INCOMING, set_id), self._marker(_OUTGOING, set_id)])
            else:
                self._discard(set_id)
            return True
        return False

    def _discard(self, set_id: str) -> None:
        """Nothing of the set is left; killed on the way, it is marked as going."""
        outgoing = self._marker(_OUTGOING, set_id)
        self._bucket.put(outgoing, b"")
        try:
            self._bucket.delete([self._key(set_id, MANIFEST)])
        except AccessDenied:
            with contextlib.suppress(AccessDenied):
                self._bucket.delete([outgoing])
            raise
        self._bucket.delete([self._marker(_INCOMING, set_id)])
        self._bucket.delete(found.key for found in self._bucket.objects(self._key(set_id, "")))
        self._bucket.delete([outgoing])

    def _already(self, set_id: str) -> PermanentError:
        return PermanentError(f"the store {self.name} has a set {set_id} already")

    def _no_set(self, set_id: str) -> NotThere:
        return NotThere(f"the store {self.name} has no set {set_id}")


def _second(moment: dt.datetime) -> dt.datetime:
    """Whole seconds, as the server's `Date` has them."""
    return moment.replace(microsecond=0)
