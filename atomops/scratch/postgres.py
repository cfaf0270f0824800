"""A real PostgreSQL server on a free port of 127.0.0.1, from any installation's binaries."""

import contextlib
import secrets
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from atomops import shell
from atomops.errors import NotThere, TimedOut
from atomops.scratch.place import free_port, own_folder, reachable, server_user

SUPERUSER = "postgres"
_START_SECONDS = 120


@dataclass(frozen=True)
class PostgresServer:
    """A running server; its superuser has a password of its own (SCRAM)."""

    server: shell.Server
    port: int
    password: str
    data: Path
    superuser: str = SUPERUSER

    def dsn(self, database: str = "postgres", user: str | None = None) -> str:
        """An address without a password; the user is the superuser unless another one is named."""
        return f"postgresql://{quote(user or self.superuser)}@127.0.0.1:{self.port}/{quote(database)}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A session of the superuser, in autocommit."""
        return psycopg.connect(self.dsn(database), password=self.password, autocommit=True, connect_timeout=10)

    def create_database(self, name: str, script: str = "") -> None:
        """A new database, filled by an SQL script of several statements."""
        with self.connect() as session:
            session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        if script:
            with self.connect(name) as session:
                session.execute(script.encode())

    def create_reader(
        self, name: str, password: str, *, grants: tuple[str, ...] = ("pg_monitor", "pg_read_all_data")
    ) -> None:
        """A login role with the given memberships, as an SRE would make it."""
        with self.connect() as session:
            role = sql.Identifier(name)
            session.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
            for grant in grants:
                session.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(grant), role))

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, data is flushed."""
        self.server.stop(by=signal.SIGINT)


def initialise(home: Path, data: Path, superuser: str, *options: str) -> str:
    """The password of the superuser of a new cluster in the folder. Raises NotThere with what initdb said."""
    password = secrets.token_urlsafe(12)
    password_file = data.parent / f"{data.name}.password"
    password_file.write_text(password, encoding="utf-8")
    password_file.chmod(0o644)  # initdb runs as another user; the folder is ours and the server local
    argv: list[str | Path] = [
        home / "bin" / "initdb",
        "-D",
        data,
        "-U",
        superuser,
        "-A",
        "scram-sha-256",
        "--pwfile",
        password_file,
    ]
    argv += ["-E", "UTF8", "--locale=C", "--no-sync", *options]
    initdb = shell.start(argv, log=_log(data), user=server_user(), cwd=data.parent)
    try:
        if initdb.process.wait(_START_SECONDS) != 0:
            raise NotThere(f"initdb failed: {initdb.tail().strip()}", action="look at the binaries and the free disk")
    finally:
        initdb.stop()
        password_file.unlink()
    return password


@contextlib.contextmanager
def postgres_server(
    installation: Path,
    folder: Path,
    *,
    settings: Mapping[str, str] | None = None,
    superuser: str = SUPERUSER,
    make: Callable[[Path, Path, str], str] = initialise,
) -> Iterator[PostgresServer]:
    """A server that answers, in a new data folder below `folder`; stopped at the end.

    `make` fills the empty data folder, as `initialise` does.
    """
    home = reachable(installation, folder)
    data = own_folder(folder, f"postgres-{secrets.token_hex(3)}")
    password = make(home, data, superuser)
    server = _start(home, data, superuser, password, settings or {})
    try:
        yield server
    finally:
        server.stop()


def _start(home: Path, data: Path, superuser: str, password: str, settings: Mapping[str, str]) -> PostgresServer:
    for _ in range(3):  # somebody else may take the free port first
        port = free_port()
        defaults = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": "", "fsync": "off"}
        argv: list[str | Path] = [home / "bin" / "postgres", "-D", data]
        argv += [f"--{name}={value}" for name, value in (defaults | dict(settings)).items()]
        server = shell.start(argv, log=_log(data), user=server_user(), cwd=data.parent)
        running = PostgresServer(server, port, password, data, superuser)
        if _answers(running):
            return running
        server.stop()
    raise TimedOut(f"PostgreSQL does not start: {server.tail().strip()}", action="look at its log above")


def _log(data: Path) -> Path:
    return data.parent / f"{data.name}.log"


def _answers(server: PostgresServer) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while server.server.is_running() and time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError), server.connect():
            return True
        time.sleep(0.05)
    return False
