"""What a plain restore loses comes back all the same: settings, grants, owner; on every PostgreSQL, by every role."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.postgres_servers import postgres_server
from tests.restores import Ground, ground
from tests.rounds import thoroughly

pytestmark = pytest.mark.slow(35)

ODD = 'Odd "Näme" '.ljust(60, "x") + "ü"  # 63 bytes, the most that there may be
MAJORS = thoroughly([13, 15, 18], short=[13, 18])
ROLES = """
CREATE ROLE "odd owner"; CREATE ROLE reader LOGIN; CREATE ROLE "Ann: the 2nd" LOGIN;
CREATE ROLE restorer LOGIN CREATEDB PASSWORD '{password}' IN ROLE "odd owner", pg_signal_backend;
"""
OWN = r"""
CREATE TABLE t (id int PRIMARY KEY, body text); INSERT INTO t SELECT n, 'row' FROM generate_series(1, 500) AS n;
ALTER TABLE t OWNER TO "odd owner";
CREATE PUBLICATION everything FOR TABLE t;
CREATE SUBSCRIPTION pulling CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p WITH (connect = false);
DO $$
DECLARE me text := quote_ident(current_database());
BEGIN
    EXECUTE 'ALTER DATABASE ' || me || ' OWNER TO "odd owner"';
    EXECUTE 'ALTER PUBLICATION everything OWNER TO "odd owner"';
    EXECUTE 'ALTER DATABASE ' || me || ' SET search_path TO "$user", "a ""quoted"", one", public';
    EXECUTE 'ALTER DATABASE ' || me || ' SET app.words TO ''it''''s a, "b" \ c''';
    EXECUTE 'ALTER DATABASE ' || me || ' SET statement_timeout TO ''7min''';
    EXECUTE 'ALTER DATABASE ' || me || ' SET default_transaction_read_only TO on';
    EXECUTE 'ALTER DATABASE ' || me || ' SET session_preload_libraries TO ''plpgsql''';
    EXECUTE 'ALTER ROLE "Ann: the 2nd" IN DATABASE ' || me || ' SET work_mem TO ''9MB''';
    EXECUTE 'REVOKE ALL ON DATABASE ' || me || ' FROM PUBLIC';
    EXECUTE 'GRANT CONNECT ON DATABASE ' || me || ' TO reader WITH GRANT OPTION';
    EXECUTE 'COMMENT ON DATABASE ' || me || ' IS ''it''''s "ours" {}''';
    EXECUTE 'ALTER DATABASE ' || me || ' CONNECTION LIMIT 33';
END $$;
"""
EMPTY = "BEGIN READ WRITE; DELETE FROM t; COMMIT"
SUBSCRIPTIONS = """
SELECT count(*) FROM pg_subscription JOIN pg_database ON pg_database.oid = subdbid WHERE datname = current_database()
"""
WHAT_IS_OURS = """
SELECT pg_get_userbyid(datdba), shobj_description(oid, 'pg_database'), datconnlimit, datallowconn, datcollate,
       (SELECT array_agg(item::text ORDER BY item::text) FROM unnest(datacl) AS item),
       (SELECT array_agg(coalesce(setrole::regrole::text, '') || setting ORDER BY setrole, setting)
        FROM pg_db_role_setting CROSS JOIN unnest(setconfig) AS setting WHERE setdatabase = pg_database.oid)
FROM pg_database WHERE datname = %s
"""


def properties(at: Ground) -> Any:  # noqa: ANN401 - a row
    with at.server.connect() as session:
        return session.execute(WHAT_IS_OURS, [at.database]).fetchone()


@pytest.fixture(scope="module", params=MAJORS, ids=lambda major: f"PostgreSQL {major}")
def odd(
    request: pytest.FixtureRequest, server_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """A database that has everything of its own, with a set of it, on a server of that version."""
    with postgres_server(request.param, server_folder) as server:
        with server.connect() as session:
            session.execute(ROLES.format(password=server.password))
        made = ground(server, ODD, tmp_path_factory.mktemp("odd"), OWN)
        made.dump()
        yield made


def test_a_restored_database_has_every_property_of_its_own_again(odd: Ground) -> None:
    before = properties(odd)
    odd.execute(EMPTY)

    facts = odd.restore()

    assert facts.obstacles == ()
    assert facts.copy is not None
    assert (facts.copy.differences, facts.copy.lost) == ((), ())
    assert "the subscription pulling stays with the replaced database" in facts.notes
    assert properties(odd) == before
    assert odd.rows("SELECT count(*) FROM t") == [500]
    assert odd.rows("SELECT pubname FROM pg_publication") == ["everything"]
    assert odd.rows(SUBSCRIPTIONS) == [0]

    odd.restore(backup="previous")

    assert properties(odd) == before
    assert odd.rows("SELECT count(*) FROM t") == [0]
    assert odd.rows(SUBSCRIPTIONS) == [1]
    assert len(odd.ours()) == 1
    assert odd.runs


def test_a_role_that_is_no_superuser_restores_with_the_rights_that_the_runbook_names(odd: Ground) -> None:
    before = properties(odd)
    odd.execute(EMPTY)
    restorer = odd.but(changes={"dsn": odd.server.dsn("postgres", "restorer"), "password": "env:X"})

    facts = restorer.restore()

    assert facts.obstacles == ()
    assert facts.copy is not None
    assert facts.copy.differences == ()
    told = " ".join(facts.copy.lost)
    assert len(facts.copy.lost) == 3, told
    assert all(each in told for each in ("Ann: the 2nd", '"app"."words"', "session_preload_libraries"))
    *alike, settings = properties(odd)
    assert alike == list(before[:-1])
    assert len(settings) == len(before[-1]) - 3
    assert odd.rows("SELECT count(*) FROM t") == [500]
