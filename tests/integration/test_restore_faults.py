"""Whatever goes wrong on the way, the live database is as it was, whole, and its application runs."""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from atomops.change.journal import unfinished
from atomops.change.lock import Busy, one_change_at_a_time
from atomops.errors import CommandFailed, PermanentError, TemporaryError
from atomops.facts.restore import DISCONNECT
from atomops.restore.recovery import finish_killed
from atomops.scratch.postgres import PostgresServer
from tests.postgres_servers import postgres_server
from tests.restore_counted import assert_as_it_was, assert_restored, counted, with_one_more
from tests.restores import Ground, flag_runtime
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow(50)

CLIENTS = 12


@pytest.fixture(scope="module")
def server(server_folder: Path) -> Iterator[PostgresServer]:
    """One of its own: its backends are stopped, and it knows prepared transactions."""
    settings = {"max_prepared_transactions": "5", "max_connections": "60"}
    with postgres_server(17, server_folder, settings=settings) as running:
        yield running


@pytest.fixture(scope="module")
def made(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return counted(server, "faults", tmp_path_factory.mktemp("faults"))


@pytest.fixture
def at(made: Ground) -> Iterator[Ground]:
    with with_one_more(made):
        yield made


def test_a_stop_that_fails_changes_nothing(at: Ground) -> None:
    stuck = at.but(runtime=flag_runtime(at.folder, stop="echo it is stuck >&2; exit 7"))
    with pytest.raises(CommandFailed, match="it is stuck"):
        stuck.restore()
    assert_as_it_was(at)


def test_an_application_that_does_not_start_again_is_told_and_the_next_restore_starts_it(at: Ground) -> None:
    broken = at.but(runtime=flag_runtime(at.folder, start="echo no licence >&2; exit 1"))
    facts = broken.restore()
    assert facts.exchange is not None
    assert facts.exchange.problem is not None
    assert "no licence" in facts.exchange.problem.reason
    assert not at.runs
    left = unfinished(at.target)
    assert left is not None
    assert left.before is not None

    (told, *_) = asyncio.run(finish_killed(at.target))

    assert "was finished" in told
    assert_restored(at)


def test_an_application_that_starts_neither_before_nor_after_a_failed_exchange_is_told_with_both(at: Ground) -> None:
    broken = at.but(runtime=flag_runtime(at.folder, start="echo no licence >&2; exit 1"))
    with prepared_transaction_after_the_plan(at), pytest.raises(PermanentError) as both:
        broken.restore()
    assert "sessions of faults did not end" in str(both.value)
    assert "and then the application did not start again" in str(both.value)
    assert "no licence" in str(both.value)
    assert str(both.value).endswith("atomops resume")
    assert unfinished(at.target) is not None
    at.restore()
    assert_restored(at)


@contextlib.contextmanager
def prepared_transaction_after_the_plan(at: Ground) -> Iterator[None]:
    """Made as soon as the copy is there, so that no plan could know of it."""

    def prepare() -> None:
        wait_until(lambda: any("incoming" in name for name in at.ours()), "the copy")
        with at.server.connect("faults") as session:
            session.execute("BEGIN")
            session.execute("INSERT INTO t VALUES (200)")
            session.execute("PREPARE TRANSACTION 'in doubt'")

    preparing = threading.Thread(target=prepare)
    preparing.start()
    try:
        yield
    finally:
        preparing.join()
        at.execute("ROLLBACK PREPARED 'in doubt'")


def test_a_prepared_transaction_is_an_obstacle_and_one_made_later_lets_everything_be_as_it_was(at: Ground) -> None:
    with prepared_transaction_after_the_plan(at):
        with pytest.raises(TemporaryError, match=r"did not end: .* 1 prepared transaction"):
            at.restore()
        assert_as_it_was(at)
        (told,) = at.restore().obstacles
        assert (told.thing, told.remedy) == (
            "the prepared transaction in doubt",
            "COMMIT PREPARED 'in doubt', or ROLLBACK PREPARED 'in doubt'",
        )


def test_a_backend_that_does_not_react_lets_everything_be_as_it_was(at: Ground) -> None:
    with at.server.connect("faults") as session:
        pid = session.info.backend_pid

        def react_when_it_is_over() -> None:  # until then, not even another database can be dropped
            wait_until(lambda: unfinished(at.target) is not None, "the exchange")
            wait_until(lambda: unfinished(at.target) is None, "its end")
            os.kill(pid, signal.SIGCONT)

        reacting = threading.Thread(target=react_when_it_is_over)
        os.kill(pid, signal.SIGSTOP)
        reacting.start()
        with pytest.raises(TemporaryError, match=r"sessions of faults did not end: .*1 other session"):
            at.restore(quiesce=DISCONNECT)
        reacting.join()
    assert_as_it_was(at)


def test_a_long_statement_and_an_idle_transaction_are_ended_and_named(at: Ground) -> None:
    def sleep() -> None:
        with contextlib.suppress(psycopg.Error), at.server.connect("faults") as session:
            session.execute("SET application_name TO 'a long report'")
            session.execute("SELECT pg_sleep(600)")

    asleep = threading.Thread(target=sleep)
    asleep.start()
    wait_until(
        lambda: "a long report" in at.rows("SELECT application_name FROM pg_stat_activity"), "the report's session"
    )
    with contextlib.suppress(psycopg.OperationalError), at.server.connect("faults") as idle:
        idle.execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        facts = at.restore()
    asleep.join(PATIENCE)
    assert not asleep.is_alive()
    assert facts.exchange is not None
    assert "a long report (postgres from 127.0.0.1)" in facts.exchange.ended_sessions
    assert_restored(at)


def test_sessions_that_come_back_at_once_do_not_keep_it_from_being_exchanged(at: Ground) -> None:
    with at.server.connect() as session:
        session.execute("DROP ROLE IF EXISTS insisting")
        session.execute(f"CREATE ROLE insisting LOGIN PASSWORD '{at.server.password}'".encode())
        session.execute("GRANT CONNECT ON DATABASE faults TO insisting")
    over, sessions = threading.Event(), list[int]()

    def insist(user: str) -> None:
        while not over.is_set():
            with contextlib.suppress(psycopg.Error):  # noqa: SIM117 - an error of the connection as well
                with psycopg.connect(at.server.dsn("faults", user), password=at.server.password) as session:
                    session.execute("SELECT pg_sleep(0.01)")
                    sessions.append(session.info.backend_pid)

    clients = [threading.Thread(target=insist, args=[user]) for user in ("postgres", "insisting") * (CLIENTS // 2)]
    for client in clients:
        client.start()
    try:
        facts = at.restore(quiesce=DISCONNECT)
        number = len(sessions)
        wait_until(lambda: len(sessions) > number + CLIENTS, "sessions on the new database")
    finally:
        over.set()
        for client in clients:
            client.join(PATIENCE)
    assert facts.exchange is not None
    assert_restored(at)


def test_who_changes_the_target_already_is_named(at: Ground) -> None:
    async def two() -> None:
        async with one_change_at_a_time(at.target, "nightly-backup"):
            await asyncio.to_thread(at.restore)

    with pytest.raises(Busy, match=r"restore-database cannot begin: test is being changed by atomops nightly-backup"):
        asyncio.run(two())
    assert_as_it_was(at)
