"""Whose role may become what: who is meant, which roles there are, who must stay an administrator. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from atomops.facts.user_role import KnownRoles, UserRow
from atomops.verdict import Unseen

KINDS = ("id", "email", "username")
MOST_MATCHES = 20
_SHOWN = 12


@dataclass(frozen=True)
class RoleWish:
    """Whose role is to be what. `user` is an id, an e-mail address or a user name, or says which: `id:42`."""

    user: str
    role: str

    @property
    def kinds(self) -> tuple[str, ...]:
        """What `user` may be."""
        kind, colon, value = self.user.partition(":")
        return (kind,) if colon and value and kind in KINDS else KINDS

    @property
    def value(self) -> str:
        """Without the word that says what it is."""
        return self.user.partition(":")[2] if len(self.kinds) == 1 else self.user


def refused_user(wish: RoleWish, matches: Sequence[UserRow], *, more: bool, table: str) -> Unseen | None:
    """Why it is not exactly one user that is meant, None when it is."""
    if not matches:
        meant = " or ".join(wish.kinds)
        return Unseen(f"no row of {table} has the {meant} {wish.value!r}", "look it up in the application")
    if len(matches) > 1 or more:
        number = f"more than {len(matches)}" if more else str(len(matches))
        shown = ", ".join(each.label for each in matches[:_SHOWN])
        action = f"name one by its id, such as id:{matches[0].id}"
        return Unseen(f"{wish.user!r} means {number} rows of {table}: {shown}", action)
    return None


def refused_role(wish: RoleWish, known: Sequence[KnownRoles], broken: Sequence[str]) -> Unseen | None:
    """Why the role cannot be meant. `broken` are the constraints of the table that would not let it in."""
    for each in known:
        if each.binding and wish.role not in each.roles:
            return Unseen(f"the {each.source} has no role {wish.role!r}", f"use one of {_listed(each.roles)}")
    if broken:
        return Unseen(
            f"{broken[0]} does not allow the role {wish.role!r}", f"use one of {_listed(_every(known) - {wish.role})}"
        )
    if wish.role not in _every(known):
        return Unseen(f"nobody knows a role {wish.role!r}", f"use one of {_listed(_every(known))}")
    return None


def is_demotion(before: str | None, role: str, admin_roles: Sequence[str]) -> bool:
    """Whether an administrator becomes less than that; `admin_roles` begin with the highest."""
    if before not in admin_roles:
        return False
    return role not in admin_roles or admin_roles.index(role) > admin_roles.index(before)


def others_left(row: UserRow, admins: Iterable[UserRow], admin_roles: Sequence[str]) -> tuple[UserRow, ...]:
    """The other administrators, as high as this one or higher, who are known to be active."""
    return tuple(each for each in _others(row, admins, admin_roles) if each.active is True)


def refused_last(wish: RoleWish, row: UserRow, admins: Iterable[UserRow], admin_roles: Sequence[str]) -> Unseen | None:
    """Why nobody would be left to administer the application, None when somebody is. Not known is no."""
    others = _others(row, admins, admin_roles)
    if any(each.active is True for each in others) or not is_demotion(row.role, wish.role, admin_roles):
        return None
    action = f"make somebody else {row.role} first, who is active"
    for each in others:
        if isinstance(each.active, Unseen):
            return Unseen(f"nobody knows who would be left as {row.role}: {each.active.reason}", each.active.action)
    return Unseen(f"{row.label} is the last active {row.role}: nobody would be left to administer Atom", action)


def _others(row: UserRow, admins: Iterable[UserRow], admin_roles: Sequence[str]) -> list[UserRow]:
    lowest = admin_roles.index(row.role) + 1 if row.role in admin_roles else len(admin_roles)
    return [each for each in admins if each.id != row.id and each.role in admin_roles[:lowest]]


def _every(known: Iterable[KnownRoles]) -> set[str]:
    return {role for each in known for role in each.roles}


def _listed(roles: Iterable[str]) -> str:
    names = sorted(roles)
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
