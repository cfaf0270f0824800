"""The reports on the application, on real tables of both profiles: what they tell, and never take for well."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic_core import to_json

from atomops.facts.application import ApplicationFacts
from atomops.facts.postgres import Answer
from atomops.inventory import Target
from atomops.probes.parts import AGENTS, EPISODES, SKILLS, USERS, Part
from atomops.profiles import BUILT_IN
from atomops.scratch.postgres import PostgresServer
from atomops.verdict import Finding, Level, Unseen
from tests.targets import findings, look, reach, target

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "atomops" / "sandbox" / "schemas"
PASSWORD = "correct horse"
READER = "report reader"
REPORTS = (AGENTS, SKILLS, EPISODES, USERS)


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> Iterator[PostgresServer]:
    postgres.create_reader(READER, PASSWORD)
    for schema in BUILT_IN:
        empty = (SCHEMAS / f"{schema}.sql").read_text(encoding="utf-8")
        rows = (ROOT / "tests" / "data" / f"reports-{schema}.sql").read_text(encoding="utf-8")
        postgres.create_database(f"empty_{schema}", empty)
        postgres.create_database(f"reports_{schema}", empty + rows)
        postgres.create_database(f"faults_{schema}", empty + rows)
    yield postgres
    for schema in BUILT_IN:
        for kind in ("empty", "reports", "faults"):
            with postgres.connect() as session:
                session.execute(f"DROP DATABASE {kind}_{schema} WITH (FORCE)".encode())


def at(
    server: PostgresServer, database: str, *, role: str = READER, profile: str = "auto", **settings: float
) -> Target:
    postgres = {"dsn": server.dsn(database, role), "password": "env:P", **settings}
    return target(PASSWORD, postgres=postgres, profile=profile)


def seen(part: Part, target: Target, **parameters: str | float) -> dict[str, Finding]:
    return findings(part, look(part.asking(**parameters), target))


def rows(finding: Finding) -> list[dict[str, str]]:
    assert finding.evidence
    return [dict(zip(finding.evidence.columns, row, strict=True)) for row in finding.evidence.rows]


@pytest.mark.parametrize("schema", BUILT_IN)
def test_what_has_not_ended_is_counted_apart_and_is_in_no_average(server: PostgresServer, schema: str) -> None:
    found = seen(AGENTS, at(server, f"reports_{schema}"))
    slow, inbox = rows(found["AGENT-PERFORMANCE"])
    assert (slow["agent"], slow["failed"], slow["avg_s"]) == ("Twin", "5", "600.0")
    assert inbox | {"p95_s": ""} == {
        "agent": "Inbox",
        "executions": "7",
        "failed": "0",
        "unfinished": "1",
        "untimed": "2",
        "avg_s": "25.0",
        "p95_s": "",
        "min_s": "10.0",
        "max_s": "40.0",
        "id": "a",
    }
    assert float(inbox["p95_s"]) == pytest.approx(38.5)
    assert found["AGENT-PERFORMANCE"].observed == 12
    assert "12 executions by 2 agents" in found["AGENT-PERFORMANCE"].summary
    assert "1 have not ended, 2 ended without a duration" in found["AGENT-PERFORMANCE"].summary
    assert (found["AGENT-SUCCESS-RATE"].observed, found["AGENT-SUCCESS-RATE"].level) == (50, Level.WARNING)
    assert found["AGENT-STUCK"].observed == 1
    assert found["AGENT-MATURITY"].series == {"student": 2, "autonomous": 1, "intern": 1}
    points = dict(found["AGENT-DAILY"].points)
    assert len(points) == 14
    assert [value for _, value in sorted(points.items())][-4:] == [1, 0, 0, 12]
    longer = seen(AGENTS, at(server, f"reports_{schema}"), hours=96)["AGENT-PERFORMANCE"]
    assert (longer.observed, longer.summary[:13]) == (3.3, "13 executions")


@pytest.mark.parametrize("schema", BUILT_IN)
def test_alike_errors_are_one_and_no_secret_or_endless_text_is_told(server: PostgresServer, schema: str) -> None:
    facts: ApplicationFacts = look(AGENTS.asking(agent="b"), at(server, f"reports_{schema}"))
    found = findings(AGENTS, facts)
    errors = {row["error"]: row["failures"] for row in rows(found["AGENT-ERRORS"])}
    assert found["AGENT-ERRORS"].observed == 5
    assert errors["timed out after <n> s for <text> <uuid>"] == "2"
    assert "password=*** refused" in errors
    assert any(error.startswith("(no message; ") for error in errors)
    assert max(map(len, errors)) <= 300
    assert len(rows(found["AGENT-RECENT"])) == 5
    assert "hunter2" not in to_json(facts).decode()
    assert len(to_json(facts)) < 20_000


@pytest.mark.parametrize("schema", BUILT_IN)
@pytest.mark.parametrize("agent", ["a", "Inbox", "o'dd\"|; --", "pipe | quote"])
def test_one_agent_is_found_by_its_id_or_its_name_and_never_becomes_a_statement(
    server: PostgresServer, schema: str, agent: str
) -> None:
    found = seen(AGENTS, at(server, f"reports_{schema}"), agent=agent, limit=3)
    if agent == "pipe | quote":
        assert found["AGENT-SELECTED"].level is Level.UNKNOWN
        assert found["AGENT-SELECTED"].action.endswith(
            "o'dd\"|; -- (pipe | quote ' \" line break `code` {brace} 100 %)"
        )
        return
    (chosen,) = rows(found["AGENT-SELECTED"])
    assert agent in chosen.values()
    assert found["AGENT-RECENT"].observed == (3 if chosen["id"] == "a" else 0)


@pytest.mark.parametrize("schema", BUILT_IN)
@pytest.mark.parametrize(
    ("agent", "reason", "action"),
    [
        ("Twin", "2 agents are called Twin", "--set agent=ID: b (Twin), c (Twin)"),
        ("inbox", "no agent is called inbox", "--set agent=ID: a (Inbox)"),
        ("'; DROP TABLE users; --", "no agent is called '; DROP TABLE users; --", "run it without agent"),
    ],
)
def test_an_unknown_agent_or_one_of_several_is_told_and_costs_nothing_else(
    server: PostgresServer, schema: str, agent: str, reason: str, action: str
) -> None:
    found = seen(AGENTS, at(server, f"reports_{schema}"), agent=agent)
    for code in ("AGENT-SELECTED", "AGENT-RECENT"):
        assert (found[code].level, found[code].summary) == (Level.UNKNOWN, reason)
        assert action in found[code].action
    assert {code for code, each in found.items() if each.level is Level.UNKNOWN} == {"AGENT-SELECTED", "AGENT-RECENT"}


@pytest.mark.parametrize("schema", BUILT_IN)
def test_a_running_skill_is_no_failure(server: PostgresServer, schema: str) -> None:
    found = seen(SKILLS, at(server, f"reports_{schema}"), skill="send", limit=4)
    send, odd = rows(found["SKILL-PERFORMANCE"])
    assert (send["skill"], send["unfinished"], send["success_percent"], send["avg_s"]) == ("send", "1", "75.0", "4.0")
    assert (odd["skill"], odd["untimed"], odd["avg_s"]) == ("o'dd", "1", "")
    assert (found["SKILL-SUCCESS-RATE"].observed, found["SKILL-SUCCESS-RATE"].level) == (80, Level.WARNING)
    assert [row["error"] for row in rows(found["SKILL-ERRORS"])] == ["HTTP <n> | bad"]
    assert {row["skill"] for row in rows(found["SKILL-RECENT"])} == {"send"}
    assert found["SKILL-STUCK"].observed == 1
    assert found["SKILL-STUCK"].action.count("WHERE id = ") == 1
    every = seen(SKILLS, at(server, f"reports_{schema}"))
    assert {row["skill"] for row in rows(every["SKILL-RECENT"])} == {"send", "o'dd"}
    unknown = seen(SKILLS, at(server, f"reports_{schema}"), skill="sned")
    assert unknown["SKILL-SELECTED"].summary == unknown["SKILL-RECENT"].summary == "no skill is called sned"


@pytest.mark.parametrize("schema", BUILT_IN)
def test_episodes_are_counted_by_what_becomes_of_them(server: PostgresServer, schema: str) -> None:
    found = seen(EPISODES, at(server, f"reports_{schema}"))
    tiers = {"guide": {"hot": 3, "archived": 1}, "atom": {"completed": 2, "active": 1, "archived": 1}}
    assert found["EPISODE-TIERS"].observed == 4
    assert found["EPISODE-TIERS"].series == tiers[schema]
    (ready,) = rows(found["EPISODE-CONSOLIDATION"])
    assert (ready["agent"], ready["episodes"], ready["accesses"]) == ("a", "2", "5")
    assert (found["EPISODE-UNARCHIVED"].observed, found["EPISODE-UNARCHIVED"].level) == (1, Level.WARNING)
    sizes = rows(found["EPISODE-MEMORY"])
    assert {row["name"] for row in sizes} == set(found["EPISODE-MEMORY"].series)
    assert found["EPISODE-MEMORY"].observed == sum(found["EPISODE-MEMORY"].series.values())
    later = seen(EPISODES, at(server, f"reports_{schema}"), older_than_days=100)
    assert later["EPISODE-CONSOLIDATION"].observed == 1


@pytest.mark.parametrize("schema", BUILT_IN)
def test_who_is_privileged_at_risk_is_told_and_no_hash_ever(server: PostgresServer, schema: str) -> None:
    facts: ApplicationFacts = look(USERS.asking(user="MALLY@example.com"), at(server, f"reports_{schema}"))
    found = findings(USERS, facts)
    assert found["USER-LIST"].observed == 4
    assert found["USER-ADMINS"].observed == 3
    assert [row["email"] for row in rows(found["USER-ADMINS-ONE-FACTOR"])] == ["weak@example.com"]
    assert [row["email"] for row in rows(found["USER-SUSPENDED-PRIVILEGED"])] == ["gone@example.com"]
    assert "weak@example.com" not in found["USER-ADMINS-ONE-FACTOR"].summary
    assert {row["permission"] for row in rows(found["USER-PERMISSIONS"])} == {"read", "run"}
    assert "secret-hash" not in to_json(facts).decode()
    nothing = seen(USERS, at(server, f"reports_{schema}"), user="1")["USER-PERMISSIONS"]
    assert nothing.observed == 0


@pytest.mark.parametrize("schema", BUILT_IN)
def test_empty_tables_are_neither_unknown_nor_bad(server: PostgresServer, schema: str) -> None:
    found = {code: each for part in REPORTS for code, each in seen(part, at(server, f"empty_{schema}")).items()}
    assert {code for code, each in found.items() if each.level is not Level.OK} == {"USER-ADMINS"}
    assert found["USER-ADMINS"].level is Level.WARNING
    assert not {"AGENT-SUCCESS-RATE", "SKILL-SUCCESS-RATE", "AGENT-SELECTED"} & set(found)


def unknown(part: Part, target: Target) -> dict[str, Finding]:
    return {code: each for code, each in seen(part, target).items() if each.level is Level.UNKNOWN}


def test_a_column_that_is_missing_makes_one_check_unknown(server: PostgresServer) -> None:
    with server.connect("faults_atom") as session:
        session.execute("ALTER TABLE users DROP two_factor_enabled, DROP is_active")
    lost = unknown(USERS, at(server, "faults_atom"))
    assert list(lost) == ["USER-ADMINS-ONE-FACTOR"]
    assert 'column "two_factor_enabled" does not exist' in lost["USER-ADMINS-ONE-FACTOR"].summary
    assert "atomops run migrate-database" in lost["USER-ADMINS-ONE-FACTOR"].action
    _, gaps = reach(USERS, at(server, "faults_atom"))
    assert list(gaps) == ["USER-ADMINS-ONE-FACTOR"]


def test_a_table_that_is_missing_makes_only_its_own_checks_unknown(server: PostgresServer) -> None:
    with server.connect("faults_atom") as session:
        session.execute("DROP TABLE role_permissions; DROP TABLE episode_segments")
    assert list(unknown(EPISODES, at(server, "faults_atom"))) == ["EPISODE-MEMORY"]
    found = seen(USERS, at(server, "faults_atom"), user="4")
    assert "no table role_permissions" in found["USER-PERMISSIONS"].summary
    assert found["USER-SELECTED"].level is Level.OK


def test_a_right_that_is_missing_is_named_with_its_grant(server: PostgresServer) -> None:
    server.create_reader("reports monitor", PASSWORD, grants=("pg_monitor",))
    with server.connect("faults_guide") as session:
        session.execute('GRANT SELECT ON agent_registry TO "reports monitor"')
    lost = unknown(AGENTS, at(server, "faults_guide", role="reports monitor"))
    assert set(lost) == {
        *("AGENT-DAILY", "AGENT-ERRORS", "AGENT-FAILED-RATIO", "AGENT-PERFORMANCE", "AGENT-STUCK", "AGENT-SUCCESS-RATE")
    }
    assert {each.action for each in lost.values()} == {'GRANT pg_read_all_data TO "reports monitor";'}
    _, gaps = reach(AGENTS, at(server, "faults_guide", role="reports monitor"))
    assert set(gaps) >= set(lost)


def test_rows_that_row_level_security_hides_are_not_taken_for_none(server: PostgresServer) -> None:
    with server.connect("faults_guide") as session:
        session.execute("ALTER TABLE skill_execution ENABLE ROW LEVEL SECURITY")
    try:
        lost = unknown(SKILLS, at(server, "faults_guide"))
    finally:
        with server.connect("faults_guide") as session:
            session.execute("ALTER TABLE skill_execution DISABLE ROW LEVEL SECURITY")
    assert set(lost) == {
        *("SKILL-DAILY", "SKILL-ERRORS", "SKILL-PERFORMANCE", "SKILL-RECENT", "SKILL-STUCK"),
        "SKILL-SUCCESS-RATE",
    }
    assert {each.action for each in lost.values()} == {f'ALTER ROLE "{READER}" BYPASSRLS;'}


def test_a_table_that_somebody_locks_costs_its_own_checks_alone(server: PostgresServer) -> None:
    with server.connect("faults_guide") as session:
        session.execute("BEGIN; LOCK TABLE episode_segment IN ACCESS EXCLUSIVE MODE")
        lost = unknown(EPISODES, at(server, "faults_guide"))
    assert list(lost) == ["EPISODE-MEMORY"]


def test_statements_that_find_no_time_left_are_not_asked_and_say_so(server: PostgresServer) -> None:
    lost = unknown(EPISODES, at(server, "reports_guide", deadline=0.01))
    assert set(lost) == {"EPISODE-TIERS", "EPISODE-CONSOLIDATION", "EPISODE-UNARCHIVED", "EPISODE-MEMORY"}
    assert all("took all of postgres.deadline" in each.summary for each in lost.values())


def test_a_database_of_another_application_is_unknown_and_no_error(server: PostgresServer) -> None:
    assert {each.level for each in seen(AGENTS, at(server, "postgres")).values()} == {Level.UNKNOWN}


def own_profile(folder: Path, name: str, question: str, *, without: str = "\0") -> str:
    """A copy of the profile `atom`, up to the section `without`, that asks one question."""
    (folder / "queries").mkdir()
    (folder / "queries" / name).write_text(question, encoding="utf-8")
    description = (ROOT / "atomops" / "profiles" / "atom" / "profile.toml").read_text(encoding="utf-8")
    (folder / "profile.toml").write_text(description.partition(without)[0], encoding="utf-8")
    return str(folder)


def test_the_question_of_the_documents_works_as_it_stands(server: PostgresServer, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "profiles.md").read_text(encoding="utf-8")
    example = re.search(r"```sql\n(.*?)```", page, re.DOTALL)
    assert example
    profile = own_profile(tmp_path, "agent-slowest.sql", example[1])
    facts: ApplicationFacts = look(AGENTS, at(server, "reports_atom", profile=profile))
    assert isinstance(facts.answers["AGENT-SLOWEST"], Answer)
    assert facts.answers["AGENT-SLOWEST"].rows == ()


def test_a_profile_that_does_not_say_who_administers_leaves_that_unknown(
    server: PostgresServer, tmp_path: Path
) -> None:
    question = (ROOT / "atomops" / "profiles" / "atom" / "queries" / "user-admins.sql").read_text(encoding="utf-8")
    profile = own_profile(tmp_path, "user-admins.sql", question, without="[users]")
    facts: ApplicationFacts = look(USERS, at(server, "reports_atom", profile=profile))
    assert isinstance(facts.answers["USER-ADMINS"], Unseen)
    assert "who administers" in facts.answers["USER-ADMINS"].reason
