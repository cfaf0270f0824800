"""The database `atom` with the application's tables, a week of rows, and a few honest faults."""

from pathlib import Path

import psycopg

from atomops.sandbox.postgres import PostgresServer

DATABASE = "atom"
OWNER = "atom"
READER = "atom_reader"  # pg_monitor and pg_read_all_data, nothing more

_SCHEMA = Path(__file__).parent / "schemas" / "atom.sql"
_ROWS = Path(__file__).parent / "seed.sql"


def fill(server: PostgresServer, *, owner: str, reader: str) -> None:
    """The database is there, owned by the application's role; statements are counted from now on."""
    server.create_reader(OWNER, owner, grants=())
    server.create_reader(READER, reader)
    server.create_database(DATABASE, f"CREATE EXTENSION pg_stat_statements; ALTER DATABASE {DATABASE} OWNER TO {OWNER}")
    with psycopg.connect(server.dsn(DATABASE, OWNER), password=owner, autocommit=True) as session:
        for script in (_SCHEMA, _ROWS):
            session.execute(script.read_bytes())
