"""The application's users: which of the profile's columns are there, and whom a name means."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql
from psycopg.rows import dict_row

from atomops.backup.access import Access
from atomops.errors import NotThere
from atomops.facts.user_role import UserRow
from atomops.inventory import Target
from atomops.plans.user_role import MOST_MATCHES, RoleWish
from atomops.plans.vacuum import quoted
from atomops.probes.postgres.application import recognise
from atomops.probes.postgres.connect import Session
from atomops.profiles import candidates
from atomops.profiles.profile import Profile, Users
from atomops.verdict import Unseen

_TABLE = """
    SELECT own.oid::int8 AS oid, space.nspname::text AS schema, own.relname::text AS name, current_user::text AS role
    FROM pg_class AS own JOIN pg_namespace AS space ON space.oid = own.relnamespace
    WHERE own.oid = to_regclass(%s)
"""
_COLUMNS = """
    SELECT attname::text, has_column_privilege(attrelid, attnum, 'SELECT'),
           has_column_privilege(attrelid, attnum, 'UPDATE')
    FROM pg_attribute WHERE attrelid = %s::oid AND attnum > 0 AND NOT attisdropped
"""


@dataclass(frozen=True)
class UserTable:
    """The table as it is in this database. `columns` are those of the profile that are there and may be read."""

    oid: int
    schema: str
    name: str
    users: Users
    profile: str
    our_role: str
    columns: tuple[str, ...]
    missing: tuple[str, ...]
    rights: tuple[Unseen, ...]

    @property
    def label(self) -> str:
        """Schema and name, as people write them."""
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        """The table, quoted."""
        return sql.Identifier(self.schema, self.name)

    def row(self, seen: dict[str, str | None]) -> UserRow:
        """A user of its columns."""
        users = self.users
        gone = [name for name in users.active if name not in seen]
        reason = f"whether a user is active is not known: {self.label} has no column {', '.join(gone)} that we may read"
        active = all(seen[name] in values for name, values in users.active.items() if name in seen)
        known = active if not gone else Unseen(reason, "set `active` of [users] in the profile")
        shown = {name: seen[name] for name in self.columns}
        return UserRow(str(seen[users.id]), seen[users.role], shown, known)


async def user_table(session: Session, target: Target, access: Access) -> UserTable:
    """The users of the target's profile. Raises NotThere when there is no such table, or no id or role in it."""
    profile = await recognise(session, candidates(target.profile))
    if not isinstance(profile, Profile):
        raise NotThere(profile.reason, action=profile.action)
    users = profile.users
    if users is None:
        raise NotThere(f"the profile {profile.name} names no users", action="give it a table [users]")
    async with session.cursor(row_factory=dict_row) as cursor:
        named = sql.Identifier(*users.table.split(".")).as_string(None)
        row = await (await cursor.execute(_TABLE, [named])).fetchone()
    if row is None:
        action = "set `profile`, check search_path, or GRANT USAGE ON SCHEMA"
        raise NotThere(f"there is no table {users.table} in {access.address}", action=action)
    rows = await (await session.execute(_COLUMNS, [row["oid"]])).fetchall()
    rights = {str(name): (bool(read), bool(write)) for name, read, write in rows}
    absent = [name for name in (users.id, users.role) if name not in rights]
    if absent:
        what = f"{users.table} in {access.address} has no column {', '.join(absent)}"
        raise NotThere(what, action="set `profile`, or mend its [users]")
    wanted = tuple(dict.fromkeys((users.id, *users.shown, users.role, *_named(users), *users.active)))
    needed = {users.id, users.role}
    there = tuple(name for name in wanted if name in rights and (rights[name][0] or name in needed))
    return UserTable(
        oid=row["oid"],
        schema=row["schema"],
        name=row["name"],
        users=users,
        profile=profile.name,
        our_role=row["role"],
        columns=there,
        missing=tuple(name for name in (*wanted, *_changed(users)[1:]) if name not in rights),
        rights=_missing_rights(row["role"], f"{row['schema']}.{row['name']}", users, wanted, rights),
    )


def _named(users: Users) -> list[str]:
    return [name for name in (users.email, users.username) if name]


def _changed(users: Users) -> list[str]:
    return [users.role, *([users.updated_at] if users.updated_at else [])]


def _missing_rights(
    role: str, table: str, users: Users, wanted: Sequence[str], rights: dict[str, tuple[bool, bool]]
) -> tuple[Unseen, ...]:
    """The least that is missing: columns, so that a password's hash stays hidden from us."""
    unread = [name for name in wanted if name in rights and not rights[name][0]]
    unchanged = [name for name in _changed(users) if name in rights and not rights[name][1]]
    found = []
    for verb, columns in (("SELECT", unread), ("UPDATE", unchanged)):
        if columns:
            listed = ", ".join(map(quoted, columns))
            reason = f"the role {role} may not {verb} {', '.join(columns)} of {table}"
            found.append(Unseen(reason, f"GRANT {verb} ({listed}) ON {table} TO {quoted(role)};"))
    return tuple(found)


async def matching(session: Session, table: UserTable, wish: RoleWish) -> tuple[tuple[UserRow, ...], bool]:
    """Whom the wish may mean, and whether there are more. An e-mail address is the same in any case."""
    users = table.users
    same = sql.SQL("{}::text = {}")
    either = {
        "id": same.format(sql.Identifier(users.id), sql.Literal(wish.value)),
        "email": sql.SQL("lower({}::text) = lower({})").format(
            sql.Identifier(users.email or ""), sql.Literal(wish.value)
        ),
        "username": same.format(sql.Identifier(users.username or ""), sql.Literal(wish.value)),
    }
    names = {"id": users.id, "email": users.email, "username": users.username}
    asked = [either[kind] for kind in wish.kinds if names[kind] in table.columns]
    if not asked:
        raise NotThere(f"{table.label} has no column for {wish.kinds[0]}", action="name the user by its id: id:...")
    found = await rows_of(session, table, sql.SQL(" OR ").join(asked), limit=MOST_MATCHES + 1)
    return found[:MOST_MATCHES], len(found) > MOST_MATCHES


async def rows_of(
    session: Session, table: UserTable, condition: sql.Composable, *, limit: int | None = None, lock: bool = False
) -> tuple[UserRow, ...]:
    """The users for whom the condition holds, by their ids; locked against change until the transaction ends."""
    columns = sql.SQL(", ").join(sql.SQL("{0}::text AS {0}").format(sql.Identifier(name)) for name in table.columns)
    statement = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {}{}{}").format(
        columns,
        table.identifier,
        condition,
        sql.Identifier(table.name, table.users.id),
        sql.SQL(f" LIMIT {limit}" if limit else ""),
        sql.SQL(" FOR UPDATE" if lock else ""),
    )
    async with session.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement)
        return tuple(table.row(row) for row in await cursor.fetchall())
