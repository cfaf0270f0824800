"""Log lines to test with, and what the scanner counts in them."""

import datetime as dt
import json
import os
from dataclasses import replace
from pathlib import Path

from atomops.probes.logs.scan import Answer, Request, scan

NOW = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
REQUEST = Request((), NOW.timestamp() - 86_400, NOW.timestamp(), "UTC")


def ago(hours: float) -> str:
    return (NOW - dt.timedelta(hours=hours)).isoformat()


def record(level: str, text: str, hours: float = 1, **more: object) -> bytes:
    return json.dumps({"level": level, "message": text, "timestamp": ago(hours), **more}).encode() + b"\n"


def read_bytes(folder: Path, content: bytes, request: Request = REQUEST) -> Answer:
    log = folder / "atom.log"
    log.write_bytes(content)
    os.utime(log, (NOW.timestamp(), NOW.timestamp()))
    return scan(replace(request, paths=(str(log),)))


def counts(answer: Answer) -> dict[str, int]:
    return {group.code or group.pattern: group.count for group in answer.tally.groups.values()}
