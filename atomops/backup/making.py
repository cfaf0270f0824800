"""A set in the making: dumped and sealed in a folder from which the first store can publish it."""

import contextlib
import datetime as dt
import errno
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomops.backup.access import Access
from atomops.backup.dump import dump
from atomops.backup.preflight import Plan
from atomops.backup.sets import describe, finish, new_id
from atomops.errors import AtomOpsError, PermanentError
from atomops.facts.backup import Manifest
from atomops.inventory import Backups
from atomops.scratch.leftovers import own_world_folder, sweep
from atomops.stores.store import Store
from atomops.threads import beside

_PREFIX = "atomops-backup-"


@dataclass(frozen=True)
class Draft:
    """A set that is not published yet: `folder` has its files as they are stored, `plain` as pg_restore reads them."""

    manifest: Manifest
    folder: Path
    plain: Path


@contextlib.contextmanager
def workshop(settings: Backups) -> Iterator[Path]:
    """A folder for the run, gone with all its processes when the run has ended, however that comes.

    What a run has left behind that was killed together with its warden is removed first.
    """
    parent = settings.work_folder or Path(tempfile.gettempdir())
    with contextlib.ExitStack() as stack:
        with telling_full_disk(parent):
            parent.mkdir(parents=True, exist_ok=True)
            sweep(_PREFIX, parent)
            folder = stack.enter_context(own_world_folder(_PREFIX, parent))
        yield folder


class SetInTheMaking:
    """One attempt at a set of that database, made where the first of the stores that answers can publish it."""

    def __init__(self, plan: Plan, access: Access, stores: Sequence[Store], work: Path) -> None:
        self.plan, self.access, self.stores, self.work = plan, access, stores, work
        self.id = new_id(access.database, dt.datetime.now(dt.UTC))
        self.plain: Path | None = None

    async def make(self, *, jobs: int) -> Draft:
        """A whole set that nobody can list yet; when it fails, nothing of it is left. Raises what `dump` raises."""
        async with self._folders() as (plain, sealed):
            self.plain = plain
            dumped = await dump(self.plan, self.access, plain, self.work, jobs=jobs)
            with telling_full_disk(sealed):
                described = describe(self.plan, self.id, dumped, jobs=jobs)
                return Draft(await finish(described, plain, sealed), sealed, plain)

    def written(self) -> int:
        """The bytes of the dump so far."""
        files = self.plain.rglob("*") if self.plain else ()
        total = 0
        for file in files:
            with contextlib.suppress(FileNotFoundError):
                total += file.stat().st_size
        return total

    @contextlib.asynccontextmanager
    async def _folders(self) -> AsyncIterator[tuple[Path, Path]]:
        """For the dump and for what is stored of it, which are the same unless it is encrypted."""
        sealed = await beside(self._staging) or self.work / self.id
        plain = self.work / f"plain-{self.id}" if self.plan.settings.recipients else sealed
        try:
            with telling_full_disk(self.work):
                for folder in (plain, sealed):
                    folder.mkdir(mode=0o700, exist_ok=True)
            yield plain, sealed
        except BaseException:
            for folder in (plain, sealed):
                shutil.rmtree(folder, ignore_errors=True)
            raise

    def _staging(self) -> Path | None:
        """Of the first store that has room for one. A broken store costs the others nothing; all of them, the set."""
        refusals = []
        for store in self.stores:
            try:
                return store.staging(self.id)
            except AtomOpsError as error:
                refusals.append(error)
        raise refusals[0]


@contextlib.contextmanager
def telling_full_disk(folder: Path) -> Iterator[None]:
    """A disk that is full, or otherwise fails us, becomes one line that names it."""
    try:
        yield
    except OSError as error:
        if isinstance(error, PermanentError) or error.errno is None:
            raise
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        what = "is full" if full else f"cannot be written ({error.strerror})"
        raise PermanentError(f"the disk of {folder} {what}", action="free some space, or set another folder") from error
