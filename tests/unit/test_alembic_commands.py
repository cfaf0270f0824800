"""Command lines, addresses and environments for alembic and squawk; and what both answer, recorded from real runs."""

import json
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from atomops.commands import alembic, squawk
from atomops.commands.alembic_output import last_words, revisions, sql
from atomops.errors import BadAnswer
from atomops.facts.migration import LintFinding

HISTORY = """Welcome to Atom.
Rev: 17a8b9c0d1e2 (head)
Parent: f6a1b2c3d4e5
Path: /srv/atom/versions/r07_wide_ids.py

    Room for long names of revisions.

    Alembic itself gives them 32 characters.

    Revision ID: 17a8b9c0d1e2
    Revises: f6a1b2c3d4e5
    Create Date: 2026-01-05 10:00:00.000000

Rev: f6a1b2c3d4e5 (mergepoint)
Merges: d4e5f6a1b2c3, e5f6a1b2c3d4
Also depends on: a1b2c3d4e5f6
Path: /srv/atom/versions/r06_merge.py

    Both branches together.

WARNING: a plugin talks here
Rev: a1b2c3d4e5f6 (branchpoint)
Parent: <base>
Branches into: d4e5f6a1b2c3, e5f6a1b2c3d4
Branch names: agents
Path: /srv/atom/versions/r01_agents.py

    Agents.

"""
OFFLINE = """Welcome to Atom.
BEGIN;

-- Running upgrade a -> b

ALTER TABLE t ADD COLUMN c int;

COMMIT;

"""
TRACEBACK = """Traceback (most recent call last):
  File "/srv/atom/.venv/bin/alembic", line 8, in <module>
psycopg.errors.UniqueViolation: could not create unique index "one_ticket"

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/atom/versions/r11.py", line 12, in upgrade
sqlalchemy.exc.IntegrityError: (psycopg.errors.UniqueViolation) could not create unique index "one_ticket"
DETAIL:  Key (ticket)=(1) is duplicated.
[SQL: CREATE UNIQUE INDEX CONCURRENTLY one_ticket ON agent_execution (ticket)]
[parameters: {'name': 'a person'}]
(Background on this error at: https://sqlalche.me/e/21/gkpj)
"""
TOLD = (
    "sqlalchemy.exc.IntegrityError: (psycopg.errors.UniqueViolation) could not create unique index "
    '"one_ticket" DETAIL:  Key (ticket)=(1) is duplicated. '
    "[SQL: CREATE UNIQUE INDEX CONCURRENTLY one_ticket ON agent_execution (ticket)]"
)
SQUAWK = [
    {
        "file": "migration.sql",
        "line": 3,
        "column": 27,
        "level": "Warning",
        "message": "Dropping a column may break existing clients.",
        "help": None,
        "rule_name": "ban-drop-column",
        "column_end": 44,
        "line_end": 3,
    }
]


def test_every_command_is_the_application_s_own_and_names_exactly_one_revision() -> None:
    own = ["docker", "exec", "atom", "alembic"]
    assert alembic.current(own) == [*own, "current", "--verbose"]
    assert alembic.history(own) == [*own, "history", "--verbose"]
    assert alembic.migrate(own, "downgrade", "a1") == [*own, "downgrade", "a1"]
    assert alembic.print_sql(own, "upgrade", "a1", "b2") == [*own, "upgrade", "a1:b2", "--sql"]


@pytest.mark.parametrize(
    ("conninfo", "password", "address"),
    [
        ("host=db port=5433 dbname=atom user=atom", "p", "postgresql+psycopg://atom:p@db:5433/atom"),
        ("host=db dbname=atom user=atom", None, "postgresql+psycopg://atom@db/atom"),
        ("host=::1 dbname=atom user=atom", "p", "postgresql+psycopg://atom:p@[::1]/atom"),
        ("host=/run/pg port=1 dbname=a user=u", "p", "postgresql+psycopg://u:p@/a?host=%2Frun%2Fpg&port=1"),
        ("host=a,b dbname=a user=u", "p", "postgresql+psycopg://u:p@/a?host=a%2Cb"),
        ("host=db dbname=atom sslmode=require", None, "postgresql+psycopg://db/atom?sslmode=require"),
        ("dbname='a/b c'", None, "postgresql+psycopg:///a%2Fb%20c"),
    ],
)
def test_the_address_of_a_database_is_an_url(conninfo: str, password: str | None, address: str) -> None:
    parts = {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}
    assert alembic.address(parts, password, "postgresql+psycopg") == address


@given(st.text(min_size=1), st.text(min_size=1))
def test_every_name_and_password_comes_back_out_of_the_address(user: str, password: str) -> None:
    parts = urlsplit(alembic.address({"user": user, "host": "db", "dbname": "atom"}, password, "postgresql"))
    assert (unquote(parts.username or ""), unquote(parts.password or ""), parts.hostname) == (user, password, "db")


def test_every_session_has_its_bounds() -> None:
    patience = alembic.Patience(lock=0.5, statement=60)
    bounded = "-c lock_timeout=500 -c statement_timeout=60000"
    assert alembic.session_options(patience, (), notices_our_end=False) == bounded
    more = alembic.session_options(patience, ("role=atom",), notices_our_end=True)
    assert more == f"{bounded} -c client_connection_check_interval=5s -c role=atom"


def test_a_history_is_read_between_what_the_application_prints() -> None:
    head, merge, first = revisions(HISTORY)
    assert (head.id, head.parents, head.path) == (
        "17a8b9c0d1e2",
        ("f6a1b2c3d4e5",),
        "/srv/atom/versions/r07_wide_ids.py",
    )
    assert head.message == "Room for long names of revisions. Alembic itself gives them 32 characters."
    assert (merge.parents, merge.depends_on) == (("d4e5f6a1b2c3", "e5f6a1b2c3d4"), ("a1b2c3d4e5f6",))
    assert (first.parents, first.labels) == ((), ("agents",))
    assert revisions("Welcome to Atom.\n") == ()


def test_the_sql_begins_behind_what_the_application_prints() -> None:
    assert sql(OFFLINE).startswith("BEGIN;\n\n-- Running upgrade a -> b")
    assert sql("Welcome to Atom.\n") == ""


@pytest.mark.parametrize(
    ("stdout", "stderr", "words"),
    [
        ("FAILED: Can't locate revision identified by 'x'\n", "", "Can't locate revision identified by 'x'"),
        ("", "", "it said nothing"),
        ("", "sh: 1: alembic: not found\n", "sh: 1: alembic: not found"),
        (
            "",
            TRACEBACK,
            TOLD,
        ),
    ],
)
def test_the_last_words_say_why_it_failed_without_the_parameters_of_a_statement(
    stdout: str, stderr: str, words: str
) -> None:
    assert last_words(stdout, stderr) == words


def test_squawk_judges_for_the_server_that_is_migrated() -> None:
    argv = squawk.lint("/bin/squawk", 170_010)
    assert argv[:4] == [
        "/bin/squawk",
        "--reporter=json",
        "--pg-version=17.10",
        "--stdin-filepath=migration.sql",
    ]
    assert "--exclude=require-lock-timeout" in argv


def test_what_squawk_finds_is_read_and_anything_else_is_said_to_be_no_answer() -> None:
    found = LintFinding("ban-drop-column", 4, "Dropping a column may break existing clients.")
    assert squawk.findings(json.dumps(SQUAWK)) == (found,)
    with pytest.raises(BadAnswer, match="not its JSON"):
        squawk.findings("usage: squawk")
