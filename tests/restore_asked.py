"""An application that needs a table, which only one of two sets has; over HTTP it says whether it is ready."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg

from atomops.scratch.postgres import PostgresServer
from atomops.stores.local import LocalStore
from tests.restores import Ground, ground

NEEDED = "CREATE TABLE needed (a int); INSERT INTO needed VALUES (1)"
PATIENT = {"ready_within": 60}
IMPATIENT = {"ready_within": 1.5}  # nobody waits for what cannot become ready
RENAMING = "FROM pg_stat_activity WHERE query LIKE 'ALTER DATABASE%' AND wait_event_type = 'Lock'"


@contextlib.contextmanager
def application(is_ready: Callable[[], bool]) -> Iterator[str]:
    """An application that answers its readiness endpoint; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            good = is_ready()
            self.send_response(200 if good else 503)
            self.end_headers()
            self.wfile.write(json.dumps({"status": "ready" if good else "not_ready"}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


@contextlib.contextmanager
def asked(server: PostgresServer, database: str, folder: Path) -> Iterator[Ground]:
    """The application is ready; of the two sets the older one does not have the table."""
    at = ground(server, database, folder, "CREATE TABLE t (a int)")
    at.dump()
    at.execute(NEEDED)
    at.dump()

    def is_ready() -> bool:
        if not at.runs:
            return False
        with contextlib.suppress(psycopg.Error):
            return at.rows("SELECT a FROM needed") == [1]
        return False

    with application(is_ready) as url:
        yield at.but(app={"url": url}, changes=IMPATIENT)


def as_in_the_beginning(at: Ground) -> None:
    """Ready again, and nothing is left of what a test has done."""
    at.execute("DROP TABLE IF EXISTS needed, only_live")
    at.execute(NEEDED)
    at.drop_ours()
    (at.folder / "running").touch()
    (at.folder / "history" / "test" / "unfinished.json").unlink(missing_ok=True)


def without(at: Ground) -> str:
    """The set without the table."""
    return LocalStore(at.folder / "store", "test").listing().sets[-1].id


def is_live(at: Ground) -> bool:
    """Whether the earlier database is the live one."""
    return at.rows("SELECT to_regclass('only_live') IS NOT NULL") == [True]


def mark_live(at: Ground) -> None:
    at.execute("CREATE TABLE only_live (a int)")
