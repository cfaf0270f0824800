"""Vacuums that come to nothing, on the servers that there are: each table is told, with why and what to do."""

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from atomops.errors import NotThere, PermanentError
from atomops.facts.vacuum import Status, VacuumFacts
from atomops.plans.vacuum import Options, Wish
from atomops.probes.parts import VACUUM
from atomops.scratch.postgres import PostgresServer
from atomops.vacuum import look
from atomops.verdict import Level
from tests.rounds import thoroughly
from tests.targets import findings
from tests.vacuums import PROFILE, THREE, by_table, locked, planned, role, target_of, undisturbed, vacuumed
from tests.waiting import wait_until

EVERY = pytest.mark.parametrize("postgres", thoroughly([13, 15, 17, 18], short=[13, 18]), indirect=True)
OLDEST_AND_NEWEST = pytest.mark.parametrize("postgres", [13, 18], indirect=True)  # what no version does otherwise

DATABASE = "vacuums"


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """Autovacuum is off, so that dead rows stay until we come."""
    with undisturbed(postgres, DATABASE):
        yield postgres


def level(seen: VacuumFacts, code: str) -> Level:
    return findings(VACUUM, seen)[code].level


@OLDEST_AND_NEWEST
def test_what_is_missing_is_named_with_what_was_meant_and_the_others_are_done(server: PostgresServer) -> None:
    seen = vacuumed(target_of(server, DATABASE), Wish(tables=("agent_executions", "old_episode", "episode", "xyz.abc")))
    found = by_table(seen)
    assert found["public.episode"].status is Status.DONE
    assert found["agent_executions"].action == "did you mean public.agent_execution?"
    assert found["old_episode"].action == "did you mean archive.old_episode?"
    assert found["xyz.abc"].status is Status.MISSING
    assert level(seen, "VACUUM-MISSING") is Level.WARNING
    assert level(seen, "VACUUM-DONE") is Level.OK


@EVERY
def test_what_cannot_be_vacuumed_is_refused_by_name(server: PostgresServer) -> None:
    seen = vacuumed(
        target_of(server, DATABASE), Wish(tables=("busy", "faraway", "episode_pkey", "archive.old_episode"))
    )
    reasons = {each.table: each.reason for each in seen.of(Status.REFUSED)}
    assert "a view" in reasons["busy"]
    assert "a foreign table" in reasons["faraway"]
    assert "an index" in reasons["episode_pkey"]
    assert by_table(seen)["archive.old_episode"].status is Status.DONE
    spread = by_table(vacuumed(target_of(server, DATABASE), Wish(tables=("spread",), options=Options(analyze=False))))
    assert spread["public.spread_near"].status is Status.DONE
    assert "foreign partition" in spread["public.spread_far"].reason


@EVERY
def test_a_locked_table_is_told_with_who_has_it_and_the_others_are_done(server: PostgresServer) -> None:
    for skip in (False, True):
        with locked(server, DATABASE, "LOCK TABLE episode IN ACCESS EXCLUSIVE MODE") as holder:
            pid = holder.info.backend_pid
            seen = vacuumed(
                target_of(server, DATABASE, changes={"lock_timeout": 0.3}), Wish(options=Options(skip_locked=skip))
            )
        found = by_table(seen)
        assert {found[name].status for name in (THREE[0], THREE[2])} == {Status.DONE}
        assert found["public.episode"].status is Status.LOCKED
        assert f"backend {pid} has AccessExclusiveLock (postgres, holder" in found["public.episode"].reason
        assert level(seen, "VACUUM-LOCKED") is Level.WARNING


@OLDEST_AND_NEWEST
def test_a_table_that_is_free_again_when_the_others_are_done_is_not_skipped(server: PostgresServer) -> None:
    with locked(server, DATABASE, "LOCK TABLE agent_execution") as holder:
        # It waits for its first lock time-out, then for the other two, and then it is free.
        release = threading.Thread(target=_rollback_after_timeout, args=(server, holder))
        release.start()
        seen = vacuumed(target_of(server, DATABASE, changes={"lock_timeout": 1}), Wish())
        release.join()
    assert {each.status for each in seen.outcomes} == {Status.DONE}


def _rollback_after_timeout(server: PostgresServer, holder: psycopg.Connection) -> None:
    """Somebody has waited for the lock, and does no more."""
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'agent_execution'::regclass"
    with server.connect(DATABASE) as session:
        wait_until(lambda: session.execute(waiting).fetchone() is not None, "waiting for the lock")
        wait_until(lambda: session.execute(waiting).fetchone() is None, "the lock time-out")
    holder.rollback()


