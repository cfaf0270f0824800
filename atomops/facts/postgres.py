"""What was seen of a PostgreSQL server, in one read-only session. Ages and delays are seconds, sizes bytes."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from atomops.verdict import Unseen

Cell = str | int | float | bool | None


@dataclass(frozen=True)
class Server:
    """The server, and what our role may see. `clock_offset` is the server's clock minus ours."""

    version: str
    version_number: int
    uptime: float
    clock_offset: float
    is_replica: bool
    replay_delay: float | None
    database: str
    role: str
    is_monitor: bool
    connection_limit: int


@dataclass(frozen=True)
class Database:
    """Ages are numbers of transactions."""

    name: str
    xid_age: int
    multixact_age: int
    size: int | None


@dataclass(frozen=True)
class Counters:
    """Cumulative since `stats_reset`. `checksum_failures` is None where checksums are off."""

    database: str | None
    deadlocks: int
    temp_files: int
    temp_bytes: int
    checksum_failures: int | None
    stats_reset: dt.datetime | None


@dataclass(frozen=True)
class ClientGroup:
    """Client sessions that share user, application and state."""

    role: str | None
    application: str | None
    state: str | None
    sessions: int


@dataclass(frozen=True)
class Session:
    """A session that is doing something or holds a transaction open. Literals in `query` are masked."""

    pid: int
    role: str | None
    database: str | None
    application: str | None
    state: str
    transaction_age: float | None
    query_age: float | None
    state_age: float | None
    query: str


@dataclass(frozen=True)
class LockWait:
    """A session that waits for others."""

    pid: int
    role: str | None
    waiting: float
    blockers: str
    query: str


@dataclass(frozen=True)
class PreparedTransaction:
    """A transaction left prepared by a two-phase commit."""

    gid: str
    database: str
    age: float


@dataclass(frozen=True)
class Replica:
    """A standby that streams from this server."""

    name: str
    address: str | None
    state: str
    lag: float
    lag_bytes: int


@dataclass(frozen=True)
class Slot:
    """A replication slot. `retained` is the write-ahead log that it keeps from being removed."""

    name: str
    kind: str
    active: bool
    wal_status: str | None
    retained: int


@dataclass(frozen=True)
class Archiver:
    """The write-ahead log archiver. `failing`: the last failure is newer than the last success."""

    mode: str
    failing: bool
    last_failed: str | None
    failures: int
    last_success_age: float | None


@dataclass(frozen=True)
class Table:
    """Row counts and `size` are the server's estimates; ages are None where it never happened."""

    schema: str
    name: str
    live_rows: int
    dead_rows: int
    writes: int
    size: int
    vacuum_age: float | None
    analyze_age: float | None
    sequential_scans: int
    sequential_rows: int
    index_scans: int

    @property
    def label(self) -> str:
        """Schema and name, as people write them."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Index:
    """An index that a check has something to say about; `statement` is how to mend it."""

    schema: str
    table: str
    name: str
    size: int
    statement: str


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key whose own columns no index begins with."""

    table: str
    name: str
    columns: str
    statement: str


@dataclass(frozen=True)
class Sequence:
    """How far a sequence has come towards the smaller of its own maximum and its column's."""

    name: str
    column: str | None
    last_value: int
    maximum: int
    used_percent: float


@dataclass(frozen=True)
class PendingSetting:
    """A changed setting that waits for a restart."""

    name: str
    setting: str


@dataclass(frozen=True)
class Statement:
    """A statement of pg_stat_statements, literals already replaced; times in seconds."""

    query: str
    calls: int
    mean: float
    maximum: float
    total: float


@dataclass(frozen=True)
class Answer:
    """The rows that a profile's question brought."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class PostgresFacts:
    """One look at a server. Each part is seen or unseen by itself; `answers` are the profile's questions by code."""

    at: dt.datetime
    server: Server
    databases: tuple[Database, ...] | Unseen
    counters: tuple[Counters, ...] | Unseen
    clients: tuple[ClientGroup, ...] | Unseen
    sessions: tuple[Session, ...] | Unseen
    lock_waits: tuple[LockWait, ...] | Unseen
    prepared_transactions: tuple[PreparedTransaction, ...] | Unseen
    replicas: tuple[Replica, ...] | Unseen
    slots: tuple[Slot, ...] | Unseen
    archiver: tuple[Archiver, ...] | Unseen
    tables: tuple[Table, ...] | Unseen
    invalid_indexes: tuple[Index, ...] | Unseen
    unused_indexes: tuple[Index, ...] | Unseen
    duplicate_indexes: tuple[Index, ...] | Unseen
    foreign_keys: tuple[ForeignKey, ...] | Unseen
    sequences: tuple[Sequence, ...] | Unseen
    pending_settings: tuple[PendingSetting, ...] | Unseen
    statements: tuple[Statement, ...] | Unseen
    profile: str | Unseen
    answers: Mapping[str, Answer | Unseen]
