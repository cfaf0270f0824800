"""Against real PostgreSQL servers, the oldest and the newest: what is open, and what a plain role may see of it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from atomops.facts.access import AccessFacts
from atomops.probes.parts import ACCESS
from atomops.scratch.postgres import PostgresServer
from atomops.verdict import Finding, Unseen
from tests.postgres_servers import postgres_server
from tests.targets import findings, look, target

PASSWORD = "hunter2-of-the-reader"
HOLES = """
CREATE ROLE boss LOGIN SUPERUSER PASSWORD 'hunter2-of-the-boss';
CREATE ROLE maker LOGIN CREATEROLE REPLICATION VALID UNTIL '2030-01-01';
CREATE ROLE runner LOGIN;
CREATE ROLE outer_group;
GRANT pg_execute_server_program TO outer_group;
GRANT outer_group TO runner;
SET password_encryption = 'md5';
CREATE ROLE old LOGIN PASSWORD 'hunter2-of-old';
CREATE SCHEMA shared;
GRANT CREATE ON SCHEMA shared TO PUBLIC;
CREATE TABLE shared."Odd" (id int);
GRANT SELECT, UPDATE ON shared."Odd" TO PUBLIC;
CREATE TABLE countries (id int);
GRANT SELECT ON countries TO PUBLIC;
CREATE FUNCTION shared.lend(int) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE FUNCTION shared.safe() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS 'SELECT 1';
"""


@pytest.fixture(scope="module", params=[13, 18])
def server(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[PostgresServer]:
    with ExitStack() as stack:
        running = stack.enter_context(postgres_server(request.param, server_folder))
        running.create_database("holes", HOLES)
        running.create_reader("plain", PASSWORD, grants=("pg_monitor",))
        with (running.data / "pg_hba.conf").open("a", encoding="utf-8") as rules:
            rules.write("host all all 10.0.0.0/8 trust\nhost all all 10.1.0.0/16 password\nlocal all all trust\n")
        yield running


def seen_by(server: PostgresServer, user: str, password: str, **security: object) -> AccessFacts:
    facts = look(
        ACCESS, target(password, postgres={"dsn": server.dsn("holes", user), "password": "env:X"}, security=security)
    )
    assert isinstance(facts, AccessFacts)
    return facts


def bad(found: dict[str, Finding]) -> dict[str, str]:
    return {code: str(finding.level) for code, finding in found.items() if finding.level != "OK"}


def test_a_superuser_sees_every_hole_and_each_statement_mends_its_own(server: PostgresServer) -> None:
    found = findings(ACCESS, seen_by(server, "postgres", server.password, public_tables=["public.countries"]))
    with server.connect() as session:
        version = session.info.server_version
    expected = {
        "SEC-ROLE-SUPERUSER": "WARNING",
        "SEC-ROLE-PRIVILEGED": "WARNING",
        "SEC-ROLE-PASSWORD-MD5": "WARNING",
        "SEC-PUBLIC-CREATE": "WARNING",
        "SEC-PUBLIC-TABLES": "WARNING",
        "SEC-DEFINER-PATH": "WARNING",
        "SEC-HBA-TRUST": "CRITICAL",
        "SEC-HBA-WEAK": "WARNING",
        "SEC-PG-LOG-CONNECTIONS": "WARNING",
    }
    if version < 140_000:
        expected |= {"SEC-PG-SUPPORTED": "CRITICAL"}
    assert bad(found) == expected
    assert found["SEC-ROLE-SUPERUSER"].summary == "1 unexpected superuser: boss, 1 superuser as expected"
    assert found["SEC-ROLE-PRIVILEGED"].summary == "3 privileged roles: maker, outer_group, runner"
    assert found["SEC-PUBLIC-CREATE"].observed == (2 if version < 150_000 else 1)
    assert found["SEC-PUBLIC-TABLES"].action == 'REVOKE SELECT, UPDATE ON TABLE shared."Odd" FROM PUBLIC;'
    assert found["SEC-PUBLIC-DATABASE"].observed == 2
    assert found["SEC-DEFINER-PATH"].observed == 1
    assert found["SEC-HBA-TRUST"].observed == 1
    assert found["SEC-HBA-WEAK"].observed == 2


def test_every_statement_of_the_evidence_runs_as_it_stands(server: PostgresServer) -> None:
    found = findings(ACCESS, seen_by(server, "postgres", server.password))
    codes = ("SEC-ROLE-SUPERUSER", "SEC-ROLE-PRIVILEGED", "SEC-PUBLIC-CREATE", "SEC-PUBLIC-TABLES", "SEC-DEFINER-PATH")
    with server.connect("holes") as session, session.transaction(force_rollback=True):
        for code in codes:
            evidence = found[code].evidence
            assert evidence is not None
            for row in evidence.rows:
                if not row[-1].startswith('REVOKE pg_execute_server_program FROM "runner"'):
                    session.execute(row[-1].encode())


def test_a_plain_role_sees_all_but_two_things_and_is_told_the_grants(server: PostgresServer) -> None:
    seen = seen_by(server, "plain", PASSWORD)
    assert isinstance(seen.roles, tuple)
    assert isinstance(seen.passwords, Unseen)
    assert isinstance(seen.hba, Unseen)
    assert seen.settings["listen_addresses"] == "127.0.0.1"
    assert (
        bad(findings(ACCESS, seen)).items() >= {"SEC-ROLE-PASSWORD-MD5": "UNKNOWN", "SEC-HBA-TRUST": "UNKNOWN"}.items()
    )
    with server.connect("holes") as session:
        for action in (seen.passwords.action, seen.hba.action):
            session.execute(action.partition(": ")[2].encode())

    seen = seen_by(server, "plain", PASSWORD)

    assert isinstance(seen.passwords, tuple)
    assert {each.role: each.method for each in seen.passwords} == {
        "boss": "scram-sha-256",
        "maker": "none",
        "old": "md5",
        "plain": "scram-sha-256",
        "postgres": "scram-sha-256",
        "runner": "none",
    }
    assert isinstance(seen.hba, tuple)
    with server.connect("holes") as session:
        session.execute("DROP VIEW atomops_password_methods")


def test_what_the_inventory_expects_is_no_finding(server: PostgresServer) -> None:
    expected = {
        "superusers": ["postgres", "boss"],
        "privileged": ["maker", "runner", "outer_group"],
        "public_tables": ['shared."Odd"', "public.countries"],
    }
    found = bad(findings(ACCESS, seen_by(server, "postgres", server.password, **expected)))
    assert not found.keys() & {"SEC-ROLE-SUPERUSER", "SEC-ROLE-PRIVILEGED", "SEC-PUBLIC-TABLES"}


def test_no_password_or_hash_is_in_what_was_seen(server: PostgresServer) -> None:
    seen = str(seen_by(server, "postgres", server.password))
    assert "hunter2" not in seen
    assert "SCRAM-SHA-256$" not in seen
    assert server.password not in seen