@EVERY
def test_a_role_without_the_right_is_told_the_statement_that_gives_it_and_that_works(server: PostgresServer) -> None:
    with role(server, "vacuumer"):
        at = target_of(server, DATABASE, "vacuumer")
        denied = vacuumed(at, Wish())
        assert [each.status for each in denied.outcomes] == [Status.FORBIDDEN] * 3
        assert level(denied, "VACUUM-FORBIDDEN") is Level.WARNING
        assert level(denied, "VACUUM-DONE") is Level.CRITICAL
        with server.connect(DATABASE) as session:
            session.execute("ALTER TABLE episode OWNER TO vacuumer")
            for each in denied.outcomes[:1] if session.info.server_version >= 170_000 else ():
                session.execute(each.action.encode())
        seen = by_table(vacuumed(at, Wish()))
        assert seen["public.episode"].status is Status.DONE
        assert seen["public.episode_segment"].status is Status.FORBIDDEN
        if "MAINTAIN" in seen["public.episode_segment"].action:
            assert seen["public.agent_execution"].status is Status.DONE
        else:
            assert seen["public.episode_segment"].action == 'GRANT "postgres" TO "vacuumer";'
        with server.connect(DATABASE) as session:
            session.execute("ALTER TABLE episode OWNER TO postgres; DROP OWNED BY vacuumer")


@EVERY
def test_a_warning_of_the_server_alone_is_no_success(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a right is taken away between our look and the VACUUM: PostgreSQL warns, and calls it done."""
    monkeypatch.setattr(look, "_OWN", "true")
    monkeypatch.setattr(look, "_MAINTAIN", "true")
    with role(server, "unlucky"):
        seen = vacuumed(target_of(server, DATABASE, "unlucky"), Wish(tables=("episode",)))
    (outcome,) = seen.outcomes
    assert outcome.status is Status.FORBIDDEN
    assert "skipping it" in outcome.reason or "can vacuum it" in outcome.reason
    assert outcome.action.startswith("GRANT ")


@OLDEST_AND_NEWEST
def test_a_table_that_is_dropped_meanwhile_is_missing(server: PostgresServer) -> None:
    with server.connect(DATABASE) as session:
        session.execute("CREATE TABLE short_lived ()")

        def drop() -> None:
            session.execute("DROP TABLE short_lived")

        seen = vacuumed(target_of(server, DATABASE), Wish(tables=("short_lived",)), meanwhile=drop)
    assert by_table(seen)["public.short_lived"].status is Status.MISSING


@OLDEST_AND_NEWEST
def test_after_the_window_nothing_is_begun_and_what_runs_is_cancelled_when_its_grace_is_over(
    server: PostgresServer,
) -> None:
    none = vacuumed(target_of(server, DATABASE), Wish(within=0))
    assert {each.status for each in none.outcomes} == {Status.NOT_STARTED}
    assert level(none, "VACUUM-WINDOW") is Level.WARNING
    with server.connect(DATABASE) as session:
        session.execute(
            "CREATE TABLE IF NOT EXISTS slow AS SELECT repeat('x', 1000) AS a FROM generate_series(1, 20000)"
        )
        session.execute("DELETE FROM slow")
    wish = Wish(tables=("slow", "episode"), within=0.5, grace=0.7, cost_delay=100, cost_limit=1)
    seen = by_table(vacuumed(target_of(server, DATABASE), wish))
    assert seen["public.slow"].status is Status.CANCELLED
    assert "the window and its grace were over" in seen["public.slow"].reason
    assert seen["public.episode"].status is Status.NOT_STARTED


@OLDEST_AND_NEWEST
def test_nothing_is_vacuumed_where_no_table_is_named(server: PostgresServer, tmp_path: Path) -> None:
    with pytest.raises(NotThere, match="no profile's tables are in this database"):
        planned(target_of(server, "postgres", profile="auto"), Wish())
    (tmp_path / "profile.toml").write_text(PROFILE.replace("vacuum", "# vacuum"))
    with pytest.raises(NotThere, match="names no tables to vacuum"):
        planned(target_of(server, DATABASE, profile=str(tmp_path)), Wish())
    with pytest.raises(PermanentError, match="parallel"):
        planned(target_of(server, DATABASE), Wish(options=Options(full=True, parallel_workers=2)))
