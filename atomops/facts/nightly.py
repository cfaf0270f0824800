"""What came of a night's backup: of every database, in every store."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import AwareDatetime

from atomops.facts.backup import Manifest, Obstacle, Proof, Result
from atomops.facts.replaced import Dropping
from atomops.plans.retention import Refusal
from atomops.verdict import Unseen


@dataclass(frozen=True)
class SetInShort:
    """A new set without its thousands of tables. Sizes in bytes, `seconds` by step."""

    id: str
    at: AwareDatetime
    bytes: int
    files: int
    tables: int
    rows: int
    origin_bytes: int
    codec: str
    encrypted: bool
    seconds: Mapping[str, float]
    left_out: Mapping[str, str]
    surroundings: tuple[str, ...]

    @classmethod
    def of(cls, manifest: Manifest) -> "SetInShort":
        """The manifest in short."""
        origin = manifest.origin
        lost = {"slot": origin.slots, "subscription": origin.subscriptions, "tablespace": origin.tablespaces}
        return cls(
            id=manifest.id,
            at=manifest.at,
            bytes=manifest.bytes,
            files=len(manifest.files),
            tables=len(manifest.contents.tables),
            rows=manifest.contents.rows,
            origin_bytes=origin.bytes,
            codec=manifest.codec,
            encrypted=bool(manifest.encrypted_for),
            seconds=manifest.durations,
            left_out=manifest.contents.left_out,
            surroundings=tuple(f"{kind} {name}" for kind, names in lost.items() for name in names),
        )


@dataclass(frozen=True)
class Stored:
    """What became of a set in one store: kept there or not, and its proof."""

    store: str
    problem: Unseen | None = None
    proof: Proof | None = None
    earlier_bytes: tuple[int, ...] = ()

    @property
    def is_proven(self) -> bool:
        """Whether it lies there, and has been restored."""
        return self.problem is None and self.proof is not None and self.proof.result is Result.RESTORED


@dataclass(frozen=True)
class DatabaseNight:
    """One database: its new set, or why there is none. `torn` names a first set of this night that it replaces."""

    database: str
    set: SetInShort | None = None
    problem: Unseen | None = None
    obstacles: tuple[Obstacle, ...] = ()
    stored: tuple[Stored, ...] = ()
    torn: str = ""

    @property
    def is_torn(self) -> bool:
        """Whether another dump may do: something was dropped while this one was being written."""
        return any(each.proof is not None and each.proof.is_of_a_torn_dump for each in self.stored)


@dataclass(frozen=True)
class Pruning:
    """What pruning one store came to. `due` is what no rule wants; `held_back` says why nothing was even tried.

    `is_clock_seen` is False where the store's clock was not compared with ours.
    """

    store: str
    kept: int = 0
    due: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retained: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()
    held_back: str = ""
    is_clock_seen: bool = True
    problem: Unseen | None = None


@dataclass(frozen=True)
class NightFacts:
    """The whole night. `dry_run`: only looked at, nothing written and nothing removed."""

    at: AwareDatetime
    dry_run: bool
    databases: tuple[DatabaseNight, ...]
    prunings: tuple[Pruning, ...]
    swept: tuple[str, ...] = ()
    tools: str = ""
    replaced: Dropping | None = None
