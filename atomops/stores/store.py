"""What every store of backup sets can do, whatever it is made of.

A set is `TARGET/ID/`: its files, `proofs/TIME.json`, and `manifest.json`, which is written last and by which alone a
set is listed: half a set is no set.
"""

import datetime as dt
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from atomops.facts.backup import Listing, Manifest, Proof


@dataclass(frozen=True)
class Removal:
    """What became of a set that was to go: gone, or retained by the store for a reason."""

    id: str
    retained: str = ""


class Store(Protocol):
    """One store, for one target. Calls block; every error is an AtomOpsError that names the store."""

    name: str

    def now(self) -> dt.datetime:
        """The store's own clock (UTC). Raises Unreachable or AccessDenied."""

    def now_by_reading(self) -> dt.datetime | None:
        """The same for who may change nothing; None where only writing tells. Raises as `now` does."""

    def staging(self, set_id: str) -> Path | None:
        """A new folder from which publishing is no more than a rename, or None: any folder will do."""

    def publish(self, folder: Path, manifest: Manifest) -> None:
        """The set is listed from now on, whole: `folder` holds the files of the manifest. Interrupted, it is not.

        A set of that id that is already there is an error. Raises PermanentError (full, refused) or TemporaryError.
        """

    def listing(self) -> Listing:
        """Every set of the target."""

    def open(self, set_id: str, path: str) -> AbstractContextManager[BinaryIO]:
        """The stored bytes of one file, as a stream. Raises NotThere."""

    def add_proof(self, set_id: str, proof: Proof) -> None:
        """Keep it beside the set; the newest one counts."""

    def remove(self, set_id: str) -> Removal:
        """The set is gone, its manifest first, so that it is never listed without its files."""

    def sweep(self, older_than: dt.timedelta) -> tuple[str, ...]:
        """Remove what runs that were killed have left half-written for so long, and name it."""
