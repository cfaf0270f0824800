"""What a server logs of slow statements, changed and taken back on real servers, the oldest and the newest."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atomops.administration.remembered import path, remember, remembered
from atomops.administration.tuning import TuningPlan, plan_tuning, reach, tune
from atomops.doctor import unseen_in
from atomops.errors import PermanentError
from atomops.facts.tuning import TuningFacts
from atomops.inventory import Target
from atomops.plans.indexing import candidates
from atomops.plans.slow_log import PARAMETER, TuningWish
from atomops.probes.parts import TUNING
from atomops.scratch.postgres import PostgresServer
from atomops.verdict import Finding, Level, Unseen
from tests.postgres_servers import postgres_server
from tests.targets import findings
from tests.vacuums import target_of
from tests.waiting import wait_until

DATABASE = "tuned"
FILLED = """
CREATE EXTENSION pg_stat_statements;
CREATE TABLE tickets (id int PRIMARY KEY, owner text, closed boolean, body text);
INSERT INTO tickets SELECT n, 'owner ' || n, n % 2 = 0, repeat('x', 200) FROM generate_series(1, 20000) AS n;
ANALYZE tickets;
"""
ASKED = "SELECT count(*) FROM tickets WHERE owner = 'owner 7' AND NOT closed"


@pytest.fixture(scope="module", params=[13, 18])
def server(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[PostgresServer]:
    settings = {"shared_preload_libraries": "pg_stat_statements"}
    with postgres_server(request.param, server_folder, settings=settings) as running:
        running.create_database(DATABASE, FILLED)
        yield running


@pytest.fixture
def at(server: PostgresServer, tmp_path: Path) -> Iterator[Target]:
    yield target_of(server, DATABASE, "postgres", history=str(tmp_path))
    execute(server, f"ALTER SYSTEM RESET {PARAMETER}")
    execute(server, f"ALTER DATABASE {DATABASE} RESET {PARAMETER}")
    execute(server, "SELECT pg_reload_conf()")


def execute(server: PostgresServer, statement: str) -> list[Any]:
    with server.connect(DATABASE) as session:
        cursor = session.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def planned(at: Target, ms: int | None = None, **wish: Any) -> TuningPlan:  # noqa: ANN401 - as the wish is
    return asyncio.run(plan_tuning(at, TuningWish(ms, **wish), "a run"))


def tuned(at: Target, ms: int | None = None, **wish: Any) -> TuningFacts:  # noqa: ANN401 - as the wish is
    return asyncio.run(tune(at, planned(at, ms, **wish)))


def judged(facts: TuningFacts) -> dict[str, Finding]:
    return findings(TUNING, facts)


def entry(server: PostgresServer) -> list[Any]:
    """What postgresql.auto.conf itself says."""
    lines = (server.data / "postgresql.auto.conf").read_text().splitlines()
    return [line for line in lines if line.startswith(PARAMETER)]


def test_slow_statements_are_logged_read_back_and_it_goes_back_to_no_entry(server: PostgresServer, at: Target) -> None:
    plan = planned(at, 1000)
    assert plan.step is not None
    assert plan.step.statements == (f"ALTER SYSTEM SET {PARAMETER} = '1000'", "SELECT pg_reload_conf()")
    assert entry(server) == []

    seen = asyncio.run(tune(at, plan))

    assert seen.confirmed
    assert seen.after is not None
    assert (seen.after.setting.value, seen.after.setting.source) == ("1000", "configuration file")
    assert judged(seen)["TUNE-DONE"].level is Level.OK
    assert tuned(at, 500).confirmed
    assert tuned(at, 500).plan == ()
    kept = remembered(at, "server")
    assert kept is not None
    assert (kept.before, kept.wanted) == (None, "500")
    back = tuned(at, undo=True)
    assert back.confirmed
    assert back.plan == (f"ALTER SYSTEM RESET {PARAMETER}", "SELECT pg_reload_conf()")
    assert judged(back)["TUNE-REMEMBERED"].summary == "gone back to no value of its own; nothing of ours is left"
    assert (entry(server), remembered(at, "server")) == ([], None)
    again = tuned(at, undo=True)
    assert again.refused is not None
    assert "nothing of ours is on record" in again.refused.reason


def test_it_goes_back_to_the_very_text_that_was_there_and_not_over_what_others_have_set(
    server: PostgresServer, at: Target
) -> None:
    execute(server, f"ALTER SYSTEM SET {PARAMETER} = '2s'")
    execute(server, "SELECT pg_reload_conf()")
    assert tuned(at, 250).confirmed
    execute(server, f"ALTER SYSTEM SET {PARAMETER} = '7s'")
    refused = tuned(at, undo=True).refused
    assert refused is not None
    assert "somebody else has set 7s since we set 250" in refused.reason
    assert tuned(at, 100).confirmed  # from here on theirs is what there was before
    assert tuned(at, undo=True).confirmed
    assert entry(server) == [f"{PARAMETER} = '7s'"]


def test_a_run_that_was_killed_before_the_reload_is_told_finished_or_taken_back(
    server: PostgresServer, at: Target
) -> None:
    """What a kill leaves: the record and ALTER SYSTEM are on the disk, and nobody has reloaded."""

    def killed() -> None:
        step = planned(at, 1000).step
        assert step is not None
        assert step.remembered is not None
        remember(at, step.remembered)
        execute(server, step.statements[0])

    killed()
    told = judged(planned(at).facts(dry_run=True))
    assert told["TUNE-RELOAD"].level is Level.WARNING
    assert "says 1000, and the server has not read it" in told["TUNE-RELOAD"].summary
    assert told["TUNE-REMEMBERED"].observed == 1
    finished = tuned(at, 1000)
    assert finished.plan == ("SELECT pg_reload_conf()",)
    assert finished.confirmed
    assert tuned(at, undo=True).confirmed
    killed()
    assert tuned(at, undo=True).confirmed
    assert entry(server) == []


def test_the_databases_own_value_is_the_way_where_alter_system_is_not(server: PostgresServer, at: Target) -> None:
    execute(server, f"ALTER DATABASE {DATABASE} SET {PARAMETER} = '3s'")
    seen = tuned(at, 1500, scope="database")
    assert seen.plan == (f"ALTER DATABASE \"{DATABASE}\" SET {PARAMETER} = '1500'",)
    assert seen.confirmed
    assert seen.after is not None
    assert (seen.after.setting.value, seen.after.setting.source) == ("1500", "database")
    assert entry(server) == []
    assert tuned(at, undo=True, scope="database").confirmed
    assert execute(server, f"SHOW {PARAMETER}") == [("3s",)]


def test_whoever_wins_over_the_server_is_named(server: PostgresServer, at: Target) -> None:
    execute(server, f"ALTER ROLE postgres SET {PARAMETER} = 77")
    execute(server, f"ALTER ROLE postgres IN DATABASE {DATABASE} SET {PARAMETER} = 78")
    try:
        found = judged(tuned(at, 1000))
        assert found["TUNE-DONE"].level is Level.OK
        assert found["TUNE-OVERRIDDEN"].level is Level.WARNING
        rows = found["TUNE-OVERRIDDEN"].evidence
        assert rows is not None
        assert rows.rows == (
            (f"role postgres in database {DATABASE} has 78", "78"),
            ("role postgres has 77", "77"),
        )
    finally:
        execute(server, f"ALTER ROLE postgres RESET {PARAMETER}")
        execute(server, f"ALTER ROLE postgres IN DATABASE {DATABASE} RESET {PARAMETER}")


@pytest.mark.usefixtures("at")
def test_a_role_that_may_not_is_refused_before_anything_with_its_grants(server: PostgresServer, tmp_path: Path) -> None:
    number = execute(server, "SHOW server_version_num")[0][0]
    server.create_reader("tuner", server.password, grants=())
    low = target_of(server, DATABASE, "tuner", history=str(tmp_path))
    try:
        seen = tuned(low, 1000)
        assert seen.refused is not None
        assert seen.refused.reason == "the role tuner may not ALTER SYSTEM"
        assert judged(seen)["TUNE-DONE"].level is Level.CRITICAL
        assert (entry(server), path(low, "server").exists()) == ([], False)
        told = {each.reason for each in unseen_in(asyncio.run(reach(low)))}
        assert {"the role tuner may not ALTER SYSTEM", "the role tuner may not reload the configuration"} <= told
        if int(number) < 150_000:
            return
        for grant in ("ALTER SYSTEM ON PARAMETER log_min_duration_statement", "EXECUTE ON FUNCTION pg_reload_conf()"):
            execute(server, f"GRANT {grant} TO tuner")
        assert tuned(low, 1000).refused is None  # from the default no entry can have been hidden
        hidden = tuned(low, 500).refused
        assert hidden is not None
        assert hidden.reason.startswith("there would be no way back: the role tuner may not read")
        for grant in hidden.action.split(";"):
            execute(server, grant)
        assert tuned(low, 500).confirmed
        assert tuned(low, undo=True).confirmed
    finally:
        execute(server, "DROP OWNED BY tuner")
        execute(server, "DROP ROLE tuner")


def test_errors_in_the_files_are_shown(server: PostgresServer, at: Target) -> None:
    file = server.data / "postgresql.conf"
    text = file.read_text()
    file.write_text(f"{text}\nwork_mem = 'lots'\n")
    try:
        found = judged(planned(at).facts(dry_run=True))["TUNE-CONFIG-ERRORS"]
        assert found.level is Level.WARNING
        assert found.evidence is not None
        assert found.evidence.rows[0][1] == "work_mem"
    finally:
        file.write_text(text)


def test_slow_statements_and_an_index_to_try_are_reported(server: PostgresServer, at: Target) -> None:
    for _ in range(12):
        execute(server, ASKED)
    wait_until(lambda: bool(planned(at).tables), "the sessions' counts")  # each tells them at its end
    seen = planned(at)
    assert not isinstance(seen.statements, Unseen)
    assert not isinstance(seen.tables, Unseen)
    (best, *_) = candidates(seen.tables, seen.statements)
    assert best.statement == 'CREATE INDEX CONCURRENTLY ON "public"."tickets" ("owner");'
    found = judged(seen.facts(dry_run=True))
    assert found["TUNE-INDEX-MISSING"].observed == 1  # not for `closed`, which has two values
    assert found["TUNE-STATEMENTS"].level is Level.OK
    assert {each.level for each in found.values()} == {Level.OK}


def test_a_record_that_is_none_is_told(at: Target) -> None:
    path(at, "server").parent.mkdir(parents=True, exist_ok=True)
    path(at, "server").write_text("{}")
    with pytest.raises(PermanentError, match="does not tell what was there before"):
        planned(at, 1000)


def test_a_command_line_wins_and_is_named_and_a_missing_library_is_unknown(server_folder: Path, tmp_path: Path) -> None:
    with postgres_server(17, server_folder, settings={PARAMETER: "42"}) as running:
        running.create_database(DATABASE, "CREATE EXTENSION pg_stat_statements")
        at = target_of(running, DATABASE, "postgres", history=str(tmp_path))
        seen = tuned(at, 1000)
        assert seen.refused is not None
        assert seen.refused.reason == "it would have no effect: the server's command line says 42"
        found = judged(seen)
        assert found["TUNE-OVERRIDDEN"].summary == "1 value wins over the server's: the server's command line"
        assert found["TUNE-STATEMENTS"].level is Level.UNKNOWN
        assert found["TUNE-STATEMENTS"].action == "add it to shared_preload_libraries, and restart the server"
        assert tuned(at, 1000, scope="database").confirmed
        execute(running, "DROP EXTENSION pg_stat_statements")
        assert "CREATE EXTENSION" in judged(planned(at).facts(dry_run=True))["TUNE-STATEMENTS"].action
        execute(running, f"ALTER DATABASE {DATABASE} RESET {PARAMETER}")
