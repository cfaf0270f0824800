"""Whether every stored byte of a set is still as it was written: the one place that reads a set again."""

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from queue import Empty, SimpleQueue

from atomops.errors import AccessDenied, AtomOpsError, NotThere, TimedOut
from atomops.facts.backup import Manifest, StoredFile
from atomops.humane import plural
from atomops.stores.store import Store
from atomops.threads import start

THREADS = 4  # two already fill two processors; a store at a distance wants more requests on their way
_CHUNK = 1 << 20  # bytes that each thread holds in memory


@dataclass(frozen=True)
class _Look:
    place: int
    problem: str = ""
    failure: AtomOpsError | None = None


def verify(
    store: Store, manifest: Manifest, *, threads: int = THREADS, stop: Callable[[], bool] = lambda: False
) -> tuple[str, ...]:
    """The problems of a set, file by file: missing, truncated, longer, changed. None: every byte is as it was written.

    Blocks, and holds `threads` MiB in memory. `stop` is asked after every MiB, by every thread, and ends the reading.
    What we may not or cannot reach is no problem of the set: that is an error, unless a problem was found as well.
    Raises TimedOut when it was stopped, AccessDenied, Unreachable, and whatever else the store raises.
    """
    if not manifest.files:
        return (f"the manifest of {manifest.id} names no file",)
    waiting: SimpleQueue[tuple[int, StoredFile]] = SimpleQueue()
    for entry in enumerate(manifest.files):
        waiting.put(entry)
    readers = [start(lambda: _drain(waiting, store, manifest.id, stop)) for _ in manifest.files[:threads]]
    looks = sorted(chain.from_iterable(reader.result() for reader in readers), key=lambda look: look.place)
    problems = tuple(look.problem for look in looks if look.problem)
    if not problems:
        _all_read(looks, manifest)
    return problems


def _all_read(looks: list[_Look], manifest: Manifest) -> None:
    failures = [look.failure for look in looks if look.failure]
    missing = len(manifest.files) - len(looks)
    if missing or any(isinstance(failure, TimedOut) for failure in failures):
        read = len(looks) - len(failures)
        what = f"{read} of {plural(len(manifest.files), 'file')} of {manifest.id} could be read in the time allowed"
        raise TimedOut(what, action=f"atomops backups verify {manifest.id} takes all the time it needs")
    for failure in failures:
        raise failure


def _drain(
    waiting: SimpleQueue[tuple[int, StoredFile]], store: Store, set_id: str, stop: Callable[[], bool]
) -> list[_Look]:
    looks: list[_Look] = []
    with contextlib.suppress(Empty):
        while not stop():
            place, file = waiting.get_nowait()
            looks.append(_look(place, file, store, set_id, stop))
    return looks


def _look(place: int, file: StoredFile, store: Store, set_id: str, stop: Callable[[], bool]) -> _Look:
    try:
        return _Look(place, _problem(file, store, set_id, stop))
    except NotThere:
        return _Look(place, f"{file.path} is missing")
    except AtomOpsError as error:
        return _Look(place, failure=error)
    except PermissionError as error:
        what = f"{file.path} of {set_id} in {store.name} cannot be read ({error.strerror})"
        return _Look(place, failure=AccessDenied(what, action="read it as the user that makes the backups"))
    except OSError as error:  # EIO and its like: the bytes cannot be had again
        return _Look(place, f"{file.path} cannot be read ({error.strerror or error})")


def _problem(file: StoredFile, store: Store, set_id: str, stop: Callable[[], bool]) -> str:
    digest, size = hashlib.sha256(), 0
    with store.open(set_id, file.path) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if size > file.bytes:
                return f"{file.path} is longer than the {file.bytes:,} bytes that were written"
            if stop():
                raise TimedOut(f"{file.path} was not read to its end")
    if size < file.bytes:
        return f"{file.path} is truncated: {size:,} of {file.bytes:,} bytes are left"
    return "" if digest.hexdigest() == file.sha256 else f"{file.path} has changed: its SHA-256 is another one"
