"""Idle sessions of a real server ended, and everything else let alone, on the oldest and the newest."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from atomops.administration.terminating import TerminationPlan, plan_termination, reach, terminate
from atomops.facts.terminating import Fate, TerminationFacts
from atomops.inventory import Target
from atomops.plans.terminating import TerminationWish
from atomops.probes.parts import SESSIONS
from atomops.scratch.postgres import PostgresServer
from atomops.verdict import Finding, Level
from tests.postgres_servers import postgres_server
from tests.targets import findings
from tests.vacuums import target_of
from tests.waiting import wait_until

DATABASE = "sessions"
NOW = TerminationWish(idle_in_transaction=0, idle=0)


@pytest.fixture(scope="module", params=[13, 18])
def server(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[PostgresServer]:
    settings = {"max_prepared_transactions": "2"}
    with postgres_server(request.param, server_folder, settings=settings) as running:
        running.create_database(DATABASE, "CREATE TABLE tickets (id int)")
        running.create_database("elsewhere")
        running.create_reader("app", running.password, grants=())
        running.create_reader("watcher", running.password, grants=("pg_monitor",))
        running.create_reader("ender", running.password, grants=())
        with running.connect(DATABASE) as session:
            session.execute("GRANT ALL ON tickets TO app")
        yield running


@pytest.fixture
def at(server: PostgresServer) -> Target:
    return target_of(server, DATABASE, "postgres")


@contextlib.contextmanager
def client(
    server: PostgresServer, name: str, statement: str = "SELECT 1", role: str = "app", database: str = DATABASE
) -> Iterator[psycopg.Connection]:
    """A session that has executed the statement: idle in transaction, unless that ends one."""
    session = psycopg.connect(server.dsn(database, role), password=server.password, application_name=name)
    session.execute(statement.encode())
    yield session
    session.close()


@contextlib.contextmanager
def idle(
    server: PostgresServer, name: str, role: str = "app", database: str = DATABASE
) -> Iterator[psycopg.Connection]:
    with client(server, name, role=role, database=database) as session:
        session.rollback()
        yield session


def planned(at: Target, wish: TerminationWish = NOW) -> TerminationPlan:
    return asyncio.run(plan_termination(at, wish))


def ended(at: Target, plan: TerminationPlan) -> TerminationFacts:
    return plan.facts(asyncio.run(terminate(at, plan)), dry_run=False)


def judged(facts: TerminationFacts) -> dict[str, Finding]:
    return findings(SESSIONS, facts)


def fates(facts: TerminationFacts) -> dict[str, Fate]:
    return {each.session.application: each.fate for each in facts.outcomes}


def is_alive(session: psycopg.Connection) -> bool:
    try:
        session.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def test_idle_sessions_are_ended_and_only_those_that_may_be(server: PostgresServer, at: Target) -> None:
    with contextlib.ExitStack() as stack:
        holder = stack.enter_context(client(server, "holder", "LOCK TABLE tickets; SELECT 'hunter2'"))
        resting = stack.enter_context(idle(server, "resting"))
        kept = [
            stack.enter_context(idle(server, "atomops-something")),
            stack.enter_context(idle(server, "exporter", "watcher")),
            stack.enter_context(idle(server, "administrator", "postgres")),
            stack.enter_context(idle(server, "neighbour", database="elsewhere")),
        ]
        plan = planned(at)

        assert [each.application for each in plan.chosen.sessions] == ["holder", "resting"]
        first = plan.chosen.sessions[0]
        assert "tickets AccessExclusiveLock" in first.relations
        assert first.query == "LOCK TABLE tickets; SELECT '…'"
        assert dict(plan.chosen.left_out) == {
            "our own (atomops)": 1,
            "of superusers (superusers=true)": 1,
            "of monitoring, which has pg_monitor (monitoring=true)": 1,
        }
        shown = judged(plan.facts(plan.planned(), dry_run=True))["SESSIONS-RUN"]
        assert "dry run: 2 sessions" in shown.summary
        assert all(map(is_alive, [resting, *kept]))

        resting.rollback()
        seen = ended(at, planned(at))

        assert fates(seen) == {"holder": Fate.TERMINATED, "resting": Fate.TERMINATED}
        assert judged(seen)["SESSIONS-TERMINATED"].observed == 2
        assert not any(map(is_alive, (holder, resting)))
        assert all(map(is_alive, kept))


def test_one_that_went_back_to_work_or_is_another_by_now_is_spared(server: PostgresServer, at: Target) -> None:
    with (
        idle(server, "quick") as quick,
        client(server, "at work", "SELECT 1") as busy,
        idle(server, "reused") as reused,
        server.connect(DATABASE) as guard,
        ThreadPoolExecutor() as threads,
    ):
        guard.execute("SELECT pg_advisory_lock(7)")
        plan = planned(at)
        quick.execute("SELECT 1")
        quick.rollback()
        work = threads.submit(busy.execute, "SELECT pg_advisory_lock(7)")
        wait_until(lambda: waits(guard, busy.info.backend_pid), "the session to be at work")
        sessions = tuple(
            replace(each, backend_start=each.backend_start - dt.timedelta(seconds=1))
            if each.pid == reused.info.backend_pid
            else each
            for each in plan.chosen.sessions
        )
        seen = ended(at, replace(plan, chosen=replace(plan.chosen, sessions=sessions)))
        guard.execute("SELECT pg_advisory_unlock(7)")
        work.result()

        assert fates(seen) == {"quick": Fate.SPARED, "at work": Fate.SPARED, "reused": Fate.GONE}
        assert judged(seen)["SESSIONS-SPARED"].observed == 3
        assert all(map(is_alive, (quick, busy, reused)))


def waits(session: psycopg.Connection, pid: int) -> bool:
    row = session.execute("SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted", [pid]).fetchone()
    return bool(row and row[0])


def test_whom_it_blocks_comes_first_and_names_and_limits_choose(server: PostgresServer, at: Target) -> None:
    with contextlib.ExitStack() as stack:
        stack.enter_context(client(server, "web-1", "SELECT 1"))
        blocker = stack.enter_context(client(server, "web-2", "LOCK TABLE tickets"))
        stack.enter_context(client(server, "batch", "SELECT 1"))
        stack.enter_context(idle(server, "web-3"))
        waiting = stack.enter_context(psycopg.connect(server.dsn(DATABASE, "app"), password=server.password))
        threads, guard = stack.enter_context(ThreadPoolExecutor()), stack.enter_context(server.connect(DATABASE))
        work = threads.submit(waiting.execute, "SELECT count(*) FROM tickets")
        wait_until(lambda: waits(guard, waiting.info.backend_pid), "somebody to wait")

        plan = planned(at, replace(NOW, applications=("web-*",)))
        assert [each.application for each in plan.chosen.sessions] == ["web-2", "web-1", "web-3"]
        assert plan.chosen.sessions[0].blocks == (waiting.info.backend_pid,)
        one = planned(at, replace(NOW, applications=("web-*",), most=1))
        assert (len(one.chosen.sessions), one.chosen.more) == (1, 2)
        only = planned(at, replace(NOW, idle=None, users=("app",), idle_in_transaction=0))
        assert {each.application for each in only.chosen.sessions} == {"web-1", "web-2", "batch"}
        assert planned(at, replace(NOW, idle=3600, idle_in_transaction=300)).chosen.sessions == ()
        assert planned(at, replace(NOW, users=("nobody",))).chosen.sessions == ()

        seen = ended(at, one)
        work.result()
        assert judged(seen)["SESSIONS-TERMINATED"].summary == "1 session terminated; 1 session had waited"
        assert not is_alive(blocker)


def test_a_pool_and_prepared_transactions_are_told(server: PostgresServer, at: Target) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(idle(server, "pool"))
        with server.connect(DATABASE) as session:
            session.execute("BEGIN; INSERT INTO tickets VALUES (1); PREPARE TRANSACTION 'left over'")
        try:
            found = judged(planned(at).facts(planned(at).planned(), dry_run=True))
        finally:
            with server.connect(DATABASE) as session:
                session.execute("ROLLBACK PREPARED 'left over'")
        assert found["SESSIONS-POOLED"].level is Level.WARNING
        assert "will open them again" in found["SESSIONS-POOLED"].summary
        assert found["SESSIONS-PREPARED"].observed == 1
        assert "COMMIT PREPARED 'left over'" in found["SESSIONS-PREPARED"].action


def test_without_rights_nothing_is_called_fine_and_the_grants_are_named(server: PostgresServer) -> None:
    low = target_of(server, DATABASE, "ender")
    with idle(server, "resting") as resting:
        seen = ended(low, planned(low))
        assert seen.outcomes == ()
        found = judged(seen)
        assert found["SESSIONS-HIDDEN"].level is Level.UNKNOWN
        assert found["SESSIONS-HIDDEN"].action == 'GRANT pg_read_all_stats TO "ender";'
        needed = [each.action for each in asyncio.run(reach(low))]
        assert needed == ['GRANT pg_read_all_stats TO "ender";', 'GRANT pg_signal_backend TO "ender";']
        grant(server, needed[0])
        refused = ended(low, planned(low))
        assert fates(refused) == {"resting": Fate.FORBIDDEN}
        assert judged(refused)["SESSIONS-FORBIDDEN"].action == 'GRANT pg_signal_backend TO "ender";'
        assert is_alive(resting)
        resting.rollback()
        grant(server, needed[1])
        with idle(server, "administrator", "postgres"):
            every = ended(low, planned(low, replace(NOW, superusers=True)))
        assert fates(every) == {"resting": Fate.TERMINATED, "administrator": Fate.FORBIDDEN}


def grant(server: PostgresServer, statement: str) -> None:
    with server.connect() as session:
        session.execute(statement.encode())
