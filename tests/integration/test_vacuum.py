"""Vacuums on the servers that there are: what is done, in which words, and what it brings."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from atomops.facts.vacuum import Status, VacuumFacts
from atomops.plans.vacuum import Options, Wish
from atomops.probes.parts import VACUUM
from atomops.scratch.postgres import PostgresServer
from atomops.verdict import Level
from tests.rounds import thoroughly
from tests.targets import findings
from tests.vacuums import (
    STRANGE,
    THREE,
    by_table,
    delete_some,
    locked,
    planned,
    read_by,
    role,
    target_of,
    undisturbed,
    vacuumed,
)
from tests.waiting import wait_until

pytestmark = pytest.mark.parametrize("postgres", thoroughly([13, 15, 17, 18], short=[13, 18]), indirect=True)

DATABASE = "vacuums"


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """Autovacuum is off, so that dead rows stay until we come."""
    with undisturbed(postgres, DATABASE):
        yield postgres


def level(seen: VacuumFacts, code: str) -> Level:
    return findings(VACUUM, seen)[code].level


def test_the_profiles_three_tables_are_vacuumed_and_analysed_and_that_shows(server: PostgresServer) -> None:
    seen = vacuumed(target_of(server, DATABASE), Wish(jobs=2))

    assert {each.table: each.status for each in seen.outcomes} == dict.fromkeys(THREE, Status.DONE)
    for each in seen.outcomes:
        assert each.after is not None
        assert (each.after.live_rows, each.after.dead_rows) == (500, 0)
        assert each.after.since_vacuum is not None
        assert each.after.since_analyze is not None
    assert {each.level for each in findings(VACUUM, seen).values()} == {Level.OK}


def test_every_option_is_taken_by_this_version(server: PostgresServer) -> None:
    every = Options(freeze=True, index_cleanup="off", truncate="off", skip_locked=True, parallel_workers=1)
    careful = Wish(options=every, cost_delay=1, cost_limit=2000, tables=("episode",))
    for wish in (
        careful,
        replace(careful, options=Options(full=True)),
        replace(careful, options=Options(analyze=False)),
    ):
        seen = vacuumed(target_of(server, DATABASE), wish)
        assert by_table(seen)["public.episode"].status is Status.DONE, seen.outcomes
    full = vacuumed(target_of(server, DATABASE), Wish(options=Options(full=True, analyze=False), tables=("episode",)))
    (outcome,) = full.outcomes
    assert outcome.after is not None
    assert outcome.after.dead_rows is None  # FULL counts nothing
    assert full.costs[0].bytes > 0
    assert isinstance(full.costs[0].available, float | int)  # this machine's own disk


def test_a_name_of_any_kind_is_quoted(server: PostgresServer) -> None:
    seen = vacuumed(target_of(server, DATABASE), Wish(tables=(STRANGE,)))
    (outcome,) = seen.outcomes
    assert outcome.status is Status.DONE
    assert outcome.statement == 'VACUUM (ANALYZE) "public"."Od""d ta.ble"'
    robbed = vacuumed(target_of(server, DATABASE), Wish(tables=('episode"; DROP TABLE episode; --',)))
    assert robbed.outcomes[0].status is Status.MISSING


def test_partitions_are_vacuumed_one_by_one_and_the_whole_is_analysed(server: PostgresServer) -> None:
    seen = vacuumed(target_of(server, DATABASE), Wish(tables=("part",), jobs=2))

    found = by_table(seen)
    assert {name: each.status for name, each in found.items()} == {
        "public.part_1": Status.DONE,
        "public.part_2a": Status.DONE,
        "public.part": Status.DONE,
    }
    with server.connect(DATABASE) as session:
        analysed = session.execute("SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'public'").fetchall()
    assert {"part", "part_1", "part_2a"} <= {str(row[0]) for row in analysed}


def test_the_owner_of_the_database_may_vacuum_everything_in_it(server: PostgresServer) -> None:
    with role(server, "owner_of_all"), server.connect() as session:
        session.execute(f"ALTER DATABASE {DATABASE} OWNER TO owner_of_all")
        seen = vacuumed(target_of(server, DATABASE, "owner_of_all"), Wish())
        session.execute(f"ALTER DATABASE {DATABASE} OWNER TO postgres")
    assert {each.status for each in seen.outcomes} == {Status.DONE}


def test_an_old_transaction_that_holds_dead_rows_back_is_named(server: PostgresServer) -> None:
    with locked(server, DATABASE, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1") as holder:
        delete_some(server, DATABASE, "episode", 100)
        pid = holder.info.backend_pid
        seen = vacuumed(target_of(server, DATABASE), Wish(tables=("episode",)))
    (outcome,) = seen.outcomes
    assert outcome.after is not None
    assert outcome.after.dead_rows == 100
    assert isinstance(outcome.held_by, tuple)
    assert outcome.held_by[0].name == f"of backend {pid}"
    told = findings(VACUUM, seen)["VACUUM-HELD-BACK"]
    assert told.observed == 100
    assert f"session of backend {pid} (postgres, holder, idle in transaction" in told.summary
    assert f"pg_terminate_backend({pid})" in told.action
    again = vacuumed(target_of(server, DATABASE), Wish(tables=("episode",)))
    assert again.outcomes[0].after is not None
    assert again.outcomes[0].after.dead_rows == 0


def test_without_pg_monitor_who_holds_rows_back_is_unknown_not_nobody(server: PostgresServer) -> None:
    with role(server, "half_blind"):
        blind = read_by(target_of(server, DATABASE), server.dsn(DATABASE, "half_blind"))
        found = findings(VACUUM, planned(blind, Wish(tables=("episode",))))
    assert found["VACUUM-HELD-BACK"].level is Level.UNKNOWN
    assert found["VACUUM-HELD-BACK"].action == 'GRANT pg_monitor TO "half_blind";'


def test_tables_are_chosen_by_what_they_need(server: PostgresServer) -> None:
    at = target_of(server, DATABASE)
    vacuumed(at, Wish())
    delete_some(server, DATABASE, "episode_segment", 300)
    delete_some(server, DATABASE, "agent_execution", 50)
    wish = Wish(choose="dead-tuples", min_dead_rows=40, min_dead_percent=1)
    wait_until(lambda: len(planned(at, wish).outcomes) == 2, "the server's statistics")  # before 15 they come later
    assert [each.table for each in planned(at, wish).outcomes] == ["public.episode_segment", "public.agent_execution"]
    assert len(planned(at, replace(wish, most_tables=1)).outcomes) == 1
    assert planned(at, Wish(choose="age", min_age=2**31)).outcomes == ()
    assert len(planned(at, Wish(choose="age", min_age=0, tables=("episode", "part"))).outcomes) == 3
    with server.connect(DATABASE) as session:
        session.execute("CREATE TABLE untouched AS SELECT 1 AS a")
    assert "public.untouched" in by_table(planned(at, Wish(choose="never-analysed")))
    assert "public.untouched" in by_table(planned(at, Wish(choose="never-vacuumed")))
