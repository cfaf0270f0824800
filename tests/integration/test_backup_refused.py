"""What keeps a backup from being made at all is found out before anything is written, and names its remedy."""

import asyncio
import re
import stat
from pathlib import Path

import psycopg
import pytest

from atomops.backup.preflight import Obstructed, plan_backup
from atomops.change.lock import Busy, one_change_at_a_time
from atomops.errors import AccessDenied, NotThere
from atomops.inventory import Target
from atomops.scratch.postgres import PostgresServer
from tests.nights import back_up, backups_at
from tests.targets import target
from tests.waiting import PATIENCE

SCRIPT = """
CREATE SCHEMA closed; CREATE TABLE closed.hidden (a int);
CREATE TABLE seen (a int); CREATE TABLE "un seen" (a int); CREATE SEQUENCE numbers;
CREATE TABLE guarded (a int); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
INSERT INTO guarded VALUES (1);
SELECT lo_create(0);
"""
PASSWORD = "not to be seen"


@pytest.fixture(scope="module")
def half_open(postgres: PostgresServer) -> PostgresServer:
    """A database of which the role `dumper` may read but a part."""
    postgres.create_database("half_open", SCRIPT)
    postgres.create_reader("half_reader", PASSWORD, grants=())
    with postgres.connect("half_open") as session:
        session.execute("GRANT SELECT ON seen, guarded TO half_reader")
    return postgres


def as_half_reader(
    server: PostgresServer, store: Path, password: str = PASSWORD, database: str = "half_open"
) -> Target:
    postgres = {"dsn": server.dsn(database, "half_reader"), "password": "env:X"}
    return target(password, postgres=postgres, backups={"store": str(store)})


def test_every_missing_grant_is_named_with_its_statement_and_nothing_is_written(
    half_open: PostgresServer, tmp_path: Path
) -> None:
    with pytest.raises(Obstructed) as refusal:
        back_up(as_half_reader(half_open, tmp_path / "store"))
    remedies = {each.remedy for each in refusal.value.obstacles}
    assert remedies >= {
        "GRANT USAGE ON SCHEMA closed TO half_reader;",
        "GRANT SELECT ON TABLE closed.hidden TO half_reader;",
        'GRANT SELECT ON TABLE public."un seen" TO half_reader;',
        "GRANT SELECT ON SEQUENCE public.numbers TO half_reader;",
        "ALTER ROLE half_reader BYPASSRLS;",
    }
    assert any(remedy.startswith("GRANT SELECT ON LARGE OBJECT") for remedy in remedies)
    assert "public.seen" not in str(refusal.value.obstacles)
    assert not list((tmp_path / "store").rglob("*"))


def test_the_statements_that_were_named_are_all_that_is_needed(half_open: PostgresServer, tmp_path: Path) -> None:
    at = as_half_reader(half_open, tmp_path / "store")
    with pytest.raises(Obstructed) as refusal:
        back_up(at)
    with half_open.connect("half_open") as session:
        for each in refusal.value.obstacles:
            session.execute(each.remedy.encode())
    try:
        [made] = back_up(at)
        assert made.proof.sentence == "restored, 4 tables, 1 row equal"
        assert any("large objects were only counted" in note for note in made.proof.notes)
    finally:
        with half_open.connect("half_open") as session:
            session.execute('REVOKE ALL ON closed.hidden, "un seen", numbers FROM half_reader')
            session.execute("REVOKE USAGE ON SCHEMA closed FROM half_reader")
            session.execute("ALTER ROLE half_reader NOBYPASSRLS")
            session.execute("SELECT lo_unlink(oid), lo_create(0) FROM pg_largeobject_metadata")


