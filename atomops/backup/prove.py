"""A set is proven by restoring it: every file from the store, every row compared with what was counted."""

import asyncio
import datetime as dt
import re
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg

from atomops import shell
from atomops.backup.access import NOTICE_OUR_END, Access, set_if_known
from atomops.backup.preflight import Tools, free_bytes
from atomops.backup.scratch import Scratch, empty_database, missing_extensions, reading_settings
from atomops.commands import postgres as commands
from atomops.errors import AtomOpsError, CommandFailed
from atomops.facts.backup import Contents, Manifest, Proof, Result, TableContent
from atomops.humane import size
from atomops.inventory import Backups
from atomops.plans.comparison import OTHER_ROWS, compare
from atomops.probes import contents
from atomops.probes.contents import RECORD, Table
from atomops.probes.postgres.session import read_only_session
from atomops.scratch.leftovers import FOLDER_VARIABLE

_CONNECT_SECONDS = 30
_ROOM = 1.3  # times the original's size: the copy, its write-ahead log, and sorting for its indexes
_NOT_HERE = (  # what says more about the server of the proof than about the set
    (r"CREATE EXTENSION|extension control file|shared_preload_libraries", "an extension cannot be created here"),
    (r"requires the server to be built with", "the server of the proof is built without a feature"),
    (r"this build does not support compression", "pg_restore is built without the compression of the set"),
    (r"could not create locale|ICU locale|collation .* for encoding .* does not exist", "a collation is missing here"),
    (r"No space left on device|could not extend file", "the disk of the proof is full"),
    (r"server closed the connection|terminating connection|Connection refused", "the server of the proof ended"),
    (r"out of shared memory", "the server of the proof has no room for so many locks"),
)


_BY_LOCALE = "violates .* constraint|no partition of relation"  # where text is compared or computed
_LOCALE_ACTION = "install that locale on this machine, or set backups.scratch_dsn to a server that has it"


