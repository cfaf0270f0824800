"""Made-up backup sets."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from atomops.facts.backup import (
    BackupSet,
    Contents,
    Manifest,
    Origin,
    Proof,
    Result,
    SequenceValue,
    StoredFile,
    TableContent,
)

NIGHT = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)
FILES = {"data/toc.dat": b"table of contents", "data/1.dat": b"rows" * 1000, "roles.sql": b"CREATE ROLE a;\n"}


def contents(**tables: int) -> Contents:
    return Contents(
        tables={name: TableContent(rows, str(rows * 7), "record") for name, rows in (tables or {"t": 3}).items()},
        sequences={"public.t_id_seq": SequenceValue(3, 1)},
        objects={"index": 1},
        large_objects=TableContent(0),
    )


def origin(server_version: str = "17.10") -> Origin:
    return Origin(
        address="PostgreSQL db:5432/atom",
        database="atom",
        server_version=server_version,
        encoding="UTF8",
        locale="C",
        bytes=9_000_000,
        lsn="0/1",
        extensions={"plpgsql": "1.0"},
        roles=("atom",),
    )


def manifest(
    set_id: str = "atom-20261124T020000Z-beef",
    *,
    at: dt.datetime = NIGHT,
    size: int | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Manifest:
    stored = [StoredFile(path, len(text), hashlib.sha256(text).hexdigest()) for path, text in FILES.items()]
    if size is not None:
        stored = [StoredFile("data/1.dat", size, "0" * 64)]
    if sizes is not None:
        stored = [StoredFile(path, number, "0" * 64) for path, number in sizes.items()]
    return Manifest(
        id=set_id,
        target="production",
        database="atom",
        at=at,
        origin=origin(),
        contents=contents(),
        files=tuple(stored),
        client_version="17.10",
        codec="zstd:1",
    )


def proof(result: Result = Result.RESTORED, *, at: dt.datetime = NIGHT, reason: str = "") -> Proof:
    return Proof(result=result, at=at, host="here", files=3, bytes=4032, seconds=1, tables=1, rows=3, reason=reason)


def backup_set(
    days_old: float = 0, *, proven: bool = True, now: dt.datetime = NIGHT, database: str = "atom"
) -> BackupSet:
    at = now - dt.timedelta(days=days_old)
    made = replace(manifest(f"{database}-{at:%Y%m%dT%H%M%SZ}-beef", at=at), database=database)
    return BackupSet(made, proof(at=at) if proven else None)


def prepared(folder: Path) -> Path:
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text)
    return folder
