"""What was seen of stores and their sets, to be spoilt by tests, and what the checks make of it."""

import datetime as dt
from dataclasses import replace

from atomops.facts.backup import Proof, Result
from atomops.facts.backup_stores import BackupFacts, PlainDumps, Reread, SetSeen, StoreSeen
from atomops.facts.outcome import Outcome
from atomops.registry import checks
from atomops.verdict import Finding, Gap, Unseen
from tests.backup_sets import proof

NOW = dt.datetime(2026, 11, 24, 18, tzinfo=dt.UTC)
AT_NIGHT = 16  # hours ago: 02:00
PROVEN = proof()
INTACT = replace(proof(Result.INTACT, reason="no server binaries of 18"), action="install postgresql-18")
FAILED = replace(
    proof(Result.FAILED, reason="2 tables differ"), differences=("public.t has 2 rows, not 3", "public.u is missing")
)
GONE = Unseen("the store /backups cannot be read (Stale file handle)", "mount it again")
CODES = {each.code for each in checks() if each.facts is BackupFacts}


def seen_set(
    hours: float = AT_NIGHT, *, proved: Proof | None = PROVEN, size: int = 5_000_000, database: str = "atom"
) -> SetSeen:
    at = NOW - dt.timedelta(hours=hours)
    return SetSeen(f"{database}-{at:%Y%m%dT%H%M%SZ}-beef", database, at, size, proved)


def nights(number: int, *, database: str = "atom") -> tuple[SetSeen, ...]:
    return tuple(seen_set(AT_NIGHT + 24 * night, database=database) for night in range(number))


def store(*sets: SetSeen, name: str = "/backups") -> StoreSeen:
    reread = tuple(Reread(each.id, 3, each.bytes, ()) for each in sets[:1])
    return StoreSeen(name, sets, reread=reread, plain=PlainDumps())


def facts(*stores: StoreSeen, databases: tuple[str, ...] = ("atom",)) -> BackupFacts:
    return BackupFacts(NOW, 24, databases, stores)


WELL = facts(store(*nights(8)))


def judged(code: str, seen: BackupFacts) -> Finding | Gap:
    check = next(each for each in checks() if each.code == code)
    return check.judge(Outcome("backups", 0.2, facts=seen), None)


def found(code: str, seen: BackupFacts) -> Finding:
    finding = judged(code, seen)
    assert isinstance(finding, Finding), finding
    return finding


def gap(code: str, seen: BackupFacts) -> str:
    judgement = judged(code, seen)
    assert isinstance(judgement, Gap), judgement
    return judgement.reason
