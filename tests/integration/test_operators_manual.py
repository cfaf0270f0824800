"""The roles and grants of docs/operators-manual.md are enough, and each role can do no other's work."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis as client

from atomops.backup.preflight import reach as reach_backup
from atomops.inventory import Target
from atomops.probes import postgres as postgres_probe
from atomops.probes import redis as redis_probe
from atomops.restore.planning import reach as reach_restore
from atomops.sandbox.redis import RedisServer
from atomops.scratch.postgres import PostgresServer
from atomops.vacuum.look import reach as reach_vacuum
from atomops.verdict import Unseen
from tests.nights import back_up

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "operators-manual.md").read_text(encoding="utf-8")
SCHEMA = (ROOT / "atomops" / "sandbox" / "schemas" / "guide.sql").read_text(encoding="utf-8")
PASSWORD = "as the superuser gave it"
ROLES = ("atom_reader", "atom_backup", "atom_operator")


@pytest.fixture
def atom(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """A server as the manual leaves it: the application's own database, and the three roles."""
    (statements,) = re.findall(r"```sql\n(.*?)```", MANUAL, re.DOTALL)
    with postgres.connect() as session:
        session.execute("CREATE ROLE atom")
        session.execute(statements)
        for role in ROLES:
            session.execute(f"ALTER ROLE {role} PASSWORD '{PASSWORD}'".encode())
    postgres.create_database("atom", SCHEMA)
    with postgres.connect("atom") as session:
        session.execute("ALTER DATABASE atom OWNER TO atom")
        session.execute(
            "DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT oid FROM pg_class WHERE relkind = 'r' AND"
            " relnamespace = 'public'::regnamespace LOOP EXECUTE format('ALTER TABLE %s OWNER TO atom', t);"
            " END LOOP; END $$"
        )
    yield postgres
    with postgres.connect() as session:
        session.execute("DROP DATABASE atom WITH (FORCE)")
        session.execute(f"DROP ROLE {', '.join(ROLES)}, atom".encode())


def production(server: PostgresServer, folder: Path) -> Target:
    """The inventory of the manual, at that server."""
    dsns = {role: server.dsn("atom", role) for role in ROLES}
    parts: dict[str, Any] = {
        "name": "production",
        "profile": "guide",
        "history": str(folder / "history"),
        "postgres": {"dsn": dsns["atom_reader"], "password": "env:X"},
        "backups": {"dsn": dsns["atom_backup"], "password": "env:X", "store": str(folder / "store")},
        "changes": {"dsn": dsns["atom_operator"], "password": "env:X"},
    }
    return Target.model_validate(parts, context={"read_secret": lambda _reference: PASSWORD})


def test_with_the_three_roles_nothing_is_missing(atom: PostgresServer, tmp_path: Path) -> None:
    target = production(atom, tmp_path)
    assert asyncio.run(reach_backup(target)) == ()
    (made,) = back_up(target)
    assert made.proof.result == "restored"
    assert asyncio.run(reach_restore(target)) == ()
    assert asyncio.run(reach_vacuum(target)) == ()
    facts = asyncio.run(postgres_probe.look(target))
    unseen = {field.name: getattr(facts, field.name) for field in fields(facts)}
    refused = {name: each.reason for name, each in unseen.items() if isinstance(each, Unseen)}
    assert not [name for name, reason in refused.items() if "permission" in reason or "grant" in reason], refused


def test_the_reading_role_changes_nothing(atom: PostgresServer) -> None:
    with (
        psycopg.connect(atom.dsn("atom", "atom_reader"), password=PASSWORD, autocommit=True) as session,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        session.execute("DELETE FROM agent_registry")


def test_the_account_of_the_manual_sees_all_that_is_judged_in_redis(redis: RedisServer) -> None:
    (line,) = re.findall(r"^ACL SETUSER (.*)$", MANUAL, re.MULTILINE)
    words = [word.replace("PASSWORD", "look only") for word in line.split(" ")]
    with client.Redis.from_url(redis.url, password=redis.password, decode_responses=True) as administrator:
        administrator.execute_command("ACL", "SETUSER", *words)
        try:
            parts = {
                "url": redis.url.replace("redis://", "redis://atomops@"),
                "password": "env:X",
                "queues": ["default"],
            }
            target = Target.model_validate(
                {"name": "production", "redis": parts}, context={"read_secret": lambda _reference: "look only"}
            )
            facts = asyncio.run(redis_probe.look(target))
        finally:
            administrator.execute_command("ACL", "DELUSER", "atomops")
    assert not [field.name for field in fields(facts) if isinstance(getattr(facts, field.name), Unseen)]
