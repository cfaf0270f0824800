"""A backup set: what it holds (its manifest), what proves it (its proofs), and what else lies in a store."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import AwareDatetime

from atomops.facts.configuration import Configuration
from atomops.humane import plural

SCHEMA = 1
MADE_BY = "atom-ops"
MANIFEST = "manifest.json"
PROOFS = "proofs"


@dataclass(frozen=True)
class StoredFile:
    """One file of a set, as it is stored: its bytes after encryption, if there is any."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class TableContent:
    """One table's exact content under the dump's snapshot.

    `fingerprint` is the sum of a hash over every row, in any order; `method` says which: `record` of the row itself,
    `text` of the row as text, or "" where there is none.
    """

    rows: int
    fingerprint: str = ""
    method: str = ""


@dataclass(frozen=True)
class SequenceValue:
    """A sequence where it was furthest back while it was dumped.

    It follows no transaction: a dump may hold a later value than this, never an earlier one.
    """

    value: int | None
    increment: int


@dataclass(frozen=True)
class Contents:
    """Everything of a database that a restore must bring back. Names are quoted as SQL needs them, with the schema.

    `objects` counts kinds of schema objects ("index", "foreign key", "trigger", ...). `left_out` says what a dump never
    holds, or what cannot be compared, and why.
    """

    tables: Mapping[str, TableContent]
    sequences: Mapping[str, SequenceValue]
    objects: Mapping[str, int]
    large_objects: TableContent
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(table.rows for table in self.tables.values())


@dataclass(frozen=True)
class Obstacle:
    """Something of a database that our role may not read, and the statement that would let it."""

    thing: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class Origin:
    """The database that was dumped. `settings` and `grants` are its own (ALTER DATABASE ... SET, GRANT CONNECT).

    So are `owner`, `comment` and `connection_limit` (-1: none). `roles` are those that own or may use something in it,
    `owners` the former alone; `slots`, `subscriptions` and `tablespaces` are in no dump.
    `locale_provider` is c (libc), i (ICU) or b (builtin); the latter two have a `provider_locale` besides.
    """

    address: str
    database: str
    server_version: str
    encoding: str
    locale: str
    bytes: int
    lsn: str
    extensions: Mapping[str, str]
    roles: tuple[str, ...]
    superusers: tuple[str, ...] = ()
    locale_provider: str = "c"
    provider_locale: str = ""
    settings: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()
    tablespaces: tuple[str, ...] = ()
    migration: str = ""
    owner: str = ""
    comment: str = ""
    connection_limit: int = -1
    owners: tuple[str, ...] = ()

    @property
    def major(self) -> int:
        """The major version of the server."""
        return int(self.server_version.split(".")[0].split(" ")[0])


NO_CONTENTS = Contents({}, {}, {}, TableContent(0))
NO_ORIGIN = Origin("", "", "", "", "", 0, "", {}, ())


@dataclass(frozen=True)
class Manifest:
    """A whole set in one page: with it and the files beside it, a restore needs nothing else.

    `at` is the moment of the dump's snapshot; times are UTC, durations seconds, sizes bytes. `files` are as stored.
    A set with a `configuration` has no database in it: no origin, no contents, and "configuration" for a name.
    """

    id: str
    target: str
    database: str
    at: AwareDatetime
    files: tuple[StoredFile, ...]
    origin: Origin = NO_ORIGIN
    contents: Contents = NO_CONTENTS
    client_version: str = ""
    codec: str = ""
    encrypted_for: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    durations: Mapping[str, float] = field(default_factory=dict)
    made_by: str = MADE_BY
    made_on: str = ""
    schema: int = SCHEMA
    configuration: Configuration | None = None

    @property
    def kind(self) -> str:
        """Whether it is a database or a configuration."""
        return "database" if self.configuration is None else "configuration"

    @property
    def bytes(self) -> int:
        """The size of the set as it is stored."""
        return sum(file.bytes for file in self.files)


class Result(StrEnum):
    """What a proof came to."""

    RESTORED = "restored"  # from the store, into an empty server, every row equal
    READ = "read"  # of a configuration: every file from the store, decrypted, parsed, and what its name says
    INTACT = "intact"  # every stored byte is as it was written; a restore could not be tried
    FAILED = "failed"


@dataclass(frozen=True)
class Proof:
    """The evidence that a set restores, or does not. `reason` says why it is no more than it is."""

    result: Result
    at: AwareDatetime
    host: str
    files: int
    bytes: int
    seconds: float
    tables: int = 0
    rows: int = 0
    server_version: str = ""
    reason: str = ""
    action: str = ""
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    durations: Mapping[str, float] = field(default_factory=dict)
    schema: int = SCHEMA

    @property
    def is_of_a_torn_dump(self) -> bool:
        """Whether the set holds half a statement: pg_dump writes one, and ends well, for what is dropped meanwhile."""
        return self.result is Result.FAILED and "ERROR: syntax error" in self.reason

    @property
    def sentence(self) -> str:
        """The proof in a few words."""
        if self.result is Result.RESTORED:
            return f"restored, {plural(self.tables, 'table')}, {plural(self.rows, 'row')} equal"
        if self.result is Result.READ:
            return f"read again, {plural(self.files, 'file')} whole" + (f"; {self.reason}" if self.reason else "")
        return f"{self.result}: {self.reason}"


@dataclass(frozen=True)
class BackupSet:
    """A published set and its newest proof."""

    manifest: Manifest
    proof: Proof | None = None

    @property
    def id(self) -> str:
        """The set's name in its store."""
        return self.manifest.id

    @property
    def at(self) -> dt.datetime:
        """The moment that a restore brings back."""
        return self.manifest.at

    @property
    def database(self) -> str:
        """What was dumped."""
        return self.manifest.database

    @property
    def is_proven(self) -> bool:
        """Whether the newest proof is a restore; of a configuration, that it is complete and its files are whole.

        Such a file was parsed before it was encrypted, in memory: the same bytes hold the same objects.
        """
        if self.proof is None:
            return False
        known = self.manifest.configuration
        if known is None:
            return self.proof.result is Result.RESTORED
        return known.is_complete and self.proof.result in {Result.READ, Result.INTACT}


@dataclass(frozen=True)
class Unreadable:
    """Something under our prefix that is not a set that we can read: shown, and never touched."""

    name: str
    reason: str


@dataclass(frozen=True)
class Listing:
    """What a store holds for a target, the newest set first."""

    store: str
    sets: tuple[BackupSet, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
