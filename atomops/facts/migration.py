"""A migration: what is there, what would be done, how it went on a copy, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import AwareDatetime

from atomops.verdict import Unseen

Action = Literal["upgrade", "downgrade", "show"]


@dataclass(frozen=True)
class Revision:
    """One script of the history. `sha256` is that of its file, "" where it cannot be read from here."""

    id: str
    parents: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    path: str = ""
    message: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class VersionTable:
    """alembic's own table as the database has it; `width` is the longest id that fits, None without a limit."""

    revisions: tuple[str, ...]
    width: int | None = None


@dataclass(frozen=True)
class Refusal:
    """Why nothing is migrated, and what would change that."""

    reason: str
    action: str


@dataclass(frozen=True)
class LintFinding:
    """What squawk says about a statement: `line` counts from 1 in the printed SQL."""

    rule: str
    line: int
    message: str
    help: str = ""


@dataclass(frozen=True)
class TableSize:
    """A table that the migration touches: rows as estimated by the server, bytes with its indexes."""

    name: str
    rows: int
    bytes: int


@dataclass(frozen=True)
class TableLock:
    """The strongest lock that was seen on a table, and the seconds from its first to its last sighting."""

    table: str
    mode: str
    seconds: float


@dataclass(frozen=True)
class SchemaChange:
    """An object of the schema that is not what it was; "" where there is none before, or after."""

    thing: str
    before: str
    after: str


@dataclass(frozen=True)
class Loss:
    """What a migration takes away: so many rows or values, None where nobody could count them."""

    what: str
    amount: int | None


@dataclass(frozen=True)
class Downgraded:
    """The way back, tried on the copy. Without a problem and without differences it loses nothing."""

    seconds: float
    differences: tuple[str, ...] = ()
    problem: str = ""

    @property
    def is_lossless(self) -> bool:
        """Whether every row and object was as before."""
        return not self.problem and not self.differences


@dataclass(frozen=True)
class Rehearsal:
    """How it went on a restored copy. Times in seconds, on the rehearsal's machine.

    `problem` is why it failed there. `rows` are the differences in number by table; `keeps_settings` whether the
    application's driver took over our PGOPTIONS, and with them the lock time-out; None when no session was seen.
    """

    backup: str
    restore_seconds: float
    seconds: float
    server_version: str
    problem: str = ""
    action: str = ""
    locks: tuple[TableLock, ...] = ()
    schema: tuple[SchemaChange, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    losses: tuple[Loss, ...] = ()
    downgrade: Downgraded | None = None
    keeps_settings: bool | None = True
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class BackupUsed:
    """The proven set that the database could be restored from; `is_new` when it was made for this migration."""

    id: str
    at: AwareDatetime
    store: str
    age_hours: float
    is_new: bool


@dataclass(frozen=True)
class Approval:
    """The answer to whether it may be done, and whose words came with it."""

    granted: bool
    words: str


@dataclass(frozen=True)
class Attempt:
    """One run of alembic on the database itself. `waited_for` are the sessions that held what it wanted."""

    seconds: float
    problem: str = ""
    action: str = ""
    waited_for: tuple[str, ...] = ()


@dataclass(frozen=True)
class TakenBack:
    """What was done after a failure: "nothing to take back", "downgraded", or what is left to do by hand."""

    way: Literal["rolled back", "downgraded", "left"]
    words: str
    action: str = ""


@dataclass(frozen=True)
class Execution:
    """The migration of the database itself. `rows` are exact counts before and after; None for a table that is gone.

    `unwell` is why it was taken back although it came to its end: what the application makes of it.
    """

    attempts: tuple[Attempt, ...]
    revisions: tuple[str, ...] | Unseen
    is_there: bool
    schema: tuple[SchemaChange, ...] | Unseen = ()
    rows: Mapping[str, tuple[int, int | None]] | Unseen = field(default_factory=dict)
    ready_before: bool | Unseen | None = None
    ready_seconds: float | Unseen | None = None
    unwell: Unseen | None = None
    taken_back: TakenBack | None = None

    @property
    def problem(self) -> str:
        """Why alembic did not get there, or ""."""
        return self.attempts[-1].problem

    @property
    def is_well(self) -> bool:
        """Whether the database is where it was to go, and the application likes it there, as far as was seen."""
        return self.is_there and self.unwell is None and self.taken_back is None

    @property
    def outcome(self) -> str:
        """What came of it, for the record."""
        unwell = self.unwell.reason if self.unwell else ""
        told = (self.problem, unwell, self.taken_back.words if self.taken_back else "")
        return "; ".join(filter(None, told)) or "done"


@dataclass(frozen=True)
class MigrationFacts:
    """One run of the flow, as far as it came. What it did not come to is None. `exactly` is alembic's command line."""

    at: AwareDatetime
    action: Action
    dry_run: bool
    current: tuple[str, ...] | Unseen
    heads: tuple[str, ...]
    target: str
    steps: tuple[Revision, ...]
    refusals: tuple[Refusal, ...] = ()
    unread_scripts: tuple[str, ...] = ()
    exactly: str = ""
    statements: tuple[str, ...] | Unseen = ()
    lint: tuple[LintFinding, ...] | Unseen = ()
    sizes: tuple[TableSize, ...] | Unseen = ()
    backup: BackupUsed | Unseen | None = None
    rehearsal: Rehearsal | Unseen | None = None
    approval: Approval | None = None
    execution: Execution | None = None

    @property
    def is_clear(self) -> bool:
        """Whether there is something to do, and nothing against it so far."""
        return bool(self.steps) and not self.refusals

    @property
    def went_well_on_a_copy(self) -> bool:
        """Whether the rehearsal came to its end."""
        return isinstance(self.rehearsal, Rehearsal) and not self.rehearsal.problem
