"""What came of a restore: the set, the copy, and the exchange with the live database."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import AwareDatetime

from atomops.facts.backup import BackupSet, Obstacle
from atomops.verdict import Unseen

SWAP, BESIDE, TABLES = "swap", "beside", "tables"
STOP, DISCONNECT = "stop", "disconnect"


@dataclass(frozen=True)
class Source:
    """The set that is restored, and the store that it is taken from. Sizes in bytes."""

    id: str
    store: str
    at: AwareDatetime
    bytes: int
    origin_bytes: int
    tables: int
    rows: int
    proof: str
    is_proven: bool

    @classmethod
    def of(cls, chosen: BackupSet, store: str) -> "Source":
        """The set in short."""
        manifest = chosen.manifest
        return cls(
            id=chosen.id,
            store=store,
            at=chosen.at,
            bytes=manifest.bytes,
            origin_bytes=manifest.origin.bytes,
            tables=len(manifest.contents.tables),
            rows=manifest.contents.rows,
            proof=chosen.proof.sentence if chosen.proof else "never proven",
            is_proven=chosen.is_proven,
        )


@dataclass(frozen=True)
class Step:
    """One step of the plan: what it does, and the exact statement or command."""

    what: str
    exactly: str


@dataclass(frozen=True)
class Copy:
    """The restored database beside the live one, compared with the manifest. `seconds` by step.

    `lost` are the original's own settings that it could not be given.
    """

    database: str
    tables: int
    rows: int
    seconds: Mapping[str, float]
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exchange:
    """The moment of the change. Times in seconds.

    `downtime` lasts from the first request that was refused to the first good readiness that stayed, None where no
    request was refused or nobody could ask. `went_back` says why the earlier database is the live one again, `unasked`
    why an application that is there was not asked.
    """

    kept: str
    kept_until: AwareDatetime
    renamed_in: float
    ended_sessions: tuple[str, ...] = ()
    is_ready: bool | None = None
    downtime: float | None = None
    refusals: int = 0
    went_back: str = ""
    problem: Unseen | None = None
    unasked: str = ""


@dataclass(frozen=True)
class RestoreFacts:
    """The whole restore. `dry_run`: only looked at; nothing made, changed or removed."""

    at: AwareDatetime
    dry_run: bool
    mode: str
    quiesce: str
    database: str
    steps: tuple[Step, ...]
    source: Source | None = None
    obstacles: tuple[Obstacle, ...] = ()
    notes: tuple[str, ...] = ()
    safety: str = ""
    schema: str = ""
    copy: Copy | None = None
    exchange: Exchange | None = None
    problem: Unseen | None = None
    cleared: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Replaced:
    """A database that was replaced, or refused, and is kept under another name since `at`.

    `bytes` None where our role may not see it; `is_open` when somebody lets sessions into it again, as nobody has to.
    """

    name: str
    of: str
    until: AwareDatetime
    bytes: int | None
    why: str
    at: AwareDatetime | None = None
    kind: str = "replaced"
    is_open: bool = False
