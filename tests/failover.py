"""Two real servers, primary and replica, behind one address that follows whoever a test says; and its switches."""

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from atomops.sandbox.redis import RedisServer, redis_server
from tests.peers import talking
from tests.waiting import wait_until

_PASSWORD = "open sesame"


@dataclass
class Pair:
    """`switch` is called once, in the middle: when so many commands called `command` have come by."""

    primary: RedisServer
    replica: RedisServer
    port: int = 0
    serving: int = 0
    command: bytes = b"UNLINK"
    after: int = 20
    switch: Callable[["Pair"], None] | None = None
    seen: int = 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def promote(self) -> None:
        """The replica is the primary, and the address leads there."""
        with self.replica.connect() as server:
            server.replicaof("NO", "ONE")
        self.serving = self.replica.port

    def demote(self) -> None:
        """The primary becomes a replica, while the address still leads there: it answers READONLY."""
        with self.primary.connect() as server:
            server.config_set("masterauth", _PASSWORD)
            server.replicaof("127.0.0.1", str(self.replica.port))

    def fill(self, number: int) -> None:
        """So many keys of a cache and a queue with a job, on both servers."""
        with self.primary.connect() as server, self.replica.connect() as other:
            server.mset({f"cache:{key}": "x" * 50 for key in range(number)})
            server.sadd("rq:queues", "rq:queue:default")
            server.rpush("rq:queue:default", "job")
            wait_until(lambda: other.dbsize() == server.dbsize(), "the replica to follow")

    def _passed(self, said: bytes) -> None:
        self.seen += len(re.findall(self.command, said))
        if self.switch is not None and self.seen >= self.after:
            switch, self.switch = self.switch, None
            switch(self)


@contextlib.contextmanager
def pair(program: Path, folder: Path) -> Iterator[Pair]:
    """Both run, the replica follows; the address leads to the primary."""
    options = ("repl-diskless-sync-delay 0", f'masterauth "{_PASSWORD}"')
    with contextlib.ExitStack() as stack:
        primary = stack.enter_context(redis_server(program, folder, password=_PASSWORD, options=options))
        following = (*options, f"replicaof 127.0.0.1 {primary.port}")
        replica = stack.enter_context(redis_server(program, folder, password=_PASSWORD, options=following))
        both = Pair(primary, replica, serving=primary.port)
        both.port = stack.enter_context(talking(lambda client: _forward(client, both)))
        yield both


def _forward(client: socket.socket, both: Pair) -> None:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", both.serving)) as server:
        threading.Thread(target=_answers, args=(server, client), daemon=True).start()
        while said := client.recv(65_536):
            both._passed(said)
            server.sendall(said)
    client.close()


def _answers(server: socket.socket, client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while said := server.recv(65_536):
            client.sendall(said)
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
