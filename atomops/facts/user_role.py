"""What changing a user's role found and did: the row before and after, the roles that are known, who is left."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import AwareDatetime

from atomops.verdict import Unseen


@dataclass(frozen=True)
class UserRow:
    """One user, by the columns that the profile names: never a password.

    `active`: may use the role at all; Unseen where the columns that say so are not there.
    """

    id: str
    role: str | None
    columns: Mapping[str, str | None]
    active: bool | Unseen = True

    @property
    def label(self) -> str:
        """The user as people know it: its first name in the profile's order, and its id."""
        named = [value for name, value in self.columns.items() if value and value not in {self.id, self.role}]
        return f"{named[0]} ({self.id})" if named else self.id


@dataclass(frozen=True)
class KnownRoles:
    """The roles that one source knows. `binding`: the server takes no other."""

    source: str
    roles: tuple[str, ...]
    binding: bool = False


@dataclass(frozen=True)
class UserRoleFacts:
    """The whole run. `matches` are the users that were found by `user`; `admins` other active ones that are left.

    `refused` says why nothing was changed. `after` is what was read after the commit, when there was one.
    """

    at: AwareDatetime
    dry_run: bool
    where: str
    table: str
    profile: str
    user: str
    role: str
    matches: tuple[UserRow, ...]
    more: bool
    known: tuple[KnownRoles, ...]
    admins: tuple[UserRow, ...] | None = None
    statement: str = ""
    refused: Unseen | None = None
    not_known: Unseen | None = None
    last_admin: Unseen | None = None
    after: UserRow | Unseen | None = None

    @property
    def before(self) -> UserRow | None:
        """The one user that is meant, if it is one."""
        return self.matches[0] if len(self.matches) == 1 and not self.more else None
