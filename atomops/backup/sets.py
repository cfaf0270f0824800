"""From a dump's files to a set: its name, its manifest, what it says for itself."""

import asyncio
import datetime as dt
import hashlib
import re
import secrets
import socket
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from atomops.backup.dump import Dumped
from atomops.backup.encryption import SUFFIX, encrypt
from atomops.backup.preflight import Plan
from atomops.commands import postgres as commands
from atomops.commands.by_hand import restore_by_hand
from atomops.facts.backup import Manifest, StoredFile
from atomops.probes.contents import RECORD, TEXT

INSTRUCTIONS = "RESTORE.txt"
_THREADS = 2


def new_id(database: str, at: dt.datetime) -> str:
    """A name that sorts by time within its database, is new, and is fit for a folder and an object's key."""
    safe = re.sub(r"[^A-Za-z0-9_-]", "_", database)[:40]
    return f"{safe}-{at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


async def seal(folder: Path, into: Path, recipients: Iterable[str]) -> tuple[StoredFile, ...]:
    """Every file below `folder`, hashed as it will be stored; encrypted into `into` where there are recipients.

    Raises PermanentError for a recipient that is none, and OSError.
    """
    known = tuple(recipients)
    gate = asyncio.Semaphore(_THREADS)

    async def one(path: Path) -> StoredFile:
        async with gate:
            return await asyncio.to_thread(_seal_one, path, folder, into, known)

    return tuple(await asyncio.gather(*map(one, _files_below(folder))))


def _files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _seal_one(path: Path, folder: Path, into: Path, recipients: tuple[str, ...]) -> StoredFile:
    name = path.relative_to(folder).as_posix()
    if recipients:
        name += SUFFIX
        place = into / name
        place.parent.mkdir(parents=True, exist_ok=True)
        encrypt(path, place, recipients)
        path = place
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return StoredFile(name, path.stat().st_size, digest)


def describe(plan: Plan, set_id: str, dumped: Dumped, *, jobs: int) -> Manifest:
    """The manifest of a dump whose files are not sealed yet."""
    settings = plan.settings
    methods = {table.method for table in dumped.contents.tables.values()}
    return Manifest(
        id=set_id,
        target=plan.target,
        database=dumped.origin.database,
        at=dumped.at,
        origin=dumped.origin,
        contents=dumped.contents,
        files=(),
        client_version=plan.tools.client.version,
        codec=plan.tools.codec,
        encrypted_for=settings.recipients,
        options={
            "jobs": str(jobs),
            "fingerprint": RECORD if RECORD in methods else TEXT,
            "role_passwords": str(settings.role_passwords).lower(),
        },
        durations=dumped.durations,
        made_on=socket.gethostname(),
    )


async def finish(manifest: Manifest, folder: Path, sealed_folder: Path) -> Manifest:
    """The manifest with its files, of which one, never encrypted, says how to restore the others by hand."""
    started = time.monotonic()
    sealed = replace(manifest, files=await seal(folder, sealed_folder, manifest.encrypted_for))
    (sealed_folder / INSTRUCTIONS).write_text(instructions(sealed), encoding="utf-8")
    explained = _seal_one(sealed_folder / INSTRUCTIONS, sealed_folder, sealed_folder, ())
    durations = {**manifest.durations, "hash": time.monotonic() - started}
    return replace(sealed, files=(*sealed.files, explained), durations=durations)


def instructions(manifest: Manifest) -> str:
    """What somebody needs who has this set, PostgreSQL's own programs, and nothing else."""
    origin = manifest.origin
    by_hand = "\n".join(f"  {line}" for line in restore_by_hand(manifest, "."))
    return f"""The database {manifest.database} of {manifest.target}, as it was at {manifest.at:%Y-%m-%d %H:%M:%S %Z}.

Dumped from PostgreSQL {origin.server_version} by pg_dump {manifest.client_version}; {origin.bytes:,} bytes there.
manifest.json says what is in it: every file with its SHA-256, every table with its rows.

To restore it into a new database, in this folder:

{by_hand}

Or under its own name, with its owner, settings and grants, where no such database exists:

  pg_restore --create --exit-on-error --jobs=2 --dbname=postgres {commands.DATA}

Extensions that it needs: {", ".join(f"{name} {version}" for name, version in origin.extensions.items())}
Not in it: replication slots ({", ".join(origin.slots) or "none"}), subscriptions
({", ".join(origin.subscriptions) or "none"}), tablespace folders ({", ".join(origin.tablespaces) or "none"}).
"""
