"""An application that lets a test decide when it answers: whoever asks waits at the gate until it is opened."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Gate:
    """Its address, and who stands before it."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.arrived = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.arrived = 0
        self.open.clear()


@contextmanager
def gate() -> Iterator[Gate]:
    """Closed at first; everybody is let go at the end."""
    made = Gate()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.arrived += 1
            made.open.wait(300)
            body = b"" if self.path.endswith("metrics") else b'{"status": "ready", "checks": {}}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json" if body else "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Whoever was killed has hung up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield made
        finally:
            made.open.set()
            server.shutdown()
