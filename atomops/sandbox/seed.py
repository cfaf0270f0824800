"""The database `atom` with the application's tables, a week of rows, and a few honest faults."""

from pathlib import Path

import psycopg

from atomops.scratch.postgres import PostgresServer

DATABASE = "atom"
OWNER = "atom"
READER = "atom_reader"  # pg_monitor, pg_read_all_data and the rules of pg_hba.conf, nothing more
CHANGER = "atom_changer"  # a superuser: an extension that is not trusted, as here, can be restored by nobody else

_SCHEMA = Path(__file__).parent / "schemas" / "atom.sql"
_ROWS = Path(__file__).parent / "seed.sql"


def fill(server: PostgresServer, *, owner: str, reader: str, changer: str) -> None:
    """The database is there, owned by the application's role; statements are counted from now on."""
    server.create_reader(OWNER, owner, grants=())
    server.create_reader(READER, reader)
    server.create_reader(CHANGER, changer, grants=())
    with server.connect() as session:
        session.execute(f"ALTER ROLE {CHANGER} SUPERUSER")
    server.create_database(DATABASE, f"CREATE EXTENSION pg_stat_statements; ALTER DATABASE {DATABASE} OWNER TO {OWNER}")
    with server.connect(DATABASE) as session:  # as the runbook of security-audit asks for
        session.execute(f"GRANT SELECT ON pg_hba_file_rules TO {READER}")
        session.execute(f"GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO {READER}")
    with psycopg.connect(server.dsn(DATABASE, OWNER), password=owner, autocommit=True) as session:
        for script in (_SCHEMA, _ROWS):
            session.execute(script.read_bytes())
