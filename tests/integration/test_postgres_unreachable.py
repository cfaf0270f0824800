"""Servers that cannot be reached, or let nobody in: each is told in its own words, and nothing of us is left there."""

import asyncio
import contextlib
import socket
import threading
from pathlib import Path

import psycopg
import pytest

from atomops.errors import AccessDenied, NotThere, TemporaryError, TimedOut, Unreachable
from atomops.inventory import Target
from atomops.probes.parts import POSTGRES
from atomops.probes.postgres.connect import connect
from atomops.scratch.postgres import PostgresServer
from tests.peers import black_hole, refused_port, talking
from tests.postgres_servers import postgres_server
from tests.targets import look, target

PASSWORD = "correct horse"


def reader(server: PostgresServer, database: str, *, role: str) -> Target:
    return target(PASSWORD, postgres={"dsn": server.dsn(database, role), "password": "env:P"})


def test_a_wrong_password_is_refused_without_showing_it(postgres: PostgresServer) -> None:
    wrong = target("hunter2-wrong", postgres={"dsn": postgres.dsn(), "password": "env:P"})
    with pytest.raises(AccessDenied, match="refuses the password") as caught:
        look(POSTGRES, wrong)
    assert "hunter2" not in f"{caught.value}{caught.value.__cause__}"


def test_a_database_that_does_not_exist_is_named(postgres: PostgresServer) -> None:
    postgres.create_reader("lost", PASSWORD)
    with pytest.raises(NotThere, match="nowhere does not exist"):
        look(POSTGRES, reader(postgres, "nowhere", role="lost"))


def test_a_refused_connection_is_temporary_and_named() -> None:
    port = refused_port()
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port}/atom refuses the connection"):
        look(POSTGRES, target(postgres={"dsn": f"postgresql://a@127.0.0.1:{port}/atom"}))


def test_an_unknown_host_is_named() -> None:
    with pytest.raises(Unreachable, match="nobody knows"):
        look(POSTGRES, target(postgres={"dsn": "postgresql://a@no-such-host.invalid/atom"}))


def test_a_black_holed_server_ends_as_a_time_out() -> None:
    with black_hole() as port, pytest.raises(TimedOut, match=r"did not answer within 0\.5 s"):
        look(POSTGRES, target(postgres={"dsn": f"postgresql://a@127.0.0.1:{port}/atom", "connect_timeout": 0.5}))


def test_a_server_without_a_free_connection_may_be_tried_again(server_folder: Path) -> None:
    settings = {"max_connections": "5", "superuser_reserved_connections": "3"}
    with postgres_server(17, server_folder, settings=settings) as server:
        server.create_reader("reader", PASSWORD)
        with contextlib.ExitStack() as held:
            for _ in range(2):
                dsn = server.dsn("postgres", "reader")
                held.enter_context(psycopg.connect(dsn, password=PASSWORD))
            with pytest.raises(TemporaryError, match="no free connection"):
                look(POSTGRES, reader(server, "postgres", role="reader"))


def test_an_attempt_that_is_cancelled_is_closed_while_its_error_is_still_dealt_with() -> None:
    heard, gone = threading.Event(), threading.Event()

    def talk(client: socket.socket) -> None:
        client.recv(65_536)
        heard.set()
        client.recv(65_536)  # the end of it
        gone.set()

    async def cancelled(port: int) -> None:
        attempt = asyncio.create_task(connect(f"postgresql://a@127.0.0.1:{port}/atom", None))
        await asyncio.to_thread(heard.wait, 10)
        attempt.cancel()
        try:
            await attempt
        except asyncio.CancelledError:
            assert await asyncio.to_thread(gone.wait, 5)

    with talking(talk) as port:
        asyncio.run(cancelled(port))
    assert heard.is_set()
