"""A user's role on a real server: exactly one row or nothing, whatever else happens to the table meanwhile."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from atomops.administration.roles import RolePlan, plan_role, reach, set_role
from atomops.errors import AccessDenied, NotThere, PermanentError, TemporaryError
from atomops.facts.user_role import UserRoleFacts
from atomops.inventory import Target
from atomops.plans.user_role import RoleWish
from atomops.scratch.postgres import PostgresServer
from tests.vacuums import target_of
from tests.waiting import wait_until

DATABASE = "user_roles"
ATOM = """
DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC;
CREATE TABLE agent_executions (id int);
CREATE TABLE users (
    id varchar PRIMARY KEY, email varchar NOT NULL UNIQUE, password_hash varchar DEFAULT 'hush-hush',
    first_name varchar, last_name varchar, role varchar DEFAULT 'member', status varchar DEFAULT 'active',
    is_active boolean DEFAULT true, updated_at timestamptz);
CREATE TABLE custom_roles (id int PRIMARY KEY, name varchar);
INSERT INTO custom_roles VALUES (1, 'auditor');
INSERT INTO users (id, email, first_name, role, status) VALUES
  ('a', 'ann@example.com', 'Ann', 'admin', 'active'), ('b', 'ben@example.com', 'Ben', 'admin', 'active'),
  ('s', 'sue@example.com', 'Sue', 'admin', 'suspended'), ('m', 'max@example.com', 'Max', 'member', 'active'),
  ('o', 'old@example.com', 'Old', 'steward', 'active');
"""
GUIDE = """
DROP SCHEMA public CASCADE; CREATE SCHEMA public;
CREATE TABLE agent_execution (id int);
CREATE TYPE user_role AS ENUM ('admin', 'member', 'reader');
CREATE TABLE users (id int PRIMARY KEY, username text, email text, role user_role NOT NULL, created_at timestamptz,
                    updated_at timestamptz);
INSERT INTO users (id, username, email, role) VALUES
  (1, 'root', 'root@example.com', 'admin'), (2, '1', 'twin@example.com', 'member'),
  (3, 'twin', 'TWIN@example.com', 'member');