class Unprovable(Exception):
    """The set may be good: it cannot be restored here. Carries the reason and what would help."""

    def __init__(self, reason: str, action: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.action = action


class Disproven(Exception):
    """The set does not restore to what was dumped."""

    def __init__(self, reason: str, differences: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.differences = differences


@dataclass
class Course:
    """How a proof is getting on: its durations in seconds, and what is worth a word."""

    durations: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Its seconds are added up under the name."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.durations[name] = self.durations.get(name, 0) + time.monotonic() - started


def proof_of(manifest: Manifest, result: Result, started: float) -> Proof:
    """A proof of that result with nothing else in it yet; `started` is a monotonic time."""
    return Proof(
        result=result,
        at=dt.datetime.now(dt.UTC),
        host=socket.gethostname(),
        files=len(manifest.files),
        bytes=manifest.bytes,
        seconds=time.monotonic() - started,
    )


@dataclass(frozen=True)
class Bench:
    """Where sets are proven: the server, the programs, and the folder that our processes are known by.

    `analyze` as after a real restore, which takes its time; a proof needs no statistics.
    """

    scratch: Scratch
    tools: Tools
    settings: Backups
    work: Path
    analyze: bool = False


async def prove(manifest: Manifest, folder: Path, bench: Bench) -> Proof:
    """RESTORED when the files in `folder` restore without an error to exactly what the manifest says.

    INTACT, with the reason, when this machine cannot tell; FAILED with every difference else. The caller has made sure
    that the files are those of the set. Raises nothing but what cancels it.
    """
    settings, scratch = bench.settings, bench.scratch
    started = time.monotonic()
    course = Course()
    try:
        async with asyncio.timeout(settings.deadline):
            restored = await _restore_and_compare(manifest, folder, bench, course)
        proof = replace(proof_of(manifest, Result.RESTORED, started), tables=len(restored.tables), rows=restored.rows)
    except Disproven as error:
        proof = replace(
            proof_of(manifest, Result.FAILED, started),
            reason=error.reason,
            differences=error.differences,
            action="take another backup now; look at the server's memory, disks and log, and keep this set",
        )
    except Unprovable as error:
        proof = replace(proof_of(manifest, Result.INTACT, started), reason=error.reason, action=error.action)
    except TimeoutError:
        reason = f"it was not restored within {settings.deadline:g} s"
        proof = replace(proof_of(manifest, Result.INTACT, started), reason=reason, action="raise backups.deadline")
    except (AtomOpsError, psycopg.Error, OSError) as error:
        reason = f"the server of the proof failed: {error}"
        proof = replace(proof_of(manifest, Result.INTACT, started), reason=reason, action="look at its log and disk")
    version = f"{scratch.server_version // 10_000}.{scratch.server_version % 10_000}"
    return replace(proof, server_version=version, notes=tuple(course.notes), durations=course.durations)


@asynccontextmanager
async def restored_copy(manifest: Manifest, folder: Path, bench: Bench, course: Course) -> AsyncIterator[Access]:
    """A database of the bench that holds the set, restored from its `folder` without an error; gone afterwards.

    Raises Unprovable when it cannot be restored here, Disproven when it cannot be restored at all, and whatever
    connecting raises. What differs from the original's surroundings is noted in `course`.
    """
    await _can_be_tried(manifest, bench)
    async with empty_database(bench.scratch, manifest.origin) as (access, notes):
        course.notes += notes
        with course.step("restore"):
            await _restore(folder, access, bench, notes)
        if bench.analyze:
            with course.step("analyze"):
                await _analyze(access, bench)
        yield access


async def _restore_and_compare(manifest: Manifest, folder: Path, bench: Bench, course: Course) -> Contents:
    async with restored_copy(manifest, folder, bench, course) as access:
        with course.step("compare"):
            restored = await read_copy(access, bench.settings, manifest.options.get("fingerprint", RECORD))
        if bench.settings.amcheck:
            with course.step("amcheck"):
                await _check_indexes(access, bench)
    alike = bench.scratch.major == manifest.origin.major
    comparison = compare(manifest.contents, restored, hashes_alike=alike)
    notes = course.notes[:]
    course.notes += comparison.notes
    if notes and comparison.differences and all(each.endswith(OTHER_ROWS) for each in comparison.differences):
        raise Unprovable(f"{comparison.differences[0]}, which the locale may explain: {notes[0]}", _LOCALE_ACTION)
    if comparison.differences:
        raise Disproven("the restored copy is not what was dumped", comparison.differences)
    return restored


async def _can_be_tried(manifest: Manifest, bench: Bench) -> None:
    missing = await missing_extensions(bench.scratch, manifest.origin)
    if missing:
        action = f"install the packages of {', '.join(missing)} beside that server, or set backups.scratch_dsn"
        raise Unprovable(f"the server of the proof lacks the extensions {', '.join(missing)}", action)
    wanted, free = manifest.origin.bytes * _ROOM, free_bytes(bench.work)
    if bench.scratch.is_own and free < wanted:
        action = "free some space, or set backups.work_folder to a larger disk"
        raise Unprovable(f"a restore needs about {size(wanted)}, {size(free)} are free at {bench.work}", action)


async def _restore(folder: Path, access: Access, bench: Bench, notes: list[str]) -> None:
    archive = str(folder / commands.DATA)
    argv = commands.restore(str(_programs(bench)), access.conninfo, archive, jobs=bench.settings.jobs)
    try:
        await _run(argv, access, bench)
    except CommandFailed as error:
        if notes and re.search(_BY_LOCALE, error.stderr):
            reason = f"{notes[0]}; there, {' '.join(error.stderr.split())[:600]}"
            raise Unprovable(reason, _LOCALE_ACTION) from error
        raise _restore_error(error.stderr) from error


async def _analyze(access: Access, bench: Bench) -> None:
    argv = commands.analyze(str(_programs(bench)), access.conninfo, jobs=bench.settings.jobs)
    try:
        await _run(argv, access, bench)
    except CommandFailed as error:
        raise Disproven(f"the restored copy cannot be analyzed: {' '.join(error.stderr.split())[:600]}") from error


def _programs(bench: Bench) -> Path:
    """Those of the server that is restored into, since a newer pg_restore says things that it does not understand."""
    return (bench.tools.server or bench.tools.client).bin


def _restore_error(stderr: str) -> Unprovable | Disproven:
    said = " ".join(stderr.split())[:600]
    for pattern, reason in _NOT_HERE:
        if re.search(pattern, said):
            return Unprovable(f"{reason}: {said}", "mend that, or set backups.scratch_dsn to a server that has it")
    return Disproven(f"pg_restore failed: {said}")


async def read_copy(access: Access, settings: Backups, method: str) -> Contents:
    """What is in a restored database that nobody else writes to: `jobs` sessions count side by side."""
    reading = reading_settings(access, settings.deadline)
    async with read_only_session(reading) as session:
        await set_if_known(session, NOTICE_OUR_END)
        tables = await contents.tables(session)
        around = await contents.surroundings(session)
        lobs = await contents.large_objects(session)
    waiting = list(reversed(tables))
    counted: dict[str, tuple[Table, TableContent]] = {}

    async def count() -> None:
        async with read_only_session(reading) as session:
            await set_if_known(session, NOTICE_OUR_END)
            await contents.settle(session)
            while waiting:
                table = waiting.pop()
                counted[table.name] = (table, await contents.content(session, table, method))

    await asyncio.gather(*(count() for _ in range(settings.jobs)))
    return Contents(tables=contents.summed(counted), large_objects=lobs, **around)


async def _check_indexes(access: Access, bench: Bench) -> None:
    argv = commands.check_indexes(str(_programs(bench)), access.conninfo, jobs=bench.settings.jobs)
    try:
        await _run(argv, access, bench)
    except CommandFailed as error:
        raise Disproven(f"pg_amcheck found fault ({' '.join(error.stderr.split())[:600] or error.what})") from error


async def _run(argv: list[str], access: Access, bench: Bench) -> None:
    env = access.environment(server_version=bench.scratch.server_version, timeout=_CONNECT_SECONDS)
    known = {**env, FOLDER_VARIABLE: str(bench.work)}
    await shell.run(argv, timeout=bench.settings.deadline, env=known, cwd=bench.work)
