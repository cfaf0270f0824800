"""A real HTTP proxy before an S3 server, which spoils what a test tells it to; everything else passes through it."""

import contextlib
import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PIECE = 64 << 10


@dataclass(frozen=True)
class Request:
    """What a client has asked for, as far as a fault may choose by it."""

    method: str
    path: str
    query: str

    @property
    def is_list(self) -> bool:
        return "list-type=2" in self.query


Send = Callable[[], None]


@dataclass(frozen=True)
class Fault:
    """What happens instead of, or around, passing a request on. Counts are bytes."""

    status: int = 0
    body: bytes = b""
    cut_request_after: int | None = None
    cut_response_after: int | None = None
    forget_answer: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    before: Callable[[], object] = lambda: None


class Proxy:
    """Its `fault` is asked at every request; None lets it pass."""

    def __init__(self) -> None:
        self.fault: Callable[[Request], Fault | None] = lambda _: None
        self.seen: list[Request] = []
        self.url = ""

    def count(self, method: str) -> int:
        return sum(request.method == method for request in self.seen)

    def always(self, fault: Fault, **wanted: str) -> None:
        """Every request, or those with this method."""
        self.fault = lambda request: fault if wanted.get("method", request.method) == request.method else None

    def first(self, times: int, fault: Fault, *, method: str) -> None:
        """Only the first so many requests of a method."""
        left = iter(range(times))
        self.fault = lambda request: fault if request.method == method and next(left, None) is not None else None


@contextlib.contextmanager
def proxy(upstream: str) -> Iterator[Proxy]:
    """A proxy on a port of its own, gone with the block."""
    server = _Server(urlsplit(upstream).netloc)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.ours
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True
    block_on_close = False

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.ours = Proxy()
        self.ours.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """A connection that we have cut is what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"

    def pass_on(self) -> None:
        path, _, query = self.path.partition("?")
        request = Request(self.command, path, query)
        self.server.ours.seen.append(request)
        fault = self.server.ours.fault(request) or Fault()
        fault.before()
        with contextlib.suppress(OSError, http.client.HTTPException):
            self.serve(fault)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = pass_on  # noqa: N815 - the names that http.server looks for

    def serve(self, fault: Fault) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if fault.cut_request_after is not None:
            self.rfile.read(min(fault.cut_request_after, length))
            self.reset()
            return
        if fault.status:
            self.drain(length)
            self.answer(fault)
            return
        self.relay(fault, length)

    def drain(self, length: int) -> None:
        while length > 0:
            length -= len(self.piece(length))

    def piece(self, length: int) -> bytes:
        """Of what the client sends. Raises ConnectionError when it has gone: it would send nothing for ever."""
        piece = self.rfile.read(min(PIECE, length))
        if not piece:
            raise ConnectionError
        return piece

    def answer(self, fault: Fault) -> None:
        self.send_response_only(fault.status)
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(fault.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(fault.body)

    def relay(self, fault: Fault, length: int) -> None:
        server = http.client.HTTPConnection(self.server.upstream, timeout=60)
        with contextlib.closing(server):
            server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in {"expect", "connection"}:
                    server.putheader(name, value)
            server.endheaders()
            while length > 0:
                piece = self.piece(length)
                length -= len(piece)
                server.send(piece)
            self.give_back(server.getresponse(), fault)

    def give_back(self, response: http.client.HTTPResponse, fault: Fault) -> None:
        if fault.forget_answer:
            response.read()
            self.reset()
            return
        self.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() not in {"connection", "transfer-encoding", *map(str.lower, fault.headers)}:
                self.send_header(name, value)
        for name, value in fault.headers.items():
            self.send_header(name, value)
        if response.getheader("Content-Length") is None:
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.body_of(response, fault.cut_response_after)

    def body_of(self, response: http.client.HTTPResponse, limit: int | None) -> None:
        left = limit if limit is not None else 1 << 62
        while left > 0 and (piece := response.read(min(PIECE, left))):
            self.wfile.write(piece)
            left -= len(piece)
        if limit is not None:
            self.wfile.flush()
            self.reset()

    def reset(self) -> None:
        """As a router does that has lost its state: no goodbye."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Tests print their own."""
