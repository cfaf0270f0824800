"""Vacuums beside others at work: autovacuum, prepared transactions, slots, and a server that goes away."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from atomops.errors import PermanentError
from atomops.facts.vacuum import Status
from atomops.plans.vacuum import Options, Wish
from atomops.probes.parts import VACUUM
from atomops.scratch.place import reachable
from atomops.scratch.postgres import PostgresServer, _start
from atomops.vacuum.plan import plan_vacuum
from atomops.vacuum.watch import watching
from atomops.vacuum.work import Work
from tests import servers
from tests.postgres_servers import postgres_server
from tests.targets import findings
from tests.vacuums import by_table, delete_some, planned, role, target_of, vacuumed, with_dead_rows
from tests.waiting import PATIENCE, wait_until

DATABASE = "beside"
SETTINGS = {"max_prepared_transactions": "2", "autovacuum_naptime": "1s", "autovacuum_vacuum_cost_delay": "100ms"}
SETTINGS |= {"autovacuum_vacuum_cost_limit": "1", "log_autovacuum_min_duration": "0"}


@pytest.fixture(scope="module")
def server(server_folder: Path) -> Iterator[PostgresServer]:
    """Autovacuum comes at once, and takes for ever; only to the table that allows it."""
    with ExitStack() as stack:
        running = stack.enter_context(postgres_server(17, server_folder, settings=SETTINGS))
        names = ("agent_execution", "episode", "episode_segment")
        running.create_database(DATABASE, "".join(map(with_dead_rows, names)))
        with running.connect(DATABASE) as session:
            for name in names:
                session.execute(f"ALTER TABLE {name} SET (autovacuum_enabled = false)".encode())
        yield running


def test_a_prepared_transaction_that_holds_rows_back_or_locks_a_table_is_named(server: PostgresServer) -> None:
    with server.connect(DATABASE) as session:
        session.execute(
            "BEGIN; LOCK TABLE episode_segment; INSERT INTO agent_execution VALUES (-1); PREPARE TRANSACTION 'left'"
        )
        try:
            delete_some(server, DATABASE, "episode", 20)
            seen = vacuumed(target_of(server, DATABASE), Wish(tables=("episode", "episode_segment")))
        finally:
            session.execute("ROLLBACK PREPARED 'left'")
    found = findings(VACUUM, seen)
    assert "prepared transaction 'left' (postgres) still needs them" in found["VACUUM-HELD-BACK"].summary
    assert "ROLLBACK PREPARED 'left';" in found["VACUUM-HELD-BACK"].action
    assert by_table(seen)["public.episode_segment"].status is Status.LOCKED
    assert "the prepared transaction 'left' has AccessExclusiveLock" in found["VACUUM-LOCKED"].summary


def test_a_table_is_left_to_the_autovacuum_that_is_at_work_on_it(server: PostgresServer) -> None:
    with server.connect(DATABASE) as session:
        session.execute("CREATE TABLE busy AS SELECT repeat('x', 900) AS a FROM generate_series(1, 4000)")
        session.execute("DELETE FROM busy")
        working = "SELECT 1 FROM pg_stat_progress_vacuum WHERE relid = 'busy'::regclass"
        wait_until(lambda: session.execute(working).fetchone() is not None, "autovacuum")
        seen = vacuumed(target_of(server, DATABASE), Wish(tables=("busy", "episode")))
        frozen = vacuumed(
            target_of(server, DATABASE, changes={"lock_timeout": 10}),
            Wish(tables=("busy",), options=Options(freeze=True)),
        )
        session.execute("DROP TABLE busy")
    assert by_table(seen)["public.busy"].status is Status.LEFT
    assert "autovacuum worker that does it already" in by_table(seen)["public.busy"].reason
    assert by_table(seen)["public.episode"].status is Status.DONE
    assert findings(VACUUM, seen)["VACUUM-AUTOVACUUM"].observed == 1
    assert by_table(frozen)["public.busy"].status is Status.DONE  # which ends the worker


def test_an_autovacuum_that_only_analyses_is_no_reason_to_leave_the_table_to_it(server: PostgresServer) -> None:
    only = "autovacuum_vacuum_threshold = 1000000000, autovacuum_vacuum_insert_threshold = -1"
    with server.connect(DATABASE) as session:
        session.execute(f"CREATE TABLE analysed (a text) WITH ({only}, autovacuum_analyze_threshold = 0)".encode())
        session.execute("INSERT INTO analysed SELECT repeat('x', 900) FROM generate_series(1, 4000)")
        working = "SELECT 1 FROM pg_stat_progress_analyze WHERE relid = 'analysed'::regclass"
        wait_until(lambda: session.execute(working).fetchone() is not None, "autovacuum")
        seen = vacuumed(target_of(server, DATABASE, changes={"lock_timeout": 20}), Wish(tables=("analysed",)))
        session.execute("DROP TABLE analysed")
    assert by_table(seen)["public.analysed"].status is Status.DONE


def test_it_shows_how_far_it_is_and_cancelled_it_leaves_nothing_at_work(server: PostgresServer) -> None:
    async def cancelled_half_way() -> float:
        plan = await plan_vacuum(target_of(server, DATABASE), Wish(tables=("slow",), cost_delay=20, cost_limit=20))
        async with watching(plan.watcher) as watch:
            work = Work(plan, watch, lambda _outcome: None)
            running = asyncio.create_task(work.run())
            async with asyncio.timeout(PATIENCE):
                while not 0 < (part := await work.progress()) < 1:  # noqa: ASYNC110 - the server has to be asked
                    await asyncio.sleep(0.05)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            return part

    with slow_table(server) as session:
        assert 0 < asyncio.run(cancelled_half_way()) < 1
        ours = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'atomops vacuum-tables%'"
        wait_until(lambda: session.execute(ours).fetchone() is None, "the end of its session")


def test_a_vacuum_whose_backend_is_ended_has_failed_and_the_next_table_is_done(server: PostgresServer) -> None:
    with slow_table(server):
        ended = threading.Thread(target=_end_the_vacuum, args=(server,))
        ended.start()
        wish = Wish(tables=("slow", "episode"), cost_delay=100, cost_limit=50)
        seen = vacuumed(target_of(server, DATABASE), wish)
        ended.join()
    assert by_table(seen)["public.slow"].status is Status.FAILED
    assert "the server ended the session that vacuumed public.slow" in by_table(seen)["public.slow"].reason
    assert by_table(seen)["public.episode"].status is Status.DONE


@contextmanager
def slow_table(server: PostgresServer) -> Iterator[psycopg.Connection]:
    """500 pages of dead rows, which autovacuum leaves alone."""
    with server.connect(DATABASE) as session:
        session.execute("CREATE TABLE slow (a text) WITH (autovacuum_enabled = false)")
        session.execute("INSERT INTO slow SELECT repeat('x', 900) FROM generate_series(1, 4000)")
        session.execute("DELETE FROM slow")
        try:
            yield session
        finally:
            session.execute("DROP TABLE slow")


def _end_the_vacuum(server: PostgresServer) -> None:
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_progress_vacuum WHERE relid = 'slow'::regclass"
    with server.connect(DATABASE) as session:
        wait_until(lambda: session.execute(end).fetchone() is not None, "the VACUUM")


def test_the_disk_that_full_would_fill_is_unknown_to_a_role_that_may_not_see_it(server: PostgresServer) -> None:
    with role(server, "owns_it"), server.connect(DATABASE) as session:
        session.execute("ALTER TABLE episode OWNER TO owns_it")
        seen = planned(target_of(server, DATABASE, "owns_it"), Wish(tables=("episode",), options=Options(full=True)))
        session.execute("ALTER TABLE episode OWNER TO postgres")
    told = findings(VACUUM, seen)["VACUUM-FULL"]
    assert told.level == "UNKNOWN"
    assert told.action == 'GRANT pg_read_all_settings TO "owns_it";'


def test_a_server_that_is_gone_is_told_once_and_no_further_table_is_tried(server: PostgresServer) -> None:
    """The last test: nothing answers any more."""
    at = target_of(server, DATABASE)
    seen = vacuumed(at, Wish(tables=("episode", "episode_segment")), meanwhile=server.stop)
    assert [each.status for each in seen.outcomes] == [Status.NOT_STARTED] * 2
    assert all("refuses the connection" in each.reason for each in seen.outcomes)


def test_on_a_standby_nothing_can_be_vacuumed(server_folder: Path) -> None:
    with postgres_server(17, server_folder) as primary:
        primary.stop()
        (primary.data / "standby.signal").touch()
        home = reachable(servers.postgres_installation(17), server_folder)
        standby = _start(home, primary.data, primary.superuser, primary.password, {})
        try:
            with pytest.raises(PermanentError, match="is a standby, where nothing can be vacuumed"):
                planned(target_of(standby, "postgres"), Wish(tables=("a",)))
        finally:
            standby.stop()
