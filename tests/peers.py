"""Small real servers that misbehave: they refuse, swallow, or answer whatever a test says; gone with their `with`."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.ports import own_port


def refused_port() -> int:
    """A port where nobody listens, nor will while the tests run."""
    return own_port()


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken: list[socket.socket] = []
        threading.Thread(target=_swallow, args=(listener, taken), daemon=True).start()
        yield listener.getsockname()[1]
    for connection in taken:
        connection.close()


def _swallow(listener: socket.socket, taken: list[socket.socket]) -> None:
    with contextlib.suppress(OSError):
        while True:
            taken.append(listener.accept()[0])


@contextlib.contextmanager
def talking(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port where every client gets a `talk` of its own, in a thread, which ends with its connection."""
    clients: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, talk, clients), daemon=True).start()
        yield listener.getsockname()[1]
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes accept
    for client in clients:
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def saying(answer: bytes) -> Iterator[int]:
    """A port that says the same bytes to whoever says anything, and hangs up."""

    def talk(client: socket.socket) -> None:
        client.recv(65_536)
        client.sendall(answer)

    with talking(talk) as port:
        yield port


def _accept(listener: socket.socket, talk: Callable[[socket.socket], None], clients: list[socket.socket]) -> None:
    with contextlib.suppress(OSError):
        while True:
            clients.append(listener.accept()[0])
            threading.Thread(target=_serve, args=(clients[-1], talk), daemon=True).start()


def _serve(client: socket.socket, talk: Callable[[socket.socket], None]) -> None:
    with client, contextlib.suppress(OSError):
        talk(client)


@dataclass(frozen=True)
class Page:
    """An answer to a GET or POST of one path."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wait: Callable[[threading.Event], object] = lambda _over: None
    """What comes before the answer; the event is set when the server ends."""


def hang(over: threading.Event) -> None:
    """No answer as long as the server is there: whoever has no time-out waits for ever."""
    over.wait()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # with 5, the sixth connection of a moment waits a second

    def handle_error(self, *_: object) -> None:
        """A client that breaks off, or does not trust us, is what the tests are about."""


@contextlib.contextmanager
def http_server(pages: dict[str, Page], context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server of these pages, 404 elsewhere; yields its address. With `context` it speaks TLS."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            page = pages.get(self.path.partition("?")[0], Page(404, b"not found"))
            page.wait(over)
            with contextlib.suppress(OSError):
                self.send_response_only(page.status)
                for name, value in page.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(page.body)))
                self.end_headers()
                self.wfile.write(page.body)

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_: object) -> None:
            """Tests print their own."""

    server = _Server(("127.0.0.1", 0), Handler)
    if context:  # each client's own thread shakes its hand
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()  # seconds until it sees a stop
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        server.server_close()
