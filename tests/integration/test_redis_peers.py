import socket
import threading
import time
from pathlib import Path

import pytest

from atomops.errors import AccessDenied, AtomOpsError, BadAnswer, NotThere, TemporaryError, TimedOut, Unreachable
from atomops.sandbox.redis import RedisServer
from atomops.verdict import Unseen
from tests.certificates import authority, leaf, shown
from tests.integration.redis_looks import failure, look
from tests.peers import Page, black_hole, http_server, refused_port, saying, talking


def test_a_clock_that_is_an_hour_off_is_seen() -> None:
    def talk(client: socket.socket) -> None:
        while asked := client.recv(4096):
            now = str(int(time.time()) + 3600).encode()
            answers = {b"PING": b"+PONG\r\n", b"TIME": b"*2\r\n$%d\r\n%s\r\n$1\r\n0\r\n" % (len(now), now)}
            client.sendall(next((say for word, say in answers.items() if word in asked), b"-ERR unknown command\r\n"))

    with talking(talk) as port:
        before = time.time()
        facts = look(f"redis://127.0.0.1:{port}")
        took = time.time() - before

    assert isinstance(facts.clock_offset, float)
    assert -1 - took <= facts.clock_offset - 3600 <= took  # the server tells whole seconds
    assert isinstance(facts.info, Unseen)
    assert "unknown command" in facts.info.reason


def test_refused_is_unreachable() -> None:
    port = refused_port()
    error = failure(f"redis://127.0.0.1:{port}")

    assert isinstance(error, Unreachable)
    assert str(error) == f"Redis 127.0.0.1:{port} refuses the connection: is it running, and on this port?"


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_a_black_holed_server_ends_as_a_time_out(scheme: str) -> None:
    with black_hole() as port:
        error = failure(f"{scheme}://127.0.0.1:{port}", "hunter2", timeout=1)

    assert isinstance(error, TimedOut)
    assert "did not answer within 1 s" in error.what


def test_a_server_that_answers_ping_and_then_hangs_ends_as_a_time_out() -> None:
    over = threading.Event()

    def talk(client: socket.socket) -> None:
        while b"PING" in client.recv(4096):
            client.sendall(b"+PONG\r\n")
        over.wait()

    with talking(talk) as port:
        error = failure(f"redis://127.0.0.1:{port}", timeout=1)
        over.set()

    assert isinstance(error, TimedOut)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", BadAnswer, "does not speak Redis's protocol"),
        (b"-DENIED Redis is running in protected mode\r\n", AccessDenied, "protected mode"),
        (b"-ERR max number of clients reached\r\n", TemporaryError, "maxclients"),
        (b"", Unreachable, "closes the connection"),
    ],
)
def test_an_odd_answer_is_told_for_what_it_is(answer: bytes, kind: type[AtomOpsError], words: str) -> None:
    with saying(answer) as port:
        error = failure(f"redis://127.0.0.1:{port}")

    assert isinstance(error, kind)
    assert words in error.what


def test_a_web_server_is_not_a_redis() -> None:
    with http_server({"/": Page()}) as url:
        error = failure(url.replace("http", "redis"))

    assert isinstance(error, BadAnswer | Unreachable)


def test_an_unknown_host_is_named() -> None:
    assert "nosuch.invalid" in failure("redis://nosuch.invalid").what


def test_tls_is_verified_with_the_ca_file(redis: RedisServer, tmp_path: Path) -> None:
    ours = authority()
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(ours.pem)
    context = shown(tmp_path, leaf(ours))

    def forward(client: socket.socket) -> None:
        with (
            context.wrap_socket(client, server_side=True) as inside,
            socket.create_connection(("127.0.0.1", redis.port)) as server,
        ):
            while asked := inside.recv(65_536):
                server.sendall(asked)
                inside.sendall(server.recv(65_536))

    with talking(forward) as port:
        url = f"rediss://127.0.0.1:{port}"
        assert look(url, redis.password, ca_file=ca_file).refusal == ""
        error = failure(url, redis.password)

    assert isinstance(error, BadAnswer)
    assert "not trusted" in error.what
    assert "redis.ca_file" in error.action


def test_a_ca_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotThere, match=r"ca\.pem"):
        look("rediss://127.0.0.1:1", ca_file=tmp_path / "ca.pem")