"""
UNCHANGED = "SELECT id, role::text, updated_at FROM users ORDER BY id"


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> Iterator[PostgresServer]:
    postgres.create_database(DATABASE)
    yield postgres
    execute(postgres, f"DROP DATABASE {DATABASE} WITH (FORCE)", database="postgres")


@pytest.fixture
def atom(server: PostgresServer) -> Target:
    execute(server, ATOM)
    return target_of(server, DATABASE, "postgres", profile="atom")


@pytest.fixture
def guide(server: PostgresServer) -> Target:
    execute(server, GUIDE)
    return target_of(server, DATABASE, "postgres", profile="guide")


def execute(server: PostgresServer, script: str, database: str = DATABASE) -> list[Any]:
    with server.connect(database) as session:
        cursor = session.execute(script.encode())
        return cursor.fetchall() if cursor.description else []


def planned(at: Target, user: str, role: str) -> RolePlan:
    return asyncio.run(plan_role(at, RoleWish(user, role)))


def changed(at: Target, user: str, role: str) -> UserRoleFacts:
    return asyncio.run(set_role(at, planned(at, user, role)))


def roles(server: PostgresServer) -> dict[str, str]:
    return dict(execute(server, "SELECT id::text, role::text FROM users"))


def test_one_row_is_changed_by_the_very_statement_that_was_shown_and_no_other(
    server: PostgresServer, atom: Target
) -> None:
    plan = planned(atom, "MAX@example.com", "admin")
    (statement,) = plan.statements
    assert statement == (
        """UPDATE "public"."users" SET "role" = 'admin', "updated_at" = now()"""
        """ WHERE "id" = 'm' AND "role" = 'member' RETURNING "id"::text, "role"::text"""
    )
    assert "hush" not in repr(plan)

    seen = asyncio.run(set_role(atom, plan))

    assert seen.refused is None
    assert seen.after is not None
    assert seen.after.role == "admin"  # type: ignore[union-attr]
    assert roles(server) == {"a": "admin", "b": "admin", "s": "admin", "m": "admin", "o": "steward"}
    assert [row[0] for row in execute(server, "SELECT id FROM users WHERE updated_at IS NOT NULL")] == ["m"]


def test_whoever_has_the_role_already_is_left_alone(server: PostgresServer, atom: Target) -> None:
    before = execute(server, UNCHANGED)
    seen = changed(atom, "a", "admin")
    assert (seen.refused, seen.not_known, seen.last_admin, seen.statement) == (None, None, None, "")
    assert execute(server, UNCHANGED) == before


def test_no_row_or_two_are_refused_and_the_matches_are_told(server: PostgresServer, guide: Target) -> None:
    before = execute(server, UNCHANGED)
    for user, told in (
        ("nobody", "no row of public.users has the id or email or username 'nobody'"),
        ("twin@example.com", "'twin@example.com' means 2 rows of public.users: 1 (2), twin (3)"),
        ("1", "'1' means 2 rows of public.users: root (1), 1 (2)"),
    ):
        seen = changed(guide, user, "reader")
        assert seen.refused is not None
        assert seen.refused.reason == told
    assert execute(server, UNCHANGED) == before
    assert changed(guide, "id:2", "reader").after.role == "reader"  # type: ignore[union-attr]


def test_roles_are_known_by_profile_database_own_table_and_use_and_nothing_else(
    server: PostgresServer, atom: Target
) -> None:
    for role, source in (("viewer", "profile atom"), ("auditor", "table custom_roles"), ("steward", "in use")):
        plan = planned(atom, "m", role)
        assert plan.obstacle is None
        assert [each.source for each in plan.known if role in each.roles] == [source]
    plan = planned(atom, "m", "amdin")
    assert plan.not_known is not None
    assert plan.not_known.reason == "nobody knows a role 'amdin'"
    assert "auditor, guest" in plan.not_known.action
    execute(server, "ALTER TABLE users ADD CONSTRAINT few CHECK (role IN ('admin', 'member', 'steward', 'clerk'))")
    assert [each.source for each in planned(atom, "m", "clerk").known if "clerk" in each.roles] == [
        "check constraint few"
    ]
    refused = planned(atom, "m", "viewer").not_known
    assert refused is not None
    assert refused.reason == "the check constraint few does not allow the role 'viewer'"


def test_an_enum_of_the_database_has_the_last_word(guide: Target) -> None:
    assert planned(guide, "id:2", "reader").obstacle is None
    refused = planned(guide, "id:2", "owner").not_known
    assert refused is not None
    assert (refused.reason, refused.action) == (
        "the enum user_role has no role 'owner'",
        "use one of admin, member, reader",
    )


def test_the_last_active_administrator_stays_one(server: PostgresServer, atom: Target, guide: Target) -> None:
    refused = planned(guide, "root", "member").last_admin
    assert refused is not None
    assert refused.reason == "root (1) is the last active admin: nobody would be left to administer Atom"
    execute(server, ATOM)
    assert changed(atom, "a", "member").last_admin is None
    refused = changed(atom, "b", "member").last_admin  # Sue is an administrator too, but suspended
    assert refused is not None
    execute(server, "ALTER TABLE users DROP COLUMN status")
    refused = changed(atom, "b", "member").last_admin
    assert refused is not None
    assert "has no column status" in refused.reason
    assert roles(server)["b"] == "admin"


def test_of_two_demotions_at_once_one_is_refused(server: PostgresServer, atom: Target) -> None:
    """Both have planned while there were two administrators, and both wait for the same rows."""
    patient = atom.model_copy(update={"changes": atom.changes.model_copy(update={"lock_timeout": 60})})
    plans = [planned(patient, user, "member") for user in ("a", "b")]
    waiting = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = %s"

    async def both() -> list[UserRoleFacts]:
        return list(await asyncio.gather(*(set_role(patient, plan) for plan in plans)))

    with holding(server, "SELECT FROM users WHERE role = 'admin' FOR UPDATE") as holder, server.connect() as watch:

        def both_wait() -> bool:
            row = watch.execute(waiting, [DATABASE]).fetchone()
            return bool(row and row[0] == 2)

        async def work() -> list[UserRoleFacts]:
            at_work = asyncio.create_task(both())
            await asyncio.to_thread(wait_until, both_wait, "both sessions waiting")
            await asyncio.to_thread(holder.rollback)
            return await at_work

        done = asyncio.run(work())

    assert sorted(each.last_admin is None for each in done) == [False, True]
    assert sorted(roles(server)[user] for user in ("a", "b")) == ["admin", "member"]


@contextlib.contextmanager
def holding(server: PostgresServer, statement: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server.dsn(DATABASE), password=server.password, application_name="holder") as session:
        session.execute(statement.encode())
        yield session


def test_a_row_that_somebody_changes_meanwhile_is_refused(server: PostgresServer, atom: Target) -> None:
    plan = planned(atom, "m", "viewer")
    execute(server, "UPDATE users SET role = 'guest' WHERE id = 'm'")
    seen = asyncio.run(set_role(atom, plan))
    assert seen.refused is not None
    assert seen.refused.reason.startswith("somebody else has just made ")
    execute(server, "DELETE FROM users WHERE id = 'm'")
    seen = asyncio.run(set_role(atom, plan))
    assert seen.refused is not None
    assert seen.refused.reason.endswith("was deleted meanwhile")


def test_who_has_locked_the_row_is_named_and_nothing_waits_long(server: PostgresServer, atom: Target) -> None:
    plan = planned(atom, "m", "viewer")
    with holding(server, "UPDATE users SET first_name = 'X' WHERE id = 'm'"), pytest.raises(TemporaryError) as raised:
        asyncio.run(set_role(atom, plan))
    assert "holder" in raised.value.what
    assert roles(server)["m"] == "member"


def test_a_trigger_that_swallows_or_bends_the_change_is_refused_and_one_that_raises_is_told(
    server: PostgresServer, atom: Target
) -> None:
    for body, told in (
        ("RETURN NULL;", "would have changed 0 rows"),
        ("NEW.role := 'guest'; RETURN NEW;", "would have changed the row to ('m', 'guest')"),
    ):
        execute(
            server,
            f"""CREATE OR REPLACE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} END$$;
                DROP TRIGGER IF EXISTS meddle ON users;
                CREATE TRIGGER meddle BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION meddle();""",
        )
        seen = changed(atom, "m", "viewer")
        assert seen.refused is not None
        assert told in seen.refused.reason
    body = "RAISE 'only the application may'; RETURN NEW;"
    execute(
        server,
        f"CREATE OR REPLACE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} END$$",
    )
    with pytest.raises(PermanentError, match="only the application may"):
        changed(atom, "m", "viewer")
    assert roles(server)["m"] == "member"


@pytest.mark.usefixtures("atom")
def test_a_role_with_the_least_rights_works_and_without_them_the_grants_are_named(server: PostgresServer) -> None:
    server.create_reader("clerk", server.password, grants=())
    try:
        at = target_of(server, DATABASE, "clerk", profile="atom")
        with pytest.raises(AccessDenied) as raised:
            planned(at, "m", "viewer")
        needed = [each.action for each in asyncio.run(reach(at))]
        columns = '"id", "email", "first_name", "last_name", "status", "is_active", "role"'
        assert needed == [
            f'GRANT SELECT ({columns}) ON public.users TO "clerk";',
            'GRANT UPDATE ("role", "updated_at") ON public.users TO "clerk";',
        ]
        assert raised.value.action == " ".join(needed)
        execute(server, needed[0])
        refused = planned(at, "m", "viewer").refused
        assert refused is not None
        assert refused.action == needed[1]
        execute(server, needed[1])
        assert asyncio.run(reach(at)) == ()
        assert changed(at, "m", "viewer").after.role == "viewer"  # type: ignore[union-attr]
        assert changed(at, "a", "viewer").after.role == "viewer"  # type: ignore[union-attr]
    finally:
        execute(server, "DROP OWNED BY clerk; DROP ROLE clerk")


def test_a_database_without_users_or_without_some_columns_is_told(server: PostgresServer, atom: Target) -> None:
    execute(server, "ALTER TABLE users DROP COLUMN last_name, DROP COLUMN updated_at")
    plan = planned(atom, "m", "viewer")
    assert "updated_at" not in plan.statements[0]
    assert {each.reason for each in asyncio.run(reach(atom))} == {
        "public.users has no column last_name",
        "public.users has no column updated_at",
    }
    execute(server, "ALTER TABLE users DROP COLUMN role")
    with pytest.raises(NotThere, match="has no column role"):
        planned(atom, "m", "viewer")
    execute(server, "DROP TABLE users")
    with pytest.raises(NotThere, match="there is no table users"):
        planned(atom, "m", "viewer")
