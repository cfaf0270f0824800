"""What tuning the database saw: its slow statements, its large tables, and what it logs of slow statements and why."""

from dataclasses import dataclass, field
from typing import Literal

from pydantic import AwareDatetime

from atomops.verdict import Unseen

Scope = Literal["server", "database"]


@dataclass(frozen=True)
class SlowStatement:
    """One statement of pg_stat_statements, literals replaced. Times are seconds, `share` of all time from 0 to 1.

    `read_time` is None where the server does not measure it (track_io_timing), `hit_ratio` where nothing was read.
    """

    query: str
    calls: int
    mean: float
    longest: float
    total: float
    share: float
    rows: int
    hit_ratio: float | None
    temporary_bytes: int
    read_time: float | None
    text: str = field(default="", repr=False)


@dataclass(frozen=True)
class Column:
    """A column of a large table. `distinct` is as in pg_stats: negative is a share of the rows; None is not known."""

    name: str
    distinct: float | None
    leads_index: bool


@dataclass(frozen=True)
class ScannedTable:
    """A large table, how it is read, and its columns. Rows and sizes are the server's estimates."""

    schema: str
    name: str
    rows: int
    size: int
    sequential_scans: int
    sequential_rows: int
    index_scans: int
    columns: tuple[Column, ...] = ()

    @property
    def label(self) -> str:
        """Schema and name, as people write them."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Setting:
    """log_min_duration_statement as a new session of ours finds it: milliseconds, -1 is off."""

    value: str
    source: str
    file: str | None
    line: int | None
    pending_restart: bool


@dataclass(frozen=True)
class Override:
    """A value of a role, of a database, or of a role in a database: it wins over the server's."""

    database: str | None
    role: str | None
    value: str

    @property
    def sentence(self) -> str:
        """Whose it is, and the value."""
        whose = [
            *([f"role {self.role}"] if self.role else []),
            *([f"database {self.database}"] if self.database else []),
        ]
        return f"{' in '.join(whose)} has {self.value}"


@dataclass(frozen=True)
class FileError:
    """A line of the configuration that the server does not take."""

    file: str | None
    line: int | None
    name: str | None
    error: str


@dataclass(frozen=True)
class SlowLog:
    """What is logged of slow statements, and who says so.

    `entry` is the value in postgresql.auto.conf, `ours` the database's own; None where there is none.
    """

    setting: Setting
    entry: str | Unseen | None
    ours: str | None
    overrides: tuple[Override, ...] = ()
    file_errors: tuple[FileError, ...] | Unseen = ()
    older_sessions: int = 0


@dataclass(frozen=True)
class Remembered:
    """What was there before we changed it, and what we have set: kept in a file until it is undone."""

    at: AwareDatetime
    scope: Scope
    database: str
    before: str | None
    wanted: str
    run: str = ""


@dataclass(frozen=True)
class TuningFacts:
    """The whole run; without `asked` it is a report. `statements` and `tables` were seen by the role that reads.

    `refused` says why nothing was changed, `confirmed` whether what was read back is what was wanted.
    """

    at: AwareDatetime
    dry_run: bool
    where: str
    version: str
    asked: str
    scope: Scope
    before: SlowLog
    statements: tuple[SlowStatement, ...] | Unseen
    tables: tuple[ScannedTable, ...] | Unseen
    plan: tuple[str, ...] = ()
    refused: Unseen | None = None
    remembered: Remembered | None = None
    after: SlowLog | None = None
    confirmed: bool = False