@pytest.mark.parametrize(
    ("password", "database", "error"),
    [
        ("wrong password", "half_open", AccessDenied("refuses the password")),
        (
            PASSWORD,
            "nowhere",
            NotThere("no database is called nowhere: check backups.databases; there are .*half_open"),
        ),
    ],
)
def test_a_wrong_password_and_a_missing_database_are_told_as_such(
    half_open: PostgresServer, tmp_path: Path, password: str, database: str, error: Exception
) -> None:
    with pytest.raises(type(error), match=str(error)) as refusal:
        back_up(as_half_reader(half_open, tmp_path / "store", password, database))
    assert password not in str(refusal.value)
    assert not (tmp_path / "store").exists()


def test_a_client_older_than_the_server_is_refused_by_its_version_and_folder(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    old = tmp_path / "bin"
    old.mkdir()
    for name in ("pg_dump", "pg_restore"):
        (old / name).write_text(f'#!/bin/sh\necho "{name} (PostgreSQL) 15.3"\n')
        (old / name).chmod(stat.S_IRWXU)
    at = backups_at(postgres, "postgres", tmp_path / "store", postgres_bin=str(old))
    with pytest.raises(NotThere) as refusal:
        asyncio.run(plan_backup(at))
    assert "pg_dump is older than the server, which is PostgreSQL 17: 15.3 in" in str(refusal.value)
    assert str(old) in str(refusal.value)
    assert "postgresql-client-17" in refusal.value.action


def test_a_folder_without_programs_is_named(postgres: PostgresServer, tmp_path: Path) -> None:
    at = backups_at(postgres, "postgres", tmp_path / "store", postgres_bin=str(tmp_path))
    with pytest.raises(NotThere, match=f"there is no pg_dump in {tmp_path}"):
        asyncio.run(plan_backup(at))


def test_the_second_of_two_is_told_who_holds_the_lock_and_since_when(postgres: PostgresServer, tmp_path: Path) -> None:
    at = backups_at(postgres, "postgres", tmp_path / "store")

    async def two() -> None:
        async with one_change_at_a_time(at, "nightly-backup"):
            with pytest.raises(Busy) as refusal:
                async with one_change_at_a_time(at, "backups prune"):
                    pass
        assert re.search(
            r"backups prune cannot begin: test is being changed by atomops nightly-backup on .* pid \d+ "
            r"\(backend \d+, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)",
            str(refusal.value),
        )
        async with one_change_at_a_time(at, "backups prune"):  # given back with the first one's session
            pass

    asyncio.run(two())


def test_a_patient_second_begins_when_the_first_has_ended_and_says_whom_it_waits_for(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    at = backups_at(postgres, "postgres", tmp_path / "store")
    waits, order = asyncio.Event(), []

    def waiting(busy: Busy) -> None:
        order.append(str(busy))
        waits.set()

    async def second() -> None:
        async with one_change_at_a_time(at, "nightly-backup", patience=60, waiting=waiting):
            order.append("second")

    async def both() -> None:
        async with one_change_at_a_time(at, "restore-drill"):
            begun = asyncio.create_task(second())
            await asyncio.wait_for(waits.wait(), PATIENCE)
            order.append("first has ended")
        await begun

    asyncio.run(both())
    assert "test is being changed by atomops restore-drill" in order[0]
    assert order[-2:] == ["first has ended", "second"]


def test_the_lock_outlives_the_servers_patience_with_idle_sessions(postgres: PostgresServer, tmp_path: Path) -> None:
    with postgres.connect() as session:
        session.execute("ALTER SYSTEM SET idle_session_timeout = '300ms'")
        session.execute("SELECT pg_reload_conf()")
    try:

        async def held() -> None:
            async with one_change_at_a_time(backups_at(postgres, "postgres", tmp_path), "nightly-backup") as lock:
                await asyncio.sleep(1)
                await lock.check()

        asyncio.run(held())
    finally:
        with psycopg.connect(postgres.dsn(), password=postgres.password, autocommit=True) as session:
            session.execute("ALTER SYSTEM RESET idle_session_timeout")
            session.execute("SELECT pg_reload_conf()")
