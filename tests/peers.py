"""Small real servers that misbehave: they refuse, swallow, or answer whatever a test says."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from atomops.sandbox.place import free_port


def refused_port() -> int:
    """A port where nobody listens."""
    return free_port()


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


@dataclass(frozen=True)
class Page:
    """An answer to a GET or POST of one path."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wait: Callable[[], Any] = lambda: None


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # with 5, the sixth connection of a moment waits a second


@contextlib.contextmanager
def http_server(pages: dict[str, Page]) -> Iterator[str]:
    """A server of these pages, 404 elsewhere; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            page = pages.get(self.path.partition("?")[0], Page(404, b"not found"))
            page.wait()
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
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()  # seconds until it sees a stop
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
