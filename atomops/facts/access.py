"""Who may do what in PostgreSQL, and how it lets anybody in."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from atomops.verdict import Unseen


@dataclass(frozen=True)
class Role:
    """`attributes` reach beyond one database, such as CREATEROLE; `valid_until` is when its password ends."""

    name: str
    can_login: bool
    is_superuser: bool
    attributes: tuple[str, ...]
    predefined: tuple[str, ...]
    valid_until: dt.datetime | None


@dataclass(frozen=True)
class PasswordMethod:
    """How a role's password is kept: md5, scram-sha-256, none or other. The password itself is never read."""

    role: str
    method: str


@dataclass(frozen=True)
class PublicRight:
    """What everybody may do; `kind` is schema, table or database, `statement` takes it away."""

    kind: str
    name: str
    rights: str
    statement: str


@dataclass(frozen=True)
class Definer:
    """A function that runs with its owner's rights and has no search_path of its own."""

    name: str
    owner: str
    owner_is_superuser: bool
    is_public: bool
    statement: str


@dataclass(frozen=True)
class Language:
    """A language whose functions may do whatever the server's operating system user may."""

    name: str
    statement: str


@dataclass(frozen=True)
class HbaRule:
    """A line of pg_hba.conf as it stands in the file, which need not be loaded yet."""

    line: int
    kind: str
    databases: str
    users: str
    address: str | None
    method: str


@dataclass(frozen=True)
class Expected:
    """What the inventory says is meant to be so."""

    superusers: tuple[str, ...]
    privileged: tuple[str, ...]
    public_tables: tuple[str, ...]
    languages: tuple[str, ...]


@dataclass(frozen=True)
class AccessFacts:
    """One look. `settings` are the server's own, by name; one that this role may not see is not in it."""

    at: dt.datetime
    version: str
    version_number: int
    database: str
    reader: str
    expected: Expected
    settings: Mapping[str, str]
    roles: tuple[Role, ...] | Unseen
    passwords: tuple[PasswordMethod, ...] | Unseen
    rights: tuple[PublicRight, ...] | Unseen
    definers: tuple[Definer, ...] | Unseen
    languages: tuple[Language, ...] | Unseen
    hba: tuple[HbaRule, ...] | Unseen
