"""What vacuuming found and left: every table before and after, what was skipped and why, what held rows back."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import AwareDatetime

from atomops.verdict import Unseen


class Status(StrEnum):
    """What became of one table."""

    PLANNED = "planned"
    DONE = "done"
    LEFT = "left to autovacuum"
    LOCKED = "locked"
    FORBIDDEN = "no right"
    MISSING = "missing"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    NOT_STARTED = "not started"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True)
class TableState:
    """One table at a moment. Rows are PostgreSQL's own counts, where it has them; sizes bytes with indexes and TOAST.

    `xid_age` and `multixact_age` are numbers of transactions, `since_*` seconds since it was last done by anybody.
    `vacuums` and `analyzes` count what was asked for by hand; `filenode` changes when the table is written anew.
    """

    live_rows: int | None = None
    dead_rows: int | None = None
    size: int | None = None
    xid_age: int | None = None
    multixact_age: int | None = None
    since_vacuum: float | None = None
    since_analyze: float | None = None
    vacuums: int | None = None
    analyzes: int | None = None
    filenode: int | None = None


@dataclass(frozen=True)
class Relation:
    """A relation of the catalogue. `kind` is pg_class.relkind; `pages` bytes as VACUUM and ANALYZE counted them last.

    `location` is the folder of its tablespace, "" for the data directory; `parent` the table that it is a partition of.
    """

    oid: int
    schema: str
    name: str
    kind: str
    persistence: str
    owner: str
    may_vacuum: bool
    has_children: bool
    parent: int | None
    pages: int
    location: str
    state: TableState

    @property
    def label(self) -> str:
        """Schema and name, as people write them."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Holder:
    """Who keeps dead rows from being removed: `age` transactions old, since so many seconds where that is known."""

    kind: str
    name: str
    age: int
    seconds: float | None
    detail: str = ""

    @property
    def sentence(self) -> str:
        """Who it is, in words."""
        return f"{self.kind} {self.name}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True)
class OnTable:
    """Who has a lock on a table: a session, an autovacuum worker that vacuums it, or a prepared transaction."""

    name: str
    mode: str
    is_autovacuum: bool
    detail: str = ""


@dataclass(frozen=True)
class TableOutcome:
    """One statement, and what became of its table."""

    table: str
    status: Status
    statement: str = ""
    reason: str = ""
    action: str = ""
    seconds: float = 0
    before: TableState | None = None
    after: TableState | None = None
    held_by: tuple[Holder, ...] | Unseen = ()


@dataclass(frozen=True)
class FullCost:
    """What writing a table anew needs: bytes on its disk, and about so many seconds during which nobody may use it."""

    table: str
    bytes: int
    seconds: float
    disk: str
    available: float | Unseen


@dataclass(frozen=True)
class VacuumFacts:
    """The whole run. `dry_run`: only looked at, nothing changed. `ended` are sessions that a killed run had left.

    `statements` is everything that is executed, what each session sets before its VACUUM included.
    """

    at: AwareDatetime
    dry_run: bool
    database: str
    role: str
    server: str
    choice: str
    outcomes: tuple[TableOutcome, ...]
    statements: tuple[str, ...] = ()
    holders: tuple[Holder, ...] | Unseen = ()
    costs: tuple[FullCost, ...] = ()
    ended: tuple[str, ...] = ()

    def of(self, *statuses: Status) -> tuple[TableOutcome, ...]:
        """The outcomes that ended so."""
        return tuple(each for each in self.outcomes if each.status in statuses)
